import type { CatalogueSnapshot } from '../../platform/migrations/snapshot.js';
import type { PolicyFacts, TableCommand, TableFacts } from './table-facts.js';

interface Granted {
  readonly grantee: string;
  readonly privileges: readonly string[];
}

/** What a snapshot of the catalogue says of a table, as ops.catalogue_at gives it. */
export interface CatalogueParts {
  readonly taken_at: string;
  readonly relation: {
    readonly owner: string;
    readonly rls: boolean;
    readonly forcedRls: boolean;
    readonly grants: readonly Granted[];
    readonly columnGrants: readonly { readonly name: string; readonly grants: readonly Granted[] }[];
  } | null;
  readonly policies: readonly {
    readonly name: string;
    readonly command: TableCommand | 'all';
    readonly permissive: boolean;
    readonly roles: readonly string[];
    readonly using: string | null;
    readonly check: string | null;
  }[];
  /** The functions that the policies call, and those that these call. */
  readonly routines: readonly Entry[];
}

type Entry = Readonly<Record<string, unknown>>;

/** The catalogue around a moment. */
export interface CatalogueAt {
  readonly before: CatalogueParts | null;
  readonly after: CatalogueParts | null;
  /** Whether a recovery began another epoch since. */
  readonly recovered: boolean;
}

/** The parts of a whole snapshot that stand where `like` has them. */
export function partsNow(
  { content }: CatalogueSnapshot,
  like: CatalogueParts,
  { schema, table, policies }: TableFacts,
): CatalogueParts {
  const applying = new Set(policies.filter((one) => one.for_role).map(({ name }) => name));
  const entries = (section: string) => content[section] as readonly Entry[];
  const names = new Set(like.routines.map(nameOf));
  return {
    taken_at: '',
    relation: (entries('relations').find((one) => one.schema === schema && one.name === table) ??
      null) as unknown as CatalogueParts['relation'],
    policies: entries('policies').filter(
      (one) => one.schema === schema && one.table === table && applying.has(String(one.name)),
    ) as unknown as CatalogueParts['policies'],
    routines: entries('routines').filter((one) => names.has(nameOf(one))),
  };
}

/** What differs between two catalogues of a table, each in words; nothing where they are the same. */
export function driftBetween(one: CatalogueParts, other: CatalogueParts): string[] {
  const policies = changed(
    'policy',
    one.policies as unknown as Entry[],
    other.policies as unknown as Entry[],
  );
  const routines = changed('function', one.routines, other.routines);
  const relation = canonical(one.relation) === canonical(other.relation) ? [] : ['rights or row security'];
  return [...policies, ...routines, ...relation];
}

/** The table as it was for a role; its columns, its key and the role itself are taken to have stayed. */
export function factsThen(now: TableFacts, { relation, policies }: CatalogueParts): TableFacts {
  if (relation === null) return { ...now, policies: [] };
  const given = (grants: readonly Granted[], command: TableCommand) =>
    grants.some(
      ({ grantee, privileges }) =>
        (grantee === now.role || grantee === 'public' || (grantee === 'owner' && now.owns)) &&
        privileges.some((privilege) => privilege.replace(' WITH GRANT OPTION', '') === command.toUpperCase()),
    );
  const rights = {
    select: given(relation.grants, 'select'),
    insert: given(relation.grants, 'insert'),
    update: given(relation.grants, 'update'),
    delete: given(relation.grants, 'delete'),
  };
  const ofColumn = (name: string) => relation.columnGrants.find((one) => one.name === name)?.grants ?? [];
  return {
    ...now,
    row_security: relation.rls,
    forced: relation.forcedRls,
    rights,
    columns: now.columns.map(({ name }) => ({
      name,
      select: rights.select || given(ofColumn(name), 'select'),
      insert: rights.insert || given(ofColumn(name), 'insert'),
      update: rights.update || given(ofColumn(name), 'update'),
    })),
    policies: policies.map(
      ({ roles, ...policy }): PolicyFacts => ({
        ...policy,
        roles,
        for_role: roles.some(
          (role) => role === 'public' || role === now.role || (role === 'owner' && now.owns),
        ),
      }),
    ),
  };
}

function changed(kind: string, one: readonly Entry[], other: readonly Entry[]): string[] {
  const [was, is] = [byName(one), byName(other)];
  return [...new Set([...was.keys(), ...is.keys()])]
    .filter((name) => was.get(name) !== is.get(name))
    .map((name) => `${kind} ${name}`);
}

function byName(entries: readonly Entry[]): Map<string, string> {
  return new Map(entries.map((entry) => [nameOf(entry), canonical(entry)]));
}

function nameOf({ schema, name, arguments: args }: Entry): string {
  return args === undefined ? String(name) : `${schema}.${name}(${args})`;
}

/** JSON with keys in order at every depth: jsonb keeps an order of its own. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
