import { commandLine } from './command-line.js';
import type { Outcome } from './outcome.js';
import {
  type Cell,
  type Column,
  details,
  heading,
  listed,
  type TableView,
  table,
  text,
  toned,
  type View,
} from './views.js';

export const GROUNDS = ['consent_withdrawn', 'purpose_ended', 'unlawful', 'inaccurate'] as const;
export const OUTCOMES = ['erased', 'not_held', 'kept'] as const;

interface Found {
  readonly table: string;
  readonly column: string | null;
  readonly names: string | null;
  readonly rows: number | null;
  readonly state: string;
  readonly why: string | null;
}

/** An erasure as the console shows it. */
export interface ShownErasure {
  readonly request: string;
  readonly person: string;
  readonly families: readonly string[];
  readonly ground: string;
  readonly state: string;
  readonly plan_hash: string;
  readonly approval: string;
  readonly scheduled_at: Date;
  readonly scheduled_by: string;
  readonly due_at: Date;
  readonly cancelled_at: Date | null;
  readonly cancelled_by: string | null;
  readonly begun_at: Date | null;
  readonly begun_by: string | null;
  readonly erased_at: Date | null;
  readonly proof: { readonly scanned_at: string; readonly found: readonly Found[] } | null;
  readonly proven_at: Date | null;
  readonly certified_at: Date | null;
  readonly closed_at: Date | null;
}

interface Outside {
  readonly recipient: string;
  readonly about: string;
  readonly outcome: string | null;
  readonly reference: string | null;
  readonly settled_at: Date | null;
  readonly tries: number;
  readonly tried_at: Date | null;
  readonly failure: string | null;
}

interface Progress {
  readonly table: string;
  readonly rows_of: string;
  readonly does?: string | undefined;
  readonly rows?: number | undefined;
  readonly done?: boolean;
}

const MEANS: Readonly<Record<string, string>> = {
  scheduled: 'can be cancelled',
  due: 'can be run, or cancelled',
  cancelled: 'the account is as it was',
  running: 'begun, and not at its end',
  erased: 'no step has rows left; that nothing else holds anything is not proven',
  proven: 'nothing is left here; archives or others have still to follow',
  complete: 'nothing is left, and all others have followed',
};

const stateCell = (state: string): Cell =>
  toned(
    state === 'complete'
      ? 'good'
      : state === 'cancelled'
        ? 'muted'
        : state === 'scheduled'
          ? 'unknown'
          : 'warn',
    state,
  );

export const ERASURE_COLUMNS: readonly Column<ShownErasure>[] = [
  { name: 'request', value: ({ request }) => request },
  { name: 'state', value: ({ state }) => stateCell(state), raw: ({ state }) => state, keep: true },
  { name: 'due', value: ({ due_at }) => due_at, keep: true },
  { name: 'ground', value: ({ ground }) => ground },
  {
    name: 'families',
    value: ({ families }) => families.length,
    raw: ({ families }) => families,
    align: 'right',
  },
  { name: 'by', value: ({ scheduled_by }) => scheduled_by },
  { name: 'erased', value: ({ erased_at }) => erased_at },
  { name: 'certified', value: ({ certified_at }) => certified_at },
];

export function erasureDetails(erasure: ShownErasure): View {
  const { state, proof } = erasure;
  return details({
    request: erasure.request,
    person: erasure.person,
    state: toned(state === 'complete' ? 'good' : 'warn', `${state}: ${MEANS[state] ?? ''}`),
    ground: erasure.ground,
    'families that go': erasure.families.join(' ') || 'none',
    plan: erasure.plan_hash,
    approval: erasure.approval,
    scheduled: erasure.scheduled_at,
    'scheduled by': erasure.scheduled_by,
    due: erasure.due_at,
    cancelled: erasure.cancelled_at ?? undefined,
    'cancelled by': erasure.cancelled_by ?? undefined,
    begun: erasure.begun_at ?? undefined,
    'begun by': erasure.begun_by ?? undefined,
    erased: erasure.erased_at ?? undefined,
    'looked for what is left': proof === null ? undefined : new Date(proof.scanned_at),
    proven: erasure.proven_at ?? undefined,
    certified: erasure.certified_at ?? undefined,
    complete: erasure.closed_at ?? undefined,
  });
}

export const PROGRESS_COLUMNS: readonly Column<Progress>[] = [
  { name: 'table', value: (step) => step.table, keep: true },
  { name: 'rows of', value: ({ rows_of }) => rows_of },
  { name: 'does', value: ({ does }) => does, keep: true },
  { name: 'rows', value: ({ rows }) => rows, align: 'right', keep: true },
  { name: 'done', value: ({ done }) => done },
];

export function progressTable(steps: readonly Progress[]): TableView {
  return table(steps, PROGRESS_COLUMNS, 'It has not begun.');
}

const FOUND: Readonly<Record<string, Cell>> = {
  residue: toned('bad', 'theirs'),
  possible: toned('warn', 'a name, maybe theirs'),
  unread: toned('unknown', 'unread'),
  looked_at: 'looked at: nobody of theirs',
  namesake: 'others called so',
  kept: 'kept under an obligation',
};
export const FOUND_COLUMNS: readonly Column<Found>[] = [
  { name: 'table', value: (found) => found.table, keep: true },
  { name: 'column', value: ({ column }) => column, keep: true },
  { name: 'by', value: ({ names }) => names },
  { name: 'rows', value: ({ rows }) => rows, align: 'right' },
  { name: 'what it is', value: ({ state }) => FOUND[state] ?? state, raw: ({ state }) => state, keep: true },
  { name: 'why', value: ({ why }) => why },
];

export function outsideViews(outside: readonly Outside[]): View[] {
  return listed('Who else had data of theirs from us', outside, [
    { name: 'recipient', value: ({ recipient }) => recipient },
    { name: 'who', value: ({ about }) => about },
    {
      name: 'outcome',
      value: ({ outcome }) => outcome ?? toned('warn', 'open'),
      raw: ({ outcome }) => outcome,
      keep: true,
    },
    { name: 'reference', value: ({ reference }) => reference },
    { name: 'settled', value: ({ settled_at }) => settled_at },
    { name: 'tried', value: ({ tried_at }) => tried_at },
    { name: 'trouble', value: ({ failure }) => failure },
  ]);
}

const OPEN = ['residue', 'possible', 'unread'];

/** Where something of theirs may be left. */
export const openPlaces = ({ proof }: Pick<ShownErasure, 'proof'>): readonly Found[] =>
  (proof?.found ?? []).filter(({ state }) => OPEN.includes(state));

function nextStep({ request, state }: ShownErasure, open: readonly Outside[]): string {
  if (state === 'complete')
    return commandLine(['erasure', 'certificate', request, '--file', 'certificate.html']);
  const [first] = open;
  if (first === undefined) return 'nestctl audit archive';
  // Where an adapter asks, somebody has to write to those only that it does not ask.
  const unasked = open.find(({ tries }) => tries === 0);
  if (unasked === undefined) return commandLine(['erasure', 'run', request]);
  const settled = ['--outcome', 'erased', '--reference', '…'];
  return commandLine(['erasure', 'settle', request, unasked.recipient, ...settled]);
}

/** What came of running it, or of looking for what is left: how far it is, where something is left, and what to do. */
export function erasureOutcome(erasure: ShownErasure, outside: readonly Outside[]): Outcome {
  const { request, state } = erasure;
  const left = openPlaces(erasure);
  const result = { erasure, outside, left };
  if (state === 'complete' || state === 'proven') {
    const open = outside.filter(({ outcome }) => outcome === null);
    return {
      result,
      view: [
        text('All of it is erased, and nothing of them was found afterwards.', { mark: 'good' }),
        ...(state === 'proven' && open.length === 0
          ? [text('The archives of the audit log have still to follow.', { mark: 'unknown' })]
          : []),
        ...outsideViews(open),
      ],
      verdict: state === 'complete' ? undefined : 'pending',
      next: nextStep(erasure, open),
    };
  }
  const theirs = left.filter((each) => each.state === 'residue');
  const place = left.find((each) => each.state !== 'residue');
  return {
    result,
    rows: table(left, FOUND_COLUMNS, ''),
    view: [
      heading('What is left'),
      table(left, FOUND_COLUMNS, 'Nothing.'),
      ...(theirs.some((each) => each.table === 'pg_catalog.pg_stats')
        ? [
            text(
              'What the planner remembers is forgotten by analyzing those tables, and when autovacuum does: then look again.',
              { mark: 'unknown' },
            ),
          ]
        : []),
      text(
        theirs.length > 0
          ? 'It is not complete. Have those places emptied by whoever writes them, and look again.'
          : 'It is not complete until somebody has looked at those places.',
        { mark: 'bad' },
      ),
    ],
    verdict: 'partial',
    next: commandLine([
      ...['erasure', 'verify', request],
      ...(theirs.length === 0 && place !== undefined
        ? ['--looked-at', [place.table, place.column].filter((word) => word !== null).join('.')]
        : []),
    ]),
  };
}
