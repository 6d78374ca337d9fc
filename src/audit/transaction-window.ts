import sql, { join, type Sql } from 'sql-template-tag';
import type { Session } from '../platform/database/session.js';
import type { EventFilter } from './event-filter.js';

/**
 * Where the events of the filter's transaction are, as conditions on `audit.events e` that its index on numbers knows;
 * none without a transaction, or for support, which finds them within a family or person.
 */
export async function transactionWindow(session: Session, { transaction }: EventFilter): Promise<Sql[]> {
  if (transaction === undefined || session.duty === 'support') return [];
  const windows = await session.query<{ low_id: string; high_id: string | null }>(
    sql`select low_id, high_id from audit.transaction_window(${transaction}::xid8)`,
  );
  if (windows.length === 0) return [sql`false`];
  const within = windows.map(({ low_id, high_id }) =>
    high_id === null
      ? sql`e.id >= ${low_id}::bigint`
      : sql`e.id between ${low_id}::bigint and ${high_id}::bigint`,
  );
  return [sql`(${join(within, ' or ')})`];
}
