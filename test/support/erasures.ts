import { createHash } from 'node:crypto';
import { type Connection, withConnection } from '../../src/platform/database/connection.js';
import { openSession, type Session } from '../../src/platform/database/session.js';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import type { TestDatabase } from './database.js';

const WHY = { reason: 'her request to be forgotten', ticket: 'DSR-1' };

/** As the superuser without any trigger: for what only time does, or what is none of the test's concern. */
export const unguarded = <T>(database: TestDatabase, work: (connection: Connection) => Promise<T>) =>
  withConnection(database.superuser, work, { settings: { session_replication_role: 'replica' } });

/** Two officers who may approve for each other. */
export async function makeOfficers(database: TestDatabase): Promise<[ConnectionTarget, ConnectionTarget]> {
  const officers: [ConnectionTarget, ConnectionTarget] = [
    await database.makeOperator('compliance'),
    await database.makeOperator('compliance'),
  ];
  // Who was made an operator today cannot approve yet.
  await unguarded(database, (connection) =>
    connection.query(
      `update ops.operators set registered_at = now() - interval '3 days';
       update ops.operator_duties set granted_at = now() - interval '3 days'`,
    ),
  );
  return officers;
}

/** Has a second operator approve what a request would erase, as planned now. */
export async function approveErasure(
  session: Session,
  second: ConnectionTarget,
  number: string,
): Promise<void> {
  const { id } = await session.one<{ id: string }>(
    `select a.id from privacy.erasure_approvable($1, 'purpose_ended') p, ops.request_approval('erasure', p, $2, $3) a`,
    [number, WHY.reason, WHY.ticket],
  );
  const other = await openSession(second, { duty: 'compliance', ...WHY });
  try {
    await other.query(`select ops.decide_approval($1, 'granted', $2)`, [id, WHY.reason]);
  } finally {
    await other.close();
  }
}

export const schedule = (session: Session, number: string) =>
  session.query(`select privacy.schedule_erasure($1, 'purpose_ended')`, [number]);

/** A month, and a day. */
export const letTimePass = (database: TestDatabase, number: string) =>
  unguarded(database, (connection) =>
    connection.query(
      `update privacy.erasures set scheduled_at = scheduled_at - interval '31 days', due_at = due_at - interval '31 days' where request = $1`,
      [number],
    ),
  );

/** Begins it, and says that it stands in a ledger, which nobody signed. */
export async function begin(session: Session, number: string): Promise<void> {
  await session.query('select privacy.begin_erasure($1)', [number]);
  await enterUnsigned(session, number);
}

export async function enterUnsigned(
  session: Session,
  number: string,
  change: (content: Record<string, unknown>) => Record<string, unknown> = (content) => content,
): Promise<void> {
  const { entry } = await session.one<{
    entry: { facts: object; identifiers: [string, string][] | null; ledger: string | null };
  }>('select privacy.erasure_ledger($1) as entry', [number]);
  if (entry.ledger !== null) return;
  const identifiers = (entry.identifiers ?? []).map(([names, value]) => ({
    ...{ names, kid: 'a-key' },
    mac: createHash('sha256').update(value).digest('hex'),
  }));
  const statement = {
    predicateType: 'urn:nestctl:evidence:erasure:v1',
    predicate: { content: change({ ...entry.facts, identifiers }) },
  };
  const payload = Buffer.from(JSON.stringify(statement)).toString('base64');
  await session.query('select privacy.record_ledger($1, $2)', [
    number,
    JSON.stringify({ payload, signatures: [{ keyid: 'a-key', sig: '' }] }),
  ]);
}

/** Batch by batch to the end; returns how many there were. */
export async function eraseAll(session: Session, number: string, wanted = 5_000): Promise<number> {
  for (let batches = 0; ; batches += 1) {
    const rows = await session.query('select from privacy.erase_batch($1, $2)', [number, wanted]);
    if (rows.length === 0) return batches;
    if (batches > 10_000) throw new Error('it never ends');
  }
}

/** How many events are not as their leaves say, of the whole log. */
export async function brokenLeaves(officer: ConnectionTarget): Promise<number> {
  const session = await openSession(officer, { duty: 'compliance', ...WHY });
  try {
    const { broken } = await session.one<{ broken: number }>(
      'select count(*)::int as broken from audit.event_hashes where leaf_now is distinct from leaf',
    );
    return broken;
  } finally {
    await session.close();
  }
}

/** Every value of every table of every schema, by table: more than any data map knows of. */
export async function everything(database: TestDatabase): Promise<ReadonlyMap<string, string>> {
  return await withConnection(database.superuser, async (connection) => {
    const tables = await connection.query<{ name: string }>(
      `select n.nspname || '.' || c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where c.relkind in ('r', 'm') and c.relispopulated and n.nspname not in ('information_schema', 'pg_toast') and n.nspname !~ '^pg_temp'
         and (n.nspname <> 'pg_catalog' or c.relname in ('pg_statistic', 'pg_largeobject'))`,
    );
    const found = new Map<string, string>();
    for (const { name } of tables) {
      const { text } = await connection.one<{ text: string | null }>(
        `select string_agg(t::text, E'\\n') as text from ${name} t`,
      );
      found.set(name, text ?? '');
    }
    return found;
  });
}
