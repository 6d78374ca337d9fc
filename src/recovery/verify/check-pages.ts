import { type Connection, withConnection } from '../../platform/database/connection.js';
import { type Finding, finding } from '../../platform/doctor/finding.js';
import { NestctlError } from '../../platform/errors.js';
import { isolatedTarget } from '../isolated/start.js';

interface Relation {
  readonly oid: string;
  readonly name: string;
  readonly kind: 'index' | 'heap';
}

/** Every page of a database is read this way, through its checksum where the cluster has them. */
const RELATIONS = `
  select c.oid::text as oid, format('%I.%I', n.nspname, c.relname) as name, case c.relkind when 'i' then 'index' else 'heap' end as kind
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace left join pg_catalog.pg_index x on x.indexrelid = c.oid join pg_catalog.pg_am a on a.oid = c.relam
  where c.relpersistence = 'p' and (c.relkind = 'i' and a.amname = 'btree' and x.indisvalid and x.indisready
    or c.relkind in ('r', 'm', 't') and a.amname = 'heap')
  order by c.relpages desc`;

export interface PageOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told how many relations are done, of how many. */
  readonly onRelation?: ((done: number, total: number, name: string) => void) | undefined;
}

/**
 * Reads all tables and B-tree indexes of every database of an isolated instance by amcheck: each index against its table, each
 * row against what a row may be. amcheck is made there, in the copy, by its own superuser.
 */
export async function checkPages(socket: string, options: PageOptions = {}): Promise<Finding[]> {
  const databases = await withConnection(isolatedTarget(socket), (connection) =>
    connection.query<{ name: string }>(
      'select datname as name from pg_database where datallowconn order by 1',
    ),
  );
  const found: Finding[] = [];
  let relations = 0;
  for (const { name } of databases) {
    const { damaged, read } = await withConnection(
      isolatedTarget(socket, name),
      (connection) => checkDatabase(connection, name, options),
      { statementTimeout: 0 },
    );
    relations += read;
    found.push(...damaged);
  }
  const { checksums } = await withConnection(isolatedTarget(socket), (connection) =>
    connection.one<{ checksums: string }>(`select current_setting('data_checksums') as checksums`),
  );
  return [
    checksums === 'on'
      ? found.length === 0
        ? finding('page checksums', 'ok', 'every page was read through its checksum')
        : finding('page checksums', 'error', 'not all that was read is as it was written')
      : finding('page checksums', 'unknown', 'the cluster has none: a flipped bit in a value goes unseen'),
    ...(found.length > 0
      ? found
      : [finding('tables and indexes', 'ok', `${relations} in ${databases.length} databases, by amcheck`)]),
  ];
}

async function checkDatabase(
  connection: Connection,
  database: string,
  { signal, onRelation }: PageOptions,
): Promise<{ damaged: Finding[]; read: number }> {
  await connection.query('create extension if not exists amcheck schema pg_catalog');
  const relations = await connection.query<Relation>(RELATIONS);
  const damaged: Finding[] = [];
  for (const [at, { oid, name, kind }] of relations.entries()) {
    signal?.throwIfAborted();
    onRelation?.(at, relations.length, name);
    const what = await checkRelation(connection, oid, kind);
    if (what !== undefined)
      damaged.push(finding('tables and indexes', 'error', what, { object: `${database}: ${name}` }));
  }
  return { damaged, read: relations.length };
}

/** What is wrong with it, without a value of a row; undefined where nothing is. */
async function checkRelation(
  connection: Connection,
  oid: string,
  kind: Relation['kind'],
): Promise<string | undefined> {
  try {
    if (kind === 'index') {
      await connection.query('select bt_index_check(index => $1::oid::regclass, heapallindexed => true)', [
        oid,
      ]);
      return undefined;
    }
    const [first] = await connection.query<{ blkno: string; msg: string; all: number }>(
      'select v.blkno, v.msg, count(*) over ()::int as all from verify_heapam(relation => $1::oid::regclass) v limit 1',
      [oid],
    );
    return first === undefined
      ? undefined
      : `block ${first.blkno}: ${first.msg}${first.all > 1 ? `, and ${first.all - 1} more` : ''}`;
  } catch (error) {
    if (error instanceof NestctlError && error.code !== 'connection_lost') return error.message;
    throw error;
  }
}
