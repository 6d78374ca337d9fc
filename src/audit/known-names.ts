import sql from 'sql-template-tag';
import type { Session } from '../platform/database/session.js';
import { NestctlError } from '../platform/errors.js';
import type { EventFilter } from './event-filter.js';
import { qualified } from './filter/fields.js';
import { filterError } from './filter/filter-error.js';

/**
 * "Nothing matches" would be a wrong answer about what was mistyped. Throws `unknown_table`, and `invalid_filter` for
 * a column that no captured table has.
 */
export async function knowNames(session: Session, filter: EventFilter): Promise<void> {
  if (filter.table !== undefined) await knowTable(session, filter.table);
  const columns = filter.where?.compile(session.duty).columns ?? [];
  if (filter.where === undefined || columns.length === 0) return;
  const known = new Set(
    (
      await session.query<{ name: string }>(
        'select distinct unnest(columns) as name from audit.captured_tables',
      )
    ).map(({ name }) => name),
  );
  const unknown = columns.find(({ name }) => !known.has(name));
  if (unknown === undefined) return;
  throw filterError(filter.where.text, unknown.at, `no table in the log has a column "${unknown.name}".`, {
    mistaken: { name: unknown.name, among: [...known] },
  });
}

async function knowTable(session: Session, table: string): Promise<void> {
  const [schema, name] = qualified(table).split('.');
  const found = await session.query(sql`
    select from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = ${schema} and c.relname = ${name} and c.relkind in ('r', 'p')`);
  if (found.length > 0) return;
  throw new NestctlError(`There is no table ${qualified(table)}.`, {
    kind: 'usage',
    code: 'unknown_table',
    hint: 'Tables of public need no schema: usage_logs. Others do: ops.access_grants.',
  });
}
