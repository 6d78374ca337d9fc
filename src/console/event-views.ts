import { formatInstant } from '../platform/zone.js';
import { type Plain, type TableView, type TreeNode, type TreeView, table, tree } from './views.js';

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

export interface ChangeOfRow extends Partial<Change> {
  readonly event: Event;
}

/** Each column that each event changed; an event that shows none is a row of its own. */
export function changesOfRow(events: readonly Event[]): ChangeOfRow[] {
  return events.flatMap((event): ChangeOfRow[] => {
    const changes = changesOf(event);
    return changes.length === 0 ? [{ event }] : changes.map((change) => ({ event, ...change }));
  });
}

/** Events with their values, one line a column. */
export function eventTree(events: readonly Event[], zone: string): TreeView {
  return tree(
    ...events.map((event): TreeNode => {
      const why = whyOf(event);
      return {
        text: [event.id, formatInstant(event.occurred_at, zone), whatOf(event), whoOf(event)].join('  '),
        ...(why === '' ? {} : { note: why }),
        children: valueLines(event).map((text) => ({ text })),
      };
    }),
  );
}

interface Group {
  readonly key: Readonly<Partial<Record<string, Date | string | null>>>;
  readonly events: number;
  readonly first: Date;
  readonly last: Date;
}

/** Groups of events; a span of time is named by its beginning in the zone, as far as that says something. */
export function groupTable(groups: readonly Group[], by: readonly string[], zone: string): TableView {
  return table(
    groups,
    [
      ...by.map((name) => ({
        name,
        keep: true,
        value: ({ key }: Group) => spanLabel(name, key[name] ?? null, zone),
        raw: ({ key }: Group) => key[name] ?? null,
      })),
      { name: 'events', value: ({ events }) => events, align: 'right' as const, keep: true },
      { name: 'first', value: ({ first }) => first },
      { name: 'last', value: ({ last }) => last },
    ],
    'No event matches.',
  );
}

/** "2026-11-20 14:00" for an hour, "2026-11-20" for a day or week, "2026-11" for a month; tables without "public.". */
export function spanLabel(span: string, at: Date | string | null, zone: string): string | null {
  if (!(at instanceof Date)) return at === null ? null : at.replace(/^public\./, '');
  return formatInstant(at, zone).slice(0, { hour: 16, month: 7 }[span] ?? 10);
}

/** An event on one line, as it is followed. */
export function followedLine(event: Event, zone: string): string {
  const changed = changesOf(event).map(({ column }) => column);
  const columns =
    event.operation === 'update' ? changed.filter((name) => name !== 'updated_at').join(' ') : '';
  const parts = [
    event.id,
    formatInstant(event.occurred_at, zone),
    whatOf(event),
    columns,
    whoOf(event),
    whyOf(event),
  ];
  return parts.filter((part) => part !== '').join('  ');
}

/** Under which requests parts of an event were erased, as a sentence; undefined where none was. */
export function erasureOf(event: { readonly erased_by: readonly string[] | null }): string | undefined {
  const requests = [...new Set(event.erased_by ?? [])];
  return requests.length === 0 ? undefined : `erased in part under ${requests.join(', ')}`;
}

function whatOf(event: Event): string {
  return `${event.operation} ${event.table_name.replace(/^public\./, '')}`;
}

function whyOf({ ticket, reason }: Event): string {
  return [ticket, reason].filter((part) => part !== null).join(': ');
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
