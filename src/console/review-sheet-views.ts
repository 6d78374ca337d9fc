import { EXPORT_COLUMNS, exportTable, exportViews, type Plan } from './export-views.js';
import { type Column, details, heading, type TableView, table, text, type View } from './views.js';

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

/** What the package gives and withholds, and both views of it; all there is of a child is its plan. */
export function reviewViews(review: Review, rows: TableView): View[] {
  const { person, language, rows: given, tables: planned, views } = review;
  if (views === null)
    return [
      ...exportViews(review, rows),
      text('A child has no account: it sees nothing in the app, and there is no second view.', {
        mark: 'none',
      }),
    ];
  const { tables, reasons } = views;
  const say = (why: string) => reasons[why] ?? why;
  const severances = planned.reduce((sum, one) => sum + (one.severances ?? 0), 0);
  const withheld = planned.flatMap((one) =>
    one.withheld_rows.map((each) => ({ ...each, table: one.table, family: null })),
  );
  return [
    details({ person, language, rows: given, 'others replaced': severances }),
    ...listed('Withheld, seen or not', withheld),
    heading('Both views'),
    table(
      tables.filter((one) => one.given > 0 || (one.seen ?? 0) > 0),
      COMPARED,
      'Nothing is given and nothing is seen.',
    ),
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

interface Listed extends Difference {
  readonly table: string;
}

function listed(title: string, rows: readonly Listed[]): View[] {
  if (rows.length === 0) return [];
  return [
    heading(title),
    table(
      rows,
      [
        { name: 'table', value: (one) => one.table },
        { name: 'rows', value: (one) => one.rows, align: 'right' },
        ...(rows.some(({ family }) => family !== null)
          ? [{ name: 'family', value: ({ family }: Listed) => family }]
          : []),
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
