import type { Tone } from './colour.js';
import { type Column, details, heading, table, toned, type View } from './views.js';

type ReviewState = 'open' | 'due' | 'overdue' | 'reviewed';

interface BrokenGlass {
  readonly id: string;
  readonly operator: string;
  readonly reason: string;
  readonly ticket: string;
  readonly opened_at: Date;
  readonly ended_at: Date;
  readonly review_due_at: Date;
  readonly state: ReviewState;
  readonly reviewer: string | null;
  readonly verdict: string | null;
  readonly note: string | null;
}

interface Deeds {
  readonly glass: BrokenGlass;
  readonly counts: readonly {
    readonly table_name: string;
    readonly operation: string;
    readonly events: number;
  }[];
  readonly events: readonly {
    readonly id: string;
    readonly occurred_at: Date;
    readonly operation: string;
    readonly table_name: string;
    readonly record: string | null;
    readonly reason: string | null;
  }[];
}

const TONES: Readonly<Record<ReviewState, Tone>> = {
  open: 'warn',
  due: 'warn',
  overdue: 'bad',
  reviewed: 'muted',
};

export const REVIEW_COLUMNS: readonly Column<BrokenGlass>[] = [
  { name: 'grant', value: (one) => one.id },
  { name: 'state', value: (one) => toned(TONES[one.state], one.state), keep: true },
  { name: 'operator', value: (one) => one.operator, keep: true },
  { name: 'opened', value: (one) => one.opened_at },
  { name: 'due', value: (one) => one.review_due_at },
  { name: 'ticket', value: (one) => one.ticket },
  { name: 'reason', value: (one) => one.reason },
  { name: 'verdict', value: (one) => one.verdict?.replace('_', ' '), raw: (one) => one.verdict },
  { name: 'reviewer', value: (one) => one.reviewer },
];

export function brokenGlassTable(reviews: readonly BrokenGlass[]): View {
  return table(reviews, REVIEW_COLUMNS, 'No break-glass waits for a review.');
}

/** What the reviewer reads before signing. */
export function deedsViews({ glass, counts, events }: Deeds): View[] {
  return [
    details({
      operator: glass.operator,
      reason: glass.reason,
      ticket: glass.ticket,
      opened: glass.opened_at,
      ended: glass.ended_at,
      'review due': glass.review_due_at,
      state: toned(TONES[glass.state], glass.state),
      verdict: glass.verdict?.replace('_', ' '),
      reviewer: glass.reviewer ?? undefined,
      note: glass.note ?? undefined,
    }),
    heading('What the log holds (reads leave no event)'),
    table(
      counts,
      [
        { name: 'table', value: (one) => one.table_name },
        { name: 'operation', value: (one) => one.operation, keep: true },
        { name: 'events', value: (one) => one.events, align: 'right', keep: true },
      ],
      'Nothing was changed.',
    ),
    table(
      events,
      [
        { name: 'event', value: (one) => one.id },
        { name: 'time', value: (one) => one.occurred_at },
        { name: 'what', value: (one) => `${one.operation} ${one.table_name}`, keep: true },
        { name: 'row', value: (one) => one.record },
        { name: 'reason', value: (one) => one.reason },
      ],
      'No events.',
    ),
  ];
}
