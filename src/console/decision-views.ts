import { type Column, listed, text, toned, type View } from './views.js';

interface ShownDecision {
  readonly kind: string;
  readonly key: readonly string[];
  readonly state: Readonly<Record<string, unknown>>;
  readonly transaction: string;
  readonly made_at: string;
}

export interface ShownLost {
  readonly lost: readonly ShownDecision[];
  readonly records: readonly object[];
  readonly left_out: Readonly<Record<string, number>>;
  readonly unknown: number;
}

export interface ShownDecisions {
  readonly approval: string | null;
  readonly taken: number;
  readonly refused: readonly {
    readonly decision: ShownDecision;
    readonly why: string;
    readonly next: string | null;
  }[];
}

const SAID: Readonly<Record<string, string>> = {
  account: 'account suspended',
  settings: 'consent by which the application goes, withdrawn',
  notifications: 'notifications turned off',
  consent: 'consent withdrawn',
  member: 'member given less',
  invitation: 'invitation revoked',
  guardian: 'guardian ended',
  hold: 'legal hold placed',
  grant: 'access of staff closed',
  operator: 'operator revoked',
  duty: 'duty of an operator ended',
};

function said({ kind, state }: ShownDecision): string {
  const { status } = state;
  if (kind === 'member' && typeof status === 'string' && status !== 'active') return `member ${status}`;
  return SAID[kind] ?? kind;
}

interface Sort {
  readonly transaction: string;
  readonly what: string;
  readonly from: string;
  readonly count: number;
  readonly one: ShownDecision;
}

const COLUMNS: readonly Column<Sort>[] = [
  { name: 'transaction', value: ({ transaction }) => transaction, keep: true },
  { name: 'decided', value: ({ from }) => new Date(from) },
  { name: 'what', value: ({ what }) => what, keep: true },
  { name: 'rows', value: ({ count }) => count, align: 'right', keep: true },
  { name: 'which', value: ({ count, one }) => (count === 1 ? one.key.join(' ') : undefined) },
];

/** Decisions that are lost, by the transaction that decided: one that was the mistake is left out as a whole. */
export function lostViews(lost: ShownLost | undefined): View[] {
  if (lost === undefined) return [];
  const sorts = new Map<string, Sort>();
  for (const one of lost.lost) {
    const { transaction, made_at } = one;
    const what = said(one);
    const before = sorts.get(`${transaction} ${what}`);
    const count = (before?.count ?? 0) + 1;
    sorts.set(`${transaction} ${what}`, { transaction, what, from: before?.from ?? made_at, count, one });
  }
  const most = Math.max(0, ...[...sorts.values()].map(({ count }) => count));
  return [
    ...listed('Decisions that are lost', [...sorts.values()], COLUMNS),
    ...Object.entries(lost.left_out).map(([transaction, count]) =>
      text(`${count} of transaction ${transaction} are left out, as the mistake that was restored from.`, {
        mark: 'warn',
      }),
    ),
    ...(most > 10
      ? [
          text(
            'Was one of these transactions the mistake that was restored from? Leave it out: --leave-out TRANSACTION',
            {
              mark: 'warn',
            },
          ),
        ]
      : []),
    ...(lost.unknown > 0
      ? [
          text(
            `Of ${lost.unknown} decisions nothing can be told: the ledger key that entered them is not here.`,
            {
              mark: 'unknown',
            },
          ),
        ]
      : []),
    ...(lost.lost.length === 0 && lost.records.length > 0
      ? [
          text(
            'The ledger has decisions of which this database does not know; none takes anything from a row here.',
          ),
        ]
      : []),
  ];
}

export function decisionViews(decisions: ShownDecisions | undefined): View[] {
  if (decisions === undefined) return [];
  return [
    ...(decisions.approval === null
      ? [text(`${decisions.taken} decisions are taken again.`, { mark: 'good' })]
      : []),
    ...listed('Decisions that were refused', decisions.refused, [
      { name: 'transaction', value: ({ decision }) => decision.transaction },
      { name: 'what', value: ({ decision }) => said(decision), keep: true },
      { name: 'which', value: ({ decision }) => decision.key.join(' ') },
      { name: 'why', value: ({ why }) => toned('bad', why), raw: ({ why }) => why, keep: true },
      { name: 'next', value: ({ next }) => next },
    ]),
  ];
}

/** The ledger of decisions against the database. */
export function decisionCheckViews(check: {
  readonly unknown: number;
  readonly missing: readonly string[];
  readonly waiting: number;
}): View[] {
  return [
    ...(check.unknown > 0
      ? [
          text(
            `${check.unknown} decisions are unknown to this database: it was restored to before they were made.`,
            { mark: 'bad' },
          ),
        ]
      : []),
    ...check.missing.map((record) =>
      text(`The record ${record} is not here: after a restore nobody would know of what was decided.`, {
        mark: 'bad',
      }),
    ),
    ...(check.waiting > 0
      ? [text(`${check.waiting} decisions wait for maintenance to enter them.`, { mark: 'unknown' })]
      : []),
  ];
}
