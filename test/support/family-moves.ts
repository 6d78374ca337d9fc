import { type Connection, withConnection } from '../../src/platform/database/connection.js';
import type { Duty } from '../../src/platform/database/duties.js';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import type { TestDatabase } from './database.js';

// biome-ignore lint/suspicious/noExplicitAny: tests state the shape they expect
type Json = any;

/** A session with a duty, grants for families, and a reason, as somebody with psql would have it. */
export async function asMover<T>(
  operator: ConnectionTarget,
  families: readonly string[],
  work: (session: Connection) => Promise<T>,
  duty: Duty = 'support',
): Promise<T> {
  return await withConnection(operator, async (session) => {
    await session.query(`set role nestsync_${duty}`);
    for (const family of families) {
      await session.query(`select ops.open_access('read', 'a test of family moves', 'SUP-1', 60, $1, null)`, [
        family,
      ]);
    }
    await session.query(
      `select set_config('nestsync.reason', 'a test of family moves', false), set_config('nestsync.ticket', 'SUP-1', false)`,
    );
    return await work(session);
  });
}

export async function planMove(session: Connection, request: object): Promise<Json> {
  return (await session.one<{ plan: Json }>('select ops.plan_move($1) as plan', [JSON.stringify(request)]))
    .plan;
}

export async function makeMove(session: Connection, request: object, hash: string): Promise<Json> {
  return (
    await session.one<{ done: Json }>('select ops.make_move($1, $2) as done', [JSON.stringify(request), hash])
  ).done;
}

/** Plans a move and makes it. */
export async function planAndMove(session: Connection, request: object): Promise<Json> {
  const plan = await planMove(session, request);
  return await makeMove(session, request, plan.hash);
}

/** Tables whose rows belong to a family, found without the code under test: whatever has a family_id and no record's name. */
export async function familyTables(superuser: Connection): Promise<string[]> {
  const rows = await superuser.query<{ name: string }>(`
    select c.oid::regclass::text as name from pg_class c join pg_attribute a on a.attrelid = c.oid
    where a.attname = 'family_id' and c.relkind in ('r', 'p') and not c.relispartition
      and (c.relnamespace = 'public'::regnamespace or c.oid = 'ops.invitation_mails'::regclass)
    order by 1`);
  return rows.map(({ name }) => name);
}

interface FamilyRow {
  readonly family: string;
  readonly table: string;
  readonly id: string;
  /** The columns, but for the family. */
  readonly row: Readonly<Record<string, unknown>>;
}

/** Every row of some families, by table and id. */
export async function familyRows(
  database: TestDatabase,
  families: readonly string[],
): Promise<ReadonlyMap<string, FamilyRow>> {
  const rows = await withConnection(database.superuser, async (superuser) =>
    superuser.query<FamilyRow>(
      (await familyTables(superuser))
        .map(
          (name) =>
            `select family_id::text as family, '${name}' as "table", id::text as id, to_jsonb(t) - 'family_id' as row from ${name} t where family_id = any ($1)`,
        )
        .join(' union all '),
      [[...families]],
    ),
  );
  const byKey = new Map(rows.map((row) => [`${row.table} ${row.id}`, row]));
  if (byKey.size !== rows.length) throw new Error('a row is there twice');
  return byKey;
}

/** The multiset of rows without their family: what a move must not change. */
export function withoutFamily(rows: ReadonlyMap<string, FamilyRow>): Record<string, unknown> {
  return Object.fromEntries([...rows].sort().map(([key, { row }]) => [key, row]));
}

/** Where each row is. */
export function whereabouts(rows: ReadonlyMap<string, FamilyRow>): Record<string, string> {
  return Object.fromEntries([...rows].sort().map(([key, { family }]) => [key, family]));
}

/** The columns of rows that differ, by row; a row that is only in one has the column `there` or `gone`. */
export function differences(
  before: ReadonlyMap<string, FamilyRow>,
  after: ReadonlyMap<string, FamilyRow>,
): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const [was, is] = [before.get(key), after.get(key)];
    if (was === undefined) found[key] = ['there'];
    else if (is === undefined) found[key] = ['gone'];
    else {
      const columns = Object.keys({ ...was.row, ...is.row }).filter(
        (column) => JSON.stringify(was.row[column]) !== JSON.stringify(is.row[column]),
      );
      if (columns.length > 0) found[key] = columns;
    }
  }
  return found;
}
