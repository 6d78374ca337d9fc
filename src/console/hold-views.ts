import { commandLine } from './command-line.js';
import type { Outcome } from './outcome.js';
import { type Column, details, text, toned, type View } from './views.js';

export const HOLD_BASES = ['litigation', 'order', 'investigation', 'audit'] as const;

interface Subject {
  readonly kind: string;
  readonly id: string;
}

/** A legal hold as the console shows it. */
export interface ShownHold {
  readonly number: string;
  readonly subject: Subject;
  readonly basis: string;
  readonly matter: string;
  readonly reference: string | null;
  readonly review_on: string;
  readonly review_due: boolean;
  readonly placed_at: Date;
  readonly placed_by: string;
  readonly reason: string | null;
  readonly ticket: string | null;
  readonly released_at: Date | null;
  readonly released_by: string | null;
  readonly release_reason: string | null;
}

const KINDS: Readonly<Record<string, string>> = { user: 'account', family: 'family', child: 'child' };
const subjectText = ({ kind, id }: Subject) => `${KINDS[kind] ?? kind} ${id}`;

const PRESERVES: Readonly<Record<string, string>> = {
  user: 'nothing of the account is erased, and no month of the audit log with its events is pruned',
  family:
    'nothing of the family is erased, nor of anybody who is or was in it, and no month of the audit log with its events is pruned',
  child:
    'nothing of the family that the child is in is erased, nor of anybody who is or was in it, and no month of the audit log with its events is pruned',
};

export const HOLD_COLUMNS: readonly Column<ShownHold>[] = [
  { name: 'number', value: ({ number }) => number },
  {
    name: 'on',
    value: ({ subject }) => subjectText(subject),
    raw: ({ subject }) => ({ ...subject }),
    keep: true,
  },
  { name: 'basis', value: ({ basis }) => basis, keep: true },
  { name: 'matter', value: ({ matter }) => matter },
  {
    name: 'review',
    value: ({ review_on, review_due, released_at }) =>
      released_at !== null ? null : review_due ? toned('warn', `${review_on} due`) : review_on,
    raw: ({ review_on }) => review_on,
    keep: true,
  },
  { name: 'placed', value: ({ placed_at }) => placed_at },
  { name: 'by', value: ({ placed_by }) => placed_by },
  { name: 'released', value: ({ released_at }) => released_at },
  { name: 'reference', value: ({ reference }) => reference, extra: true },
];

export function holdDetails(hold: ShownHold): View {
  const { released_at } = hold;
  return details({
    number: hold.number,
    on: subjectText(hold.subject),
    basis: hold.basis,
    matter: hold.matter,
    reference: hold.reference ?? undefined,
    state: released_at === null ? toned('warn', 'stands') : 'released',
    'while it stands': released_at === null ? PRESERVES[hold.subject.kind] : undefined,
    'next review':
      released_at !== null
        ? undefined
        : hold.review_due
          ? toned('warn', `${hold.review_on}, due`)
          : hold.review_on,
    placed: hold.placed_at,
    'placed by': hold.placed_by,
    reason: hold.reason ?? undefined,
    ticket: hold.ticket ?? undefined,
    released: released_at ?? undefined,
    'released by': hold.released_by ?? undefined,
    because: hold.release_reason ?? undefined,
  });
}

/** What would be placed. */
export function holdPlanViews(plan: {
  readonly subject: Subject;
  readonly basis: string;
  readonly matter: string;
  readonly reference?: string | undefined;
  readonly review_on: string;
  readonly standing: readonly string[];
}): View {
  return details({
    on: subjectText(plan.subject),
    basis: plan.basis,
    matter: plan.matter,
    reference: plan.reference,
    'while it stands': PRESERVES[plan.subject.kind],
    'next review': plan.review_on,
    'on the same already': plan.standing.length === 0 ? undefined : plan.standing.join(', '),
  });
}

export function holdDone(hold: ShownHold, sentence: string): Outcome {
  return {
    result: { hold },
    view: text(sentence, { mark: 'good' }),
    next: commandLine(['hold', 'show', hold.number]),
  };
}
