import { formatInstant } from './time/zone.js';
import { type Plain, type TreeNode, type TreeView, tree } from './views.js';

interface Images {
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
}

interface Event extends Images {
  readonly id: string;
  readonly occurred_at: Date;
  readonly operation: string;
  readonly table_name: string;
  readonly app_user: string | null;
  readonly session_login: string;
  readonly duty: string | null;
  readonly reason: string | null;
  readonly ticket: string | null;
  readonly erased_by: readonly string[] | null;
}

export interface Change {
  readonly column: string;
  readonly before: Plain;
  readonly after: Plain;
}

/**
 * What an event says about the columns of its row: for an update those that changed, else those that hold
 * something. Columns that name other people are kept whole in the log, so they can be there unchanged.
 */
export function changesOf(event: Images): Change[] {
  const { before, after } = event;
  const columns = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
  return [...columns]
    .map((column) => ({ column, before: plain(before?.[column]), after: plain(after?.[column]) }))
    .filter((change) => (change.before ?? null) !== (change.after ?? null));
}

/** Events with their values, one line a column. */
export function eventTree(events: readonly Event[], zone: string): TreeView {
  return tree(
    ...events.map((event): TreeNode => {
      const why = [event.ticket, event.reason].filter((part) => part !== null).join(': ');
      return {
        text: [event.id, formatInstant(event.occurred_at, zone), whatOf(event), whoOf(event)].join('  '),
        ...(why === '' ? {} : { note: why }),
        children: valueLines(event).map((text) => ({ text })),
      };
    }),
  );
}

/** Under which requests parts of an event were erased, as a sentence; undefined where none was. */
export function erasureOf(event: { readonly erased_by: readonly string[] | null }): string | undefined {
  const requests = [...new Set(event.erased_by ?? [])];
  return requests.length === 0 ? undefined : `erased in part under ${requests.join(', ')}`;
}

function whatOf(event: Event): string {
  return `${event.operation} ${event.table_name.replace(/^public\./, '')}`;
}

function whoOf(event: Event): string {
  const who = event.app_user === null ? event.session_login : `user ${event.app_user}`;
  return event.duty === null ? `by ${who}` : `by ${who} as ${event.duty}`;
}

function valueLines(event: Event): string[] {
  const lines = changesOf(event)
    .filter(({ column }) => column !== 'updated_at')
    .map(({ column, before = null, after = null }) =>
      event.operation === 'update' ? `${column}: ${before} → ${after}` : `${column}: ${after ?? before}`,
    );
  const erasure = erasureOf(event);
  if (erasure !== undefined) lines.push(erasure);
  return lines.length > 0 ? lines : ['no values that this duty reads'];
}

/** A value as JSON writes it, so that "null" and null differ; undefined and null alike are nothing. */
function plain(value: unknown): Plain {
  return value === undefined || value === null ? undefined : JSON.stringify(value);
}
