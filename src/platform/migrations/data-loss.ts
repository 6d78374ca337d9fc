import type pg from 'pg';
import type { Connection } from '../database/connection.js';
import { NestctlError } from '../errors.js';
import type { Migration, MigrationFile } from './read-migrations.js';
import { runFile } from './run-step.js';

export interface DataLoss {
  /** `audit.events`, or `public.children.gender` for a column. */
  readonly object: string;
  readonly what:
    | 'table dropped'
    | 'column dropped'
    | 'column type changed'
    | 'table emptied'
    | 'rows deleted';
  /** Rows, or values other than null; counting stops at `COUNT_LIMIT`. */
  readonly rows: number;
}

export const COUNT_LIMIT = 100_000;

interface Stored {
  readonly name: string;
  readonly columns: ReadonlyMap<number, { readonly name: string; readonly type: string }>;
  readonly filenode: string;
  readonly empty: boolean;
  readonly deleted: number;
}

/**
 * What running a down would lose, found by running it inside the caller's transaction and undoing it: tables
 * and columns that vanish or change type and hold something, tables emptied, rows deleted. Leaves the tables
 * concerned locked until the transaction ends, so that what was counted stays true. Rows that the migration
 * itself put there (`seeds` of its header) do not count.
 */
export async function findDataLoss(
  connection: Connection,
  migration: Migration,
  file: MigrationFile,
): Promise<DataLoss[]> {
  const { client } = connection;
  const before = await storedTables(client);
  await client.query('savepoint trial');
  await runFile(connection, migration, file, () => undefined);
  const after = await storedTables(client);
  await client.query('rollback to savepoint trial');

  const losses: DataLoss[] = [];
  for (const [oid, table] of before) {
    if (migration.seeds.includes(table.name)) continue;
    const left = after.get(oid);
    const add = async (object: string, what: DataLoss['what'], condition = 'true') => {
      const rows = await countRows(client, table.name, condition);
      if (rows > 0) losses.push({ object, what, rows });
    };
    if (left === undefined) {
      await add(table.name, 'table dropped');
      continue;
    }
    for (const [number, column] of table.columns) {
      const now = left.columns.get(number);
      if (now?.type === column.type) continue;
      const what = now === undefined ? 'column dropped' : 'column type changed';
      await add(`${table.name}.${column.name}`, what, `${column.name} is not null`);
    }
    if (left.filenode !== table.filenode && left.empty && !table.empty)
      await add(table.name, 'table emptied');
    const deleted = left.deleted - table.deleted;
    if (deleted > 0) losses.push({ object: table.name, what: 'rows deleted', rows: deleted });
  }
  return losses;
}

/** Throws `conflict` where anything would be lost. */
export function refuseDataLoss(migration: Migration, losses: readonly DataLoss[]): void {
  if (losses.length === 0) return;
  const list = losses.map(describeLoss).join('; ');
  throw new NestctlError(`Rolling back ${migration.name} would lose data: ${list}. It was not rolled back.`, {
    kind: 'conflict',
    code: 'data_loss',
    hint:
      'Only in a local context may a rollback lose rows; audit events are never dropped elsewhere, whatever ' +
      'is asked. Go forward with a new migration instead.',
    next: 'nestctl db status',
  });
}

export function describeLoss({ object, what, rows }: DataLoss): string {
  return `${object} (${what}, ${rows > COUNT_LIMIT ? `more than ${COUNT_LIMIT}` : rows} rows)`;
}

async function storedTables(client: pg.Client): Promise<Map<string, Stored>> {
  const { rows } = await client.query<{
    oid: string;
    name: string;
    filenode: string;
    empty: boolean;
    deleted: string;
    counted: boolean;
    columns: { number: number; name: string; type: string }[];
  }>(
    `select c.oid::text, c.oid::regclass::text as name, c.relfilenode::text as filenode,
            pg_relation_size(c.oid) = 0 as empty, pg_stat_get_xact_tuples_deleted(c.oid) as deleted,
            current_setting('track_counts')::bool as counted,
            (select coalesce(jsonb_agg(jsonb_build_object('number', a.attnum, 'name', quote_ident(a.attname),
                                                          'type', format_type(a.atttypid, a.atttypmod))), '[]')
             from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
               and a.attgenerated = '') as columns
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'r' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
     order by n.nspname, c.relname`,
  );
  if (rows.some(({ counted }) => !counted)) {
    throw new NestctlError('Whether the rollback would delete rows cannot be seen: track_counts is off.', {
      kind: 'conflict',
      code: 'data_loss_unknown',
      hint: 'Have the server count again: alter system set track_counts = on; select pg_reload_conf();',
    });
  }
  return new Map(
    rows.map(({ oid, name, filenode, empty, deleted, columns }) => [
      oid,
      {
        name,
        filenode,
        empty,
        deleted: Number(deleted),
        columns: new Map(columns.map(({ number, ...column }) => [number, column])),
      },
    ]),
  );
}

/**
 * Rows that hold something, as the owner sees them with forced Row Level Security lifted for the moment: a
 * policy that hides rows from the owner must not make a table look empty.
 */
async function countRows(client: pg.Client, table: string, condition: string): Promise<number> {
  await client.query(`lock table ${table} in access exclusive mode`);
  await client.query('savepoint counting');
  await client.query(`alter table ${table} no force row level security`);
  const { rows } = await client.query<{ count: string }>(
    `select count(*) as count from (select from ${table} where ${condition} limit ${COUNT_LIMIT + 1}) held`,
  );
  await client.query('rollback to savepoint counting');
  return Number(rows[0]?.count ?? 0);
}
