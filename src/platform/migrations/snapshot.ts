import { createHash } from 'node:crypto';
import type { Connection } from '../database/connection.js';
import { OUR_SCHEMAS, readSections } from './catalogue.js';

export interface CatalogueSnapshot {
  /** SHA-256 in hex of the content as JSON with sorted keys and no white space. */
  readonly hash: string;
  readonly content: Readonly<Record<string, unknown>>;
}

/**
 * What decides who may see and do what, in our schemas: policies, functions, triggers, RLS switches, owners
 * and grants. Partitions come and go by the calendar, so only the different forms they take are in it: the
 * hash stays while a new month's partition is like the others, and changes when one of them is not.
 */
export async function catalogueSnapshot(connection: Connection): Promise<CatalogueSnapshot> {
  const read = await readSections(
    connection,
    ['schemas', 'relations', 'policies', 'routines', 'triggers', 'defaultPrivileges'],
    { schemas: OUR_SCHEMAS },
  );
  const partitions = new Map<string, string>();
  for (const { schema, name, parent } of read.relations) {
    if (parent !== null) partitions.set(`${schema}.${name}`, parent);
  }
  const isPartition = ({ schema, table }: { schema: string; table: string }) =>
    partitions.has(`${schema}.${table}`);
  const relations = read.relations.map((relation) => ({
    schema: relation.schema,
    name: relation.name,
    kind: relation.kind,
    owner: relation.owner,
    rls: relation.rls,
    forcedRls: relation.forcedRls,
    options: relation.options,
    grants: relation.grants,
    columnGrants: relation.columns
      .filter(({ grants }) => grants.length > 0)
      .map(({ name, grants }) => ({ name, grants })),
  }));
  const forms = relations
    .filter(({ schema, name }) => partitions.has(`${schema}.${name}`))
    .map(({ name, ...relation }) => {
      const own = (entry: { schema: string; table: string }) =>
        entry.schema === relation.schema && entry.table === name;
      return canonical({
        ...relation,
        parent: partitions.get(`${relation.schema}.${name}`),
        policies: read.policies.filter(own).map(({ table, ...policy }) => policy),
        triggers: read.triggers.filter(own).map(({ name: trigger, enabled }) => ({ trigger, enabled })),
      });
    });
  const content = {
    schemas: read.schemas.map(({ comment, ...schema }) => schema),
    relations: relations.filter(({ schema, name }) => !partitions.has(`${schema}.${name}`)),
    partitionForms: [...new Set(forms)].sort().map((form) => JSON.parse(form) as unknown),
    policies: read.policies.filter((policy) => !isPartition(policy)).map(({ comment, ...policy }) => policy),
    routines: read.routines.map(({ comment, ...routine }) => withoutEpoch(routine)),
    triggers: read.triggers.filter((trigger) => !isPartition(trigger)).map(({ comment, ...rest }) => rest),
    defaultPrivileges: read.defaultPrivileges,
  };
  return { hash: createHash('sha256').update(canonical(content)).digest('hex'), content };
}

/** A recorded recovery writes its number into this function, which is no drift; a check of its own looks after it. */
function withoutEpoch<Routine extends { schema: string; name: string; source: string }>(
  routine: Routine,
): Routine {
  const isEpoch = routine.schema === 'audit' && routine.name === 'current_epoch';
  return isEpoch ? { ...routine, source: 'RETURN the newest epoch' } : routine;
}

/** Takes a snapshot and keeps it; the content only where no earlier one is the same. */
export async function recordSnapshot(
  connection: Connection,
  takenFor: 'migration' | 'doctor',
): Promise<CatalogueSnapshot & { readonly id: string }> {
  const snapshot = await catalogueSnapshot(connection);
  const [row] = await connection.query<{ id: string }>(
    `insert into ops.catalogue_snapshots (taken_for, hash, content)
     select $1, $2, case when not exists (select from ops.catalogue_snapshots where hash = $2) then $3::jsonb end
     returning id`,
    [takenFor, snapshot.hash, JSON.stringify(snapshot.content)],
  );
  return { ...snapshot, id: row?.id ?? '' };
}

/** JSON with keys in code unit order at every depth. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
