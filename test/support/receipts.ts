import { withConnection } from '../../src/platform/database/connection.js';
import type { TestDatabase } from './database.js';

/** That somebody looked, which is on record and is no change. */
const LOOKS = [
  'audit.readings',
  'ops.directory_lookups',
  'ops.access_diagnoses',
  'ops.access_explanations',
  'ops.impersonations',
  'privacy.ledger_looks',
];

export interface LoggedEvent {
  readonly event: string;
  readonly transaction: string;
  readonly table: string;
  readonly operation: string;
  readonly leaf: string;
}

/** All that a run changed, as the superuser finds it in the log: under its request, or that of its moves. */
export async function changesUnder(database: TestDatabase, request: string): Promise<LoggedEvent[]> {
  return await withConnection(database.superuser, (connection) =>
    connection.query<LoggedEvent>(
      `select id::text as event, xid::text as transaction, table_name as table, lower(operation::text) as operation, encode(leaf, 'hex') as leaf
       from audit.events
       where (request_id = $1 or request_id in (select m.id::text from ops.moves m where m.request_id = $1)) and table_name <> all ($2)
       order by id`,
      [request, LOOKS],
    ),
  );
}

interface Told {
  readonly request?: string;
  readonly events?: { readonly count: number; readonly first: readonly LoggedEvent[] } | null;
}

/** Throws where the envelope of a run does not tell exactly what the log has of it. */
export async function checkReceipt(
  database: TestDatabase,
  what: string,
  meta: Told | undefined,
): Promise<void> {
  if (meta?.request === undefined) return;
  const logged = await changesUnder(database, meta.request);
  const told = [meta.events?.count ?? 0, ...(meta.events?.first ?? []).map(line)];
  const expected = [logged.length, ...logged.slice(0, 10).map(line)];
  if (told.join('\n') !== expected.join('\n'))
    throw new Error(`the receipt of ${what} is ${told.join('; ')}, and the log has ${expected.join('; ')}`);
}

function line({ event, transaction, table, operation, leaf }: LoggedEvent): string {
  return `${event} ${transaction} ${operation} ${table} ${leaf}`;
}
