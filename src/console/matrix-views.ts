import { type Column, heading, type Cell as Shown, table, text, toned, type View } from './views.js';

type Command = 'select' | 'insert' | 'update' | 'delete';
type Cell = 'all' | 'own' | 'today' | 'today_own' | 'self' | 'some' | 'none' | 'unknown';
type Cells = Readonly<Record<Command, Cell>>;

interface Matrix {
  readonly members: readonly {
    readonly user_id: string;
    readonly email: string;
    readonly role: string;
    readonly status: string;
  }[];
  readonly tables: readonly string[];
  readonly lines: readonly {
    readonly user_id: string;
    readonly table: string;
    readonly cells: Cells;
    readonly planned: Cells | null;
  }[];
  readonly planned: readonly { readonly user_id: string; readonly role: string }[];
}

const COMMANDS = ['select', 'insert', 'update', 'delete'] as const;
const LETTERS: Readonly<Record<Cell, string>> = {
  all: 'A',
  own: 'o',
  today: 't',
  today_own: 'm',
  self: 's',
  some: 'x',
  none: '-',
  unknown: '?',
};
const LEGEND = [
  'Each cell: select, insert, update, delete.',
  'A all rows · o their own · t those of today · m their own of today',
  's about themselves · x some others · - none · ? could not be decided',
];

interface Row {
  readonly member: string;
  readonly user: string;
  readonly role: string;
  readonly table: string;
  readonly cells: Cells;
  readonly planned: Cells | null;
}

export const MATRIX_COLUMNS: readonly Column<Row>[] = [
  { name: 'member', value: ({ member }) => member },
  { name: 'user', value: ({ user }) => user },
  { name: 'role', value: ({ role }) => role },
  { name: 'table', value: ({ table }) => table },
  ...COMMANDS.map((command): Column<Row> => ({ name: command, value: ({ cells }) => cells[command] })),
  ...COMMANDS.map(
    (command): Column<Row> => ({
      name: `planned ${command}`,
      value: ({ planned }) => planned?.[command] ?? null,
    }),
  ),
];

/** One row a member and table, with the whole word for each command. */
export function matrixRows({ members, lines }: Matrix) {
  const rows = lines.map(({ user_id, table, cells, planned }): Row => {
    const member = members.find((one) => one.user_id === user_id);
    return { member: member?.email ?? '', user: user_id, role: member?.role ?? '', table, cells, planned };
  });
  return table(rows, MATRIX_COLUMNS, 'No members.');
}

/** Tables down, members across under short names, and under it who they are, what letters mean and what would change. */
export function matrixViews(matrix: Matrix): View[] {
  const { members, tables, lines, planned } = matrix;
  const names = shortNames(members.map(({ email }) => email));
  const cellsOf = (user: string, name: string, after: boolean) => {
    const line = lines.find((one) => one.user_id === user && one.table === name);
    return after ? (line?.planned ?? line?.cells) : line?.cells;
  };
  const grid = (after: boolean) =>
    table(
      tables,
      [
        { name: 'table', value: (name: string) => name, keep: true },
        ...members.map(
          ({ user_id }, at): Column<string> => ({
            name: names[at] as string,
            value: (name) =>
              letters(cellsOf(user_id, name, after), after ? cellsOf(user_id, name, false) : undefined),
            keep: true,
          }),
        ),
      ],
      'No tables.',
    );
  const people = table(
    members.map((member, at) => ({ ...member, name: names[at] as string })),
    [
      { name: 'name', value: ({ name }) => name, keep: true },
      { name: 'member', value: ({ email }) => email },
      { name: 'role', value: ({ role }) => role, keep: true },
      {
        name: 'status',
        value: ({ status }) => (status === 'active' ? status : toned('bad', status)),
        keep: true,
      },
    ],
    'No members.',
  );
  const changes = lines.flatMap(({ user_id, table: name, cells, planned: then }) =>
    COMMANDS.filter((command) => then !== null && then[command] !== cells[command]).map((command) => ({
      who: names[members.findIndex((one) => one.user_id === user_id)] ?? '',
      what: `${command} ${name}`,
      from: cells[command],
      to: then?.[command] ?? 'unknown',
    })),
  );
  return [
    grid(false),
    people,
    ...LEGEND.map((line) => text(line, { tone: 'muted' })),
    ...(planned.length === 0
      ? []
      : [
          heading(
            `With ${planned.map(({ user_id, role }) => `${emailOf(matrix, user_id)} as ${role}`).join(', ')}`,
          ),
          grid(true),
          table(
            changes,
            [
              { name: 'name', value: ({ who }) => who, keep: true },
              { name: 'what', value: ({ what }) => what, keep: true },
              { name: 'now', value: ({ from }) => from, keep: true },
              { name: 'then', value: ({ to }) => toned(to === 'none' ? 'bad' : 'good', to), keep: true },
            ],
            'Nothing would change.',
          ),
        ]),
  ];
}

const emailOf = ({ members }: Matrix, user: string) =>
  members.find((one) => one.user_id === user)?.email ?? user;

function letters(cells: Cells | undefined, before: Cells | undefined): Shown {
  if (cells === undefined) return '????';
  const word = COMMANDS.map((command) => LETTERS[cells[command]]).join('');
  if (word.includes('?')) return toned('unknown', word);
  return before !== undefined && COMMANDS.some((command) => cells[command] !== before[command])
    ? toned('warn', word)
    : word;
}

/** Four characters of each address before its @, with a number where two are alike. */
function shortNames(emails: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return emails.map((email) => {
    const start = [...(email.split('@')[0] ?? '').replace(/[^\p{L}\p{N}]/gu, '')]
      .slice(0, 4)
      .join('')
      .toUpperCase();
    const turn = (seen.get(start) ?? 0) + 1;
    seen.set(start, turn);
    return turn === 1 && start !== ''
      ? start
      : `${[...start].slice(0, 4 - String(turn).length).join('')}${turn}`;
  });
}
