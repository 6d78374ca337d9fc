export type Operation = 'insert' | 'update' | 'delete';

/** One row's change, as audit.events keeps it. What the session's duty may not read is null. */
export interface AuditEvent {
  /** int8 as text. */
  readonly id: string;
  readonly occurred_at: Date;
  /** xid8 as text. */
  readonly xid: string;
  readonly epoch: number;
  readonly category: string;
  readonly operation: Operation;
  /** schema.table */
  readonly table_name: string;
  readonly session_login: string;
  readonly duty: string | null;
  readonly request_id: string | null;
  readonly app_user: string | null;
  readonly family_id: string | null;
  readonly subject_user: string | null;
  /** The row's id, or its key joined by "/" where it has none. */
  readonly record: string | null;
  readonly changed_columns: readonly string[] | null;
  /** Before: the changed columns, or for a delete the row. Columns that name other people are included. */
  readonly before: Readonly<Record<string, unknown>> | null;
  /** After: the changed columns, or for an insert the row. */
  readonly after: Readonly<Record<string, unknown>> | null;
  readonly reason: string | null;
  readonly ticket: string | null;
  /** Requests under which parts of the event were erased. */
  readonly erased_by: readonly string[] | null;
}
