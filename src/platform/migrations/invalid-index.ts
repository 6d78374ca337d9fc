import type { Connection } from '../database/connection.js';
import { bareSql, type Statement } from './read-migrations.js';

/** `create index concurrently if not exists NAME on [only] SCHEMA.TABLE`, names quoted or not. */
const NAME = String.raw`("(?:[^"]|"")+"|[\p{L}_][\p{L}\p{N}_$]*)`;
const BUILD = new RegExp(
  String.raw`^create\s+(?:unique\s+)?index\s+concurrently\s+if\s+not\s+exists\s+${NAME}\s+on\s+(?:only\s+)?${NAME}\.${NAME}`,
  'iu',
);

/**
 * Before a concurrent build is run again: an interrupted one leaves an INVALID index of that name, which IF
 * NOT EXISTS would take for the finished one. Drops it and returns its name; undefined where there is none.
 */
export async function dropInvalidIndex(
  connection: Connection,
  statement: Statement,
): Promise<string | undefined> {
  const [, index, schema, table] = BUILD.exec(bareSql(statement.text)) ?? [];
  if (index === undefined || schema === undefined || table === undefined) return undefined;
  const [row] = await connection.query<{ name: string }>(
    `select i.oid::regclass::text as name
     from pg_index x join pg_class i on i.oid = x.indexrelid
     join pg_class t on t.oid = x.indrelid join pg_namespace n on n.oid = t.relnamespace
     where not x.indisvalid and i.relname = $1 and n.nspname = $2 and t.relname = $3`,
    [index, schema, table].map(unquote),
  );
  if (row === undefined) return undefined;
  await connection.query(`drop index concurrently if exists ${row.name}`);
  return row.name;
}

function unquote(identifier: string): string {
  return identifier.startsWith('"')
    ? identifier.slice(1, -1).replaceAll('""', '"')
    : identifier.toLowerCase();
}
