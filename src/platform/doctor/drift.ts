import type { Connection } from '../database/connection.js';
import { recordSnapshot } from '../migrations/index.js';
import { type Finding, finding } from './finding.js';

type Entry = Readonly<Record<string, unknown>>;

/** Beyond this many the list helps nobody. */
const SHOWN = 25;

/**
 * Whether policies, helpers, triggers, RLS switches and grants still are what the last migration left, since no
 * row trigger sees DDL; one finding for each object that is not. Keeps what it saw; needs the owner.
 */
export async function checkDrift(owner: Connection): Promise<Finding[]> {
  const [last] = await owner.query<{ hash: string; content: Entry }>(`
    select m.hash, s.content
    from ops.catalogue_snapshots m
      join lateral (select content from ops.catalogue_snapshots s where s.hash = m.hash and s.content is not null limit 1) s on true
    where m.taken_for = 'migration' order by m.id desc limit 1`);
  const [interrupted] = await owner.query('select from ops.migration_runs where snapshot_id is null limit 1');
  if (interrupted !== undefined)
    return [
      finding('catalogue', 'unknown', 'the last run of migrations was ended before it kept a snapshot', {
        remedy: 'nestctl db migrate',
      }),
    ];
  if (last === undefined)
    return [finding('catalogue', 'unknown', 'no migration has left a snapshot to compare with')];
  const now = await recordSnapshot(owner, 'doctor');
  if (last.hash === now.hash) return [finding('catalogue', 'ok', 'as the last migration left it')];
  const changes = Object.keys({ ...last.content, ...now.content }).flatMap((section) =>
    compare(section, entriesOf(last.content, section), entriesOf(now.content, section)),
  );
  const rest = changes.length - SHOWN;
  return [
    ...changes.slice(0, SHOWN),
    ...(rest > 0
      ? [finding('catalogue', 'error', `${rest} more objects differ from the last migration`)]
      : []),
  ];
}

function compare(section: string, before: readonly Entry[], after: readonly Entry[]): Finding[] {
  const was = new Map(before.map((entry) => [identity(entry), entry]));
  const is = new Map(after.map((entry) => [identity(entry), entry]));
  return [...new Set([...was.keys(), ...is.keys()])].flatMap((object) => {
    const [old, now] = [was.get(object), is.get(object)];
    if (old !== undefined && now !== undefined && canonical(old) === canonical(now)) return [];
    const what = now === undefined ? 'is gone' : old === undefined ? 'was added' : changedParts(old, now);
    const remedy = remedyFor(section, old, now);
    return finding('catalogue', 'error', `${KIND[section] ?? section} ${what}, outside migrations`, {
      object,
      ...(remedy === undefined ? {} : { remedy }),
    });
  });
}

const KIND: Readonly<Record<string, string>> = {
  schemas: 'schema',
  relations: 'relation',
  partitionForms: 'a form of partitions',
  policies: 'policy',
  routines: 'function',
  triggers: 'trigger',
  defaultPrivileges: 'default privilege',
};

function changedParts(old: Entry, now: Entry): string {
  const parts = Object.keys({ ...old, ...now }).filter((key) => canonical(old[key]) !== canonical(now[key]));
  return `was changed (${parts.join(', ')})`;
}

/** The statement for what one statement puts back. */
function remedyFor(section: string, old: Entry | undefined, now: Entry | undefined): string | undefined {
  const table = `${(old ?? now)?.schema}.${(old ?? now)?.table ?? (old ?? now)?.name}`;
  if (section === 'triggers' && old !== undefined) {
    if (now === undefined) return `${old.definition}`;
    return old.enabled === 'origin' ? `alter table ${table} enable trigger ${old.name}` : undefined;
  }
  if (section === 'relations' && old !== undefined && now !== undefined) {
    if (old.rls === true && now.rls === false) return `alter table ${table} enable row level security`;
    if (old.forcedRls === true && now.forcedRls === false)
      return `alter table ${table} force row level security`;
  }
  if (section === 'policies')
    return old === undefined ? `drop policy ${now?.name} on ${table}` : createPolicy(old, table);
  return undefined;
}

function createPolicy(policy: Entry, table: string): string {
  const roles = (policy.roles as readonly string[]).map((role) => (role === 'owner' ? 'current_user' : role));
  return [
    `create policy ${policy.name} on ${table}${policy.permissive === false ? ' as restrictive' : ''}`,
    `for ${policy.command} to ${roles.join(', ')}`,
    ...(policy.using === null ? [] : [`using (${policy.using})`]),
    ...(policy.check === null ? [] : [`with check (${policy.check})`]),
  ].join(' ');
}

function entriesOf(content: Readonly<Record<string, unknown>>, section: string): Entry[] {
  const entries = content[section];
  return Array.isArray(entries) ? (entries as Entry[]) : [];
}

function identity(entry: Entry): string {
  const { schema, table, name, arguments: args, parent, role, objects } = entry;
  if (name === undefined) return [parent, role, schema, objects].filter((part) => part != null).join(' ');
  const owner = [schema, table].filter((part) => part != null).join('.');
  return `${owner}${table === undefined ? (owner === '' ? '' : '.') : ' '}${name}${args === undefined ? '' : `(${args})`}`;
}

/** JSON with keys in order at every depth: jsonb keeps an order of its own. */
function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_, inner: unknown) =>
      inner !== null && typeof inner === 'object' && !Array.isArray(inner)
        ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
        : inner,
    ) ?? 'undefined'
  );
}
