import {
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

interface Family {
  readonly family_id: string;
  readonly role: string;
  readonly status: string;
  readonly fate: string;
  readonly why: string;
  readonly members: number;
  readonly children: number;
}

interface Step {
  readonly table: string;
  readonly rows_of: string;
  readonly does?: string;
  readonly rows?: number;
  readonly columns?: readonly string[];
  readonly obligations?: readonly string[];
}

interface Plan {
  readonly request: string;
  readonly person: string;
  readonly families: readonly Family[];
  readonly steps: readonly Step[];
  readonly outside: readonly {
    readonly recipient: string;
    readonly about: string;
    readonly columns: readonly string[];
  }[];
  readonly gates: readonly { readonly gate: string; readonly why: string; readonly next: string }[];
  readonly hash: string;
}

const FATES: Readonly<Record<string, string>> = {
  alone: 'nobody else is in it',
  another_guardian: 'nobody else is in it, but a guardian of record may ask for its child',
  left: 'they left it before',
  last_core: 'they are its last family_core: transfer it first, or escalate',
  others: 'others are in it',
};
const ROWS_OF: Readonly<Record<string, string>> = {
  own: 'the person',
  gone: 'a family that goes',
  named: 'others, naming them',
  spelled: 'others, naming them in words',
  entered: 'others, entered by them',
  household: 'a family that stays',
};
const DOES: Readonly<Record<string, string>> = {
  delete: 'deleted',
  anonymize: 'anonymized',
  sever: 'severed',
  keep: 'kept',
  stay: 'stays',
};

const FAMILY_COLUMNS: readonly Column<Family>[] = [
  { name: 'family', value: ({ family_id }) => family_id },
  { name: 'role', value: ({ role }) => role },
  { name: 'others', value: ({ members }) => members, align: 'right' },
  { name: 'children', value: ({ children }) => children, align: 'right' },
  {
    name: 'fate',
    value: ({ fate }) =>
      fate === 'decide' ? toned('bad', fate) : fate === 'goes' ? toned('warn', fate) : fate,
    raw: ({ fate }) => fate,
    keep: true,
  },
  { name: 'why', value: ({ why }) => FATES[why] ?? why, raw: ({ why }) => why },
];

export const STEP_COLUMNS: readonly Column<Step>[] = [
  { name: 'table', value: ({ table: name }) => name, keep: true },
  { name: 'rows of', value: ({ rows_of }) => ROWS_OF[rows_of] ?? rows_of, raw: ({ rows_of }) => rows_of },
  {
    name: 'becomes',
    value: ({ does }) => (does === undefined ? toned('unknown', 'unread') : (DOES[does] ?? does)),
    raw: ({ does }) => does,
    keep: true,
  },
  { name: 'rows', value: ({ rows }) => rows, align: 'right', keep: true },
  {
    name: 'columns',
    value: ({ columns = [] }) =>
      columns.length > 3 ? `${columns.length} of them` : columns.join(' ') || null,
    raw: ({ columns }) => columns,
  },
  {
    name: 'kept under',
    value: ({ obligations }) => obligations?.join(' '),
    raw: ({ obligations }) => obligations,
  },
];

/** One row for what happens to rows of one kind of a table. */
export function stepTable({ steps }: Pick<Plan, 'steps'>): TableView {
  return table(steps, STEP_COLUMNS, 'Nothing of them is held.');
}

/** What an erasure would do, and what stands against it. */
export function erasureViews(
  { request, person, families, outside, gates, hash }: Plan,
  steps: TableView,
): View[] {
  return [
    details({ request, person, plan: hash }),
    ...listed('Families', families, FAMILY_COLUMNS),
    heading('Rows'),
    steps,
    ...listed('Who else has data of theirs from us', outside, [
      { name: 'recipient', value: ({ recipient }) => recipient },
      { name: 'who', value: ({ about }) => about },
      { name: 'of', value: ({ columns }) => columns.join(' '), keep: true },
    ]),
    ...(gates.length === 0 ? [] : [heading('What stands against it')]),
    ...gates.map(({ why, next }) => text(`${why}: ${next}`, { mark: 'bad' })),
    ...(gates.length === 0 ? [text('Nothing stands against it now.', { mark: 'good' })] : []),
  ];
}
