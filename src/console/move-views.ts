import { commandLine } from './command-line.js';
import { confirmName } from './confirm-name.js';
import type { Outcome } from './outcome.js';
import { type Column, details, heading, table, text, toned, type View } from './views.js';

interface MoveFamily {
  readonly id: string | null;
  readonly name: string;
}
interface MoveTable {
  readonly table: string;
  readonly rows: number;
  readonly moves: number;
  readonly copies: number;
  readonly goes_back: number;
}
interface MovePerson {
  readonly email: string;
  readonly from_before: string | null;
  readonly from_after: string | null;
  readonly to_before: string | null;
  readonly to_after: string | null;
  readonly more_children: number;
  readonly fewer_children: number;
  readonly newly_reads: readonly string[];
  readonly no_longer_reads: readonly string[];
}
interface SharedRow {
  readonly key: string;
  readonly choice: string;
  readonly what: string | null;
}
interface MovePlan {
  readonly kind: 'merge' | 'split' | 'child' | 'undo';
  readonly from: MoveFamily;
  readonly to: MoveFamily;
  readonly children: readonly { readonly id: string; readonly name: string }[];
  readonly tables: readonly MoveTable[];
  readonly shared: readonly {
    readonly table: string;
    readonly rows: number;
    readonly first: readonly SharedRow[];
  }[];
  readonly conflicts: readonly {
    readonly table: string;
    readonly key: string;
    readonly choice: string | null;
    readonly what: string | null;
    readonly other: string | null;
  }[];
  readonly cut: readonly { readonly table: string; readonly target: string; readonly rows: number }[];
  readonly people: readonly MovePerson[];
  readonly refusals: readonly { readonly message: string }[];
}
interface Move {
  readonly move: string;
  readonly from: string;
  readonly to: string;
  readonly tables: readonly MoveTable[];
}

/** Everything a move would do, and what must be decided before it can be made. */
export function movePlan(plan: MovePlan): View[] {
  const { from, to, children, shared, conflicts, cut, refusals } = plan;
  const tables = plan.tables.filter(({ moves, copies, goes_back }) => moves + copies + goes_back > 0);
  const people = plan.people.filter(changes);
  return [
    details({
      from: family(from),
      to: family(to),
      children: children.map(({ name }) => name).join(', ') || 'none',
      ...(plan.kind === 'merge'
        ? { effect: `${from.name} is archived, empty but for what stays behind` }
        : {}),
    }),
    heading('Rows'),
    table(tables, TABLE_COLUMNS, 'None.'),
    ...(shared.length === 0
      ? []
      : [
          heading('Rows that belong to no child alone'),
          table(
            shared.flatMap(({ table: name, first }) => first.map((row) => ({ name, ...row }))),
            SHARED_COLUMNS,
            'None.',
          ),
          ...shared
            .filter(({ rows, first }) => rows > first.length)
            .map(({ table: name, rows, first }) =>
              text(`… and ${rows - first.length} more of ${short(name)}`, { tone: 'muted' }),
            ),
        ]),
    ...(conflicts.length === 0
      ? []
      : [heading('Rows that cannot both be in one family'), table(conflicts, CONFLICT_COLUMNS, 'None.')]),
    ...cut.map(({ table: name, target, rows }) =>
      text(`${rows} rows of ${short(name)} lose their link to ${short(target)}: the two part.`, {
        mark: 'warn',
      }),
    ),
    heading('Who would see more or less'),
    table(people, PERSON_COLUMNS, 'Nobody.'),
    ...people
      .filter(({ more_children }) => more_children > 0)
      .map(({ email, more_children }) =>
        text(
          `Afterwards ${email} sees ${more_children} more ${more_children === 1 ? 'child' : 'children'}.`,
          { mark: 'warn' },
        ),
      ),
    ...refusals.map(({ message }) => text(message, { mark: 'bad' })),
  ];
}

/** What must be typed before a move is made. */
export function moveConsent(plan: MovePlan): { readonly name: string; readonly warning: string } {
  const { kind, from, to, children } = plan;
  const names = children.map(({ name }) => name).join(', ');
  switch (kind) {
    case 'merge':
      return { name: from.name, warning: `${from.name} becomes part of ${to.name} and is archived.` };
    case 'split':
      return { name: to.name, warning: `${names} leaves ${from.name} for the new family ${to.name}.` };
    case 'child':
      return { name: children[0]?.name ?? to.name, warning: `${names} leaves ${from.name} for ${to.name}.` };
    case 'undo':
      return { name: to.name, warning: `What was moved returns from ${from.name} to ${to.name}.` };
  }
}

/** Asks for that name, or takes it from --confirm. */
export async function confirmMove(
  plan: MovePlan,
  options: { readonly given: string | undefined; readonly json: boolean; readonly words: readonly string[] },
): Promise<void> {
  const consent = moveConsent(plan);
  const { given, json, words } = options;
  await confirmName({ ...consent, given, json, next: commandLine([...words, '--confirm', consent.name]) });
}

/** What was moved, and the command that takes it back. */
export function moveDone(done: Move, plan: MovePlan): Outcome {
  const back = commandLine(['child', 'move', '--undo', done.move, '--family', done.to, '--to', done.from]);
  return {
    result: { ...done, way_back: plan.kind === 'undo' ? null : back },
    view: [
      text(DONE[plan.kind](plan), { mark: 'good' }),
      details({
        move: done.move,
        'family now': done.to,
        rows: done.tables.reduce((sum, { moves }) => sum + moves, 0),
        'way back': plan.kind === 'undo' ? undefined : back,
        'in the log': commandLine(['audit', 'query', '--request', done.move]),
      }),
    ],
    next: commandLine(['family', 'show', done.to]),
  };
}

const DONE: Record<MovePlan['kind'], (plan: MovePlan) => string> = {
  merge: ({ from, to }) => `${from.name} is part of ${to.name} now.`,
  split: ({ to }) => `${to.name} is a family of its own now.`,
  child: ({ children, to }) => `${children[0]?.name ?? 'The child'} lives in ${to.name} now.`,
  undo: ({ to }) => `What was moved is in ${to.name} again.`,
};

const TABLE_COLUMNS: readonly Column<MoveTable>[] = [
  { name: 'table', value: ({ table: name }) => short(name) },
  { name: 'has', value: ({ rows }) => rows, align: 'right' },
  { name: 'moves', value: ({ moves }) => moves, align: 'right', keep: true },
  { name: 'copied', value: ({ copies }) => copies, align: 'right' },
  { name: 'goes back', value: ({ goes_back }) => goes_back, align: 'right' },
];

const SHARED_COLUMNS: readonly Column<SharedRow & { readonly name: string }>[] = [
  { name: 'table', value: ({ name }) => short(name) },
  { name: 'row', value: ({ key }) => key, keep: true },
  { name: 'what', value: ({ what }) => what },
  {
    name: 'decision',
    value: ({ choice }) => (choice === 'open' ? toned('bad', 'to be decided') : choice),
    keep: true,
  },
];

const CONFLICT_COLUMNS: readonly Column<MovePlan['conflicts'][number]>[] = [
  { name: 'table', value: ({ table: name }) => short(name) },
  { name: 'row', value: ({ key }) => key, keep: true },
  { name: 'comes', value: ({ what }) => what },
  { name: 'is there', value: ({ other }) => other },
  {
    name: 'decision',
    value: ({ choice }) => (choice === null ? toned('bad', 'to be decided') : choice),
    keep: true,
  },
];

const PERSON_COLUMNS: readonly Column<MovePerson>[] = [
  { name: 'e-mail', value: ({ email }) => email },
  { name: 'gives', value: ({ from_before, from_after }) => arrow(from_before, from_after) },
  { name: 'receives', value: ({ to_before, to_after }) => arrow(to_before, to_after) },
  {
    name: 'children',
    value: ({ more_children, fewer_children }) =>
      [more_children > 0 ? `+${more_children}` : '', fewer_children > 0 ? `−${fewer_children}` : '']
        .join(' ')
        .trim() || null,
    keep: true,
  },
  { name: 'newly reads', value: ({ newly_reads }) => newly_reads.join(' ') || null },
  { name: 'no longer', value: ({ no_longer_reads }) => no_longer_reads.join(' ') || null },
];

const short = (name: string) => name.replace(/^public\./, '');
const family = ({ id, name }: MoveFamily) => (id === null ? `${name} (new)` : `${name} ${id}`);
const arrow = (before: string | null, after: string | null) =>
  before === after ? before : `${before ?? '–'} → ${after ?? '–'}`;

function changes(person: MovePerson): boolean {
  const { more_children, fewer_children, newly_reads, no_longer_reads } = person;
  return (
    more_children + fewer_children + newly_reads.length + no_longer_reads.length > 0 ||
    person.from_before !== person.from_after ||
    person.to_before !== person.to_after
  );
}

interface Choice {
  readonly table?: string | null;
  readonly key?: string | null;
  readonly who?: string;
  readonly choice: string;
}

/** Decisions as the flags that say them. */
export function choiceWords(choices: Readonly<Record<string, readonly Choice[]>>): string[] {
  return Object.entries(choices).flatMap(([flag, list]) =>
    list.flatMap(({ table: name, key, who, choice }) => {
      const what = who ?? [name ?? 'all', ...(key == null ? [] : [key])].join(':');
      return [`--${flag}`, `${what}=${choice}`];
    }),
  );
}
