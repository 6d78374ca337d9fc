import type { Session } from '../platform/database/session.js';
import { NestctlError } from '../platform/errors.js';
import type { AuditEvent } from './event.js';
import type { EventFilter } from './event-filter.js';
import { queryEvents } from './query-events.js';

const PAGE = 500;

/** The last event that set a column of a row. */
export interface BlamedColumn {
  readonly column: string;
  /** As the log has it; undefined where the log does not keep it, or the duty does not read it. */
  readonly value: unknown;
  readonly event: AuditEvent;
}

export interface Blame {
  readonly columns: readonly BlamedColumn[];
  /** The event that deleted the row, where that came last. */
  readonly deleted: AuditEvent | undefined;
  /** False where the log does not reach back to the row's insert: what is older is not known. */
  readonly complete: boolean;
}

/**
 * Who last wrote each column of a row, when and why. Reads the row's events from the newest, and stops at its insert.
 * Throws `not_found` where the session sees no event of it, `unknown_table`.
 */
export async function blameRow(
  session: Session,
  filter: EventFilter & { readonly table: string; readonly key: string },
): Promise<Blame> {
  const { table, key } = filter;
  const columns = new Map<string, BlamedColumn>();
  let deleted: AuditEvent | undefined;
  let cursor: string | undefined;
  let seen = 0;
  const blame = (event: AuditEvent, names: readonly string[]) => {
    for (const column of names) {
      if (!columns.has(column)) columns.set(column, { column, value: event.after?.[column], event });
    }
  };
  do {
    const page = await queryEvents(session, filter, { limit: PAGE, cursor });
    for (const event of page.events) {
      seen++;
      if (event.operation === 'delete') {
        // Moved to another family, a row is deleted and inserted again, with the same id and in this order.
        if (seen > 1) continue;
        deleted = event;
      } else if (event.operation === 'update') {
        blame(event, event.changed_columns ?? []);
      } else {
        blame(event, Object.keys(event.after ?? {}));
        return { columns: [...columns.values()].sort(byName), deleted, complete: true };
      }
    }
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  if (seen === 0) throw unseen(table, key, session.duty);
  return { columns: [...columns.values()].sort(byName), deleted, complete: false };
}

function byName(one: BlamedColumn, other: BlamedColumn): number {
  return one.column < other.column ? -1 : 1;
}

export function unseen(table: string, key: string, duty: string): NestctlError {
  return new NestctlError(`You see no audit event of ${table} ${key}.`, {
    kind: 'not_found',
    hint:
      duty === 'support'
        ? 'Support sees events of the families and people it has a live grant for.'
        : 'Is it the id, or the parts of the key joined by "/"? What was erased is not found by its key.',
  });
}
