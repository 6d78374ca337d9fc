import sql, { join, raw, type Sql } from 'sql-template-tag';

export type ExportFormat = 'csv' | 'ndjson' | 'json';

/** What a cell of the skeleton or of the payload is, of `events e`. */
const SKELETON = [
  ['id', 'e.id'],
  ['occurred_at', `to_char(e.occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`],
  ['xid', 'e.xid::text'],
  ['epoch', 'e.epoch'],
  ['category', 'e.category'],
  ['operation', 'lower(e.operation::text)'],
  ['table_name', 'e.table_name'],
  ['session_login', 'e.session_login'],
  ['duty', 'e.duty'],
  ['request_id', 'e.request_id'],
] as const;
const PAYLOAD = [
  ['app_user', 'e.app_user'],
  ['family_id', 'e.family_id'],
  ['subject_user', 'e.subject_user'],
  ['record', 'coalesce(e.record_id::text, e.record_key)'],
  ['changed_columns', 'e.changed_columns'],
  ['before', 'e.before'],
  ['after', 'e.after'],
  ['reason', 'e.reason'],
  ['ticket', 'e.ticket'],
  ['erased_by', 'array_remove(e.erased_requests, null)'],
] as const;
/** Text that somebody typed: the rest has a form of its own. */
const TYPED: readonly string[] = ['session_login', 'request_id', 'record', 'reason', 'ticket'];

/** The select list of an export: under `sre` the skeleton alone. */
export function exportColumns(duty: string, format: ExportFormat): Sql {
  const columns = duty === 'sre' ? SKELETON : [...SKELETON, ...PAYLOAD];
  return join(
    columns.map(([name, value]) => {
      const safe =
        format === 'csv' && TYPED.includes(name)
          ? withoutFormula(value)
          : raw(format !== 'csv' && name === 'id' ? `${value}::text` : value);
      return sql`${safe} as ${raw(`"${name}"`)}`;
    }),
  );
}

/** What a spreadsheet takes for a formula, where it sees the beginning of a cell; plain numbers are none. */
const FORMULA = String.raw`(^|[;|\t\r\n])(?=[[:space:]"''‘’“”\x60´]{0,200}[=+\-@＝＋－＠])`;
const NUMBER = String.raw`^[+-]?(\d+([.,]\d+)?|[.,]\d+)$`;
/** C0 but for tabs and line ends, and DEL, as their pictures. */
const CONTROLS = [...Array(32).keys(), 127].filter((code) => ![0, 9, 10, 13].includes(code));
const PICTURES = CONTROLS.map((code) => String.fromCodePoint(code === 127 ? 0x2421 : 0x2400 + code)).join('');

/** As the console writes CSV: an apostrophe before what a spreadsheet would run, control characters as pictures. */
function withoutFormula(value: string): Sql {
  const controls = CONTROLS.map((code) => `\\x${code.toString(16).padStart(2, '0')}`).join('');
  return raw(
    `case when ${value} ~ '${NUMBER}' then ${value} else translate(regexp_replace(${value}, '${FORMULA}', '\\1''', 'g'), E'${controls}', '${PICTURES}') end`,
  );
}
