import { EXPORT_COLUMNS, exportTable, exportViews, type Plan } from './export-views.js';
import { type Column, heading, type TableView, table, text, type View } from './views.js';

interface Difference {
  readonly rows: number;
  readonly why: string;
  readonly family: string | null;
}

interface Compared {
  readonly table: string;
  readonly app: 'rows' | 'view' | 'none';
  readonly given: number;
  readonly seen: number | null;
  readonly unseen: readonly Difference[];
  readonly beyond: readonly Difference[];
  readonly columns: {
    readonly unseen: readonly string[];
    readonly beyond: readonly { readonly column: string; readonly why: string }[];
    readonly partly: readonly { readonly column: string; readonly rows: number }[];
  };
}

interface Review extends Plan {
  readonly views: {
    readonly tables: readonly Compared[];
    readonly both: number;
    readonly unseen: number;
    readonly not_in_app: number;
    readonly beyond: number;
    readonly unconnected: number;
    readonly reasons: Readonly<Record<string, string>>;
  } | null;
}

const total = (differences: readonly Difference[]) => differences.reduce((sum, { rows }) => sum + rows, 0);

const COMPARED: readonly Column<Compared>[] = [
  { name: 'table', value: ({ table: name }) => name, keep: true },
  { name: 'given', value: ({ given }) => given, align: 'right', keep: true },
  { name: 'seen', value: ({ app, seen }) => (app === 'none' ? null : seen), align: 'right', keep: true },
  { name: 'given, unseen', value: ({ unseen }) => total(unseen), align: 'right', keep: true },
  { name: 'seen, not given', value: ({ beyond }) => total(beyond), align: 'right', keep: true },
  { name: 'columns unseen', value: ({ columns }) => columns.unseen.length, align: 'right' },
  { name: 'columns not given', value: ({ columns }) => columns.beyond.length, align: 'right' },
];

/** Names of columns, whatever the subject of the sheet: a child's has those of the plan. */
export const REVIEW_COLUMNS: readonly Pick<Column<never>, 'name' | 'sort'>[] = [
  ...new Map([...COMPARED, ...EXPORT_COLUMNS].map(({ name }) => [name, { name }])).values(),
];

/** One row a table; of a child's sheet, as of its plan. */
export function reviewTable(review: Review): TableView {
  return review.views === null
    ? exportTable(review)
    : table(review.views.tables, COMPARED, 'Nothing is exported and nothing is shown.');
}

/** The plan, and both views of what it gives. */
export function reviewViews(review: Review, rows: TableView): View[] {
  const { views } = review;
  const plan = exportViews(review, exportTable(review));
  if (views === null)
    return [
      ...plan,
      text('A child has no account: it sees nothing in the app, and there is no second view.', {
        mark: 'none',
      }),
    ];
  const { tables, reasons } = views;
  const say = (why: string) => reasons[why] ?? why;
  return [
    ...plan,
    heading('Both views'),
    rows,
    ...listed(
      'Given, and unseen by the person in the app',
      tables.flatMap((one) =>
        one.unseen
          .filter(({ why }) => why !== 'not_in_app')
          .map((each) => ({ ...each, table: one.table, why: say(each.why) })),
      ),
    ),
    ...listed(
      'Seen by the person in the app, and not given',
      tables.flatMap((one) => one.beyond.map((each) => ({ ...each, table: one.table, why: say(each.why) }))),
    ),
    ...columnViews(tables),
    ...verdictViews(views),
  ];
}

function listed(
  title: string,
  rows: readonly { table: string; rows: number; family: string | null; why: string }[],
): View[] {
  if (rows.length === 0) return [];
  return [
    heading(title),
    table(
      rows,
      [
        { name: 'table', value: (one) => one.table },
        { name: 'rows', value: (one) => one.rows, align: 'right' },
        { name: 'family', value: ({ family }) => family },
        { name: 'why', value: ({ why }) => why, keep: true },
      ],
      '',
    ),
  ];
}

function columnViews(tables: readonly Compared[]): View[] {
  const columns = tables.flatMap(({ table: name, columns: { unseen, beyond, partly } }) => [
    ...unseen.map((column) => ({
      name: `${name}.${column}`,
      what: 'given, unseen',
      why: 'members may not read it',
    })),
    ...beyond
      .filter(({ why }) => why !== 'says nothing of anybody')
      .map(({ column, why }) => ({ name: `${name}.${column}`, what: 'seen, not given', why })),
    ...partly.map(({ column, rows }) => ({
      name: `${name}.${column}`,
      what: `seen, not given in ${rows} ${rows === 1 ? 'row' : 'rows'}`,
      why: 'there it is about somebody else (PIPEDA s. 9(1))',
    })),
  ]);
  if (columns.length === 0) return [];
  return [
    heading('Columns'),
    table(
      columns,
      [
        { name: 'column', value: ({ name }) => name },
        { name: 'difference', value: ({ what }) => what },
        { name: 'why', value: ({ why }) => why, keep: true },
      ],
      '',
    ),
  ];
}

function verdictViews({
  both,
  unseen,
  not_in_app,
  beyond,
  unconnected,
}: NonNullable<Review['views']>): View[] {
  const outside = `${count(not_in_app)} more of what the app never shows`;
  const same = unseen === 0 && beyond === 0;
  return [
    text(
      same
        ? `Of the tables that the app shows the package gives the very rows that the person sees: ${both}; and ${outside}.`
        : `Given and seen: ${count(both)}. Given and unseen: ${unseen}, and ${outside}. Seen and not given: ${beyond}.`,
      { mark: same ? 'good' : 'none' },
    ),
    ...(unconnected === 0
      ? []
      : [
          text(`${count(unconnected)} that the person sees, the data map connects with them in no way.`, {
            mark: 'bad',
          }),
        ]),
  ];
}

const count = (rows: number) => `${rows} ${rows === 1 ? 'row' : 'rows'}`;
