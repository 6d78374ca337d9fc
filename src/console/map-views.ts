import { type Column, heading, type TableView, table, toned, type View } from './views.js';

interface Answer {
  readonly table: string;
  readonly column: string;
  readonly whose: string;
  readonly subject: string | null;
  readonly category: string | null;
  readonly origin: string | null;
  readonly purpose: string;
  readonly retention: string;
  readonly erasure: string;
  readonly obligation: string | null;
  readonly exported: boolean;
  readonly withheld: string | null;
}

interface Path {
  readonly table: string;
  readonly path: string;
  readonly via: string;
  readonly subject: string | null;
  readonly whose: string | null;
  readonly columns: readonly string[];
  readonly to_table: string;
  readonly to_columns: readonly string[];
  readonly compares: string;
}

export const ANSWER_COLUMNS: readonly Column<Answer>[] = [
  { name: 'table', value: ({ table: name }) => name },
  { name: 'column', value: ({ column }) => column, keep: true },
  { name: 'whose', value: ({ whose }) => (whose === 'operational' ? toned('muted', whose) : whose) },
  { name: 'subject', value: ({ subject }) => subject },
  { name: 'category', value: ({ category }) => category },
  { name: 'origin', value: ({ origin }) => origin },
  { name: 'purpose', value: ({ purpose }) => purpose },
  { name: 'retention', value: ({ retention }) => retention },
  {
    name: 'erasure',
    value: ({ erasure, obligation }) => (obligation === null ? erasure : `${erasure}: ${obligation}`),
    raw: ({ erasure }) => erasure,
    keep: true,
  },
  { name: 'obligation', value: ({ obligation }) => obligation, extra: true },
  { name: 'exported', value: ({ exported }) => exported },
  { name: 'withheld', value: ({ withheld }) => withheld, extra: true },
];

/** Every column with its answers, one row each. */
export function answerTable(answers: readonly Answer[]): TableView {
  return table(answers, ANSWER_COLUMNS, 'The data map is empty.');
}

/** One row a table: whom it is about, what erasing them does to it, and how many of its columns a package holds. */
export function mapTable(answers: readonly Answer[]): TableView {
  const tables = [...new Set(answers.map((one) => one.table))].map((name) => ({
    name,
    columns: answers.filter((one) => one.table === name),
  }));
  const said = (columns: readonly Answer[], of: (answer: Answer) => string | null) =>
    [...new Set(columns.map(of).filter((word) => word !== null && word !== 'none'))].join(' ');
  return table(
    tables,
    [
      { name: 'table', value: ({ name }) => name, keep: true },
      { name: 'columns', value: ({ columns }) => columns.length, align: 'right' },
      {
        name: 'about',
        value: ({ columns }) => said(columns, (one) => one.subject) || toned('muted', 'nobody'),
      },
      { name: 'erasure', value: ({ columns }) => said(columns, (one) => one.erasure) },
      { name: 'kept for', value: ({ columns }) => said(columns, (one) => one.retention) },
      {
        name: 'exported',
        value: ({ columns }) => columns.filter((one) => one.exported).length,
        align: 'right',
      },
    ],
    'The data map is empty.',
  );
}

/** How the rows of a table are reached from persons. */
export function pathViews(paths: readonly Path[]): View[] {
  const columns: readonly Column<Path>[] = [
    { name: 'from', value: ({ subject }) => subject ?? toned('muted', 'nobody') },
    { name: 'via', value: ({ via }) => via },
    { name: 'columns', value: (path) => path.columns.join(' '), keep: true },
    { name: 'to', value: (path) => `${path.to_table} (${path.to_columns.join(' ')})` },
    { name: 'compares', value: ({ compares }) => compares },
    { name: 'rows are', value: ({ whose }) => whose },
  ];
  return [heading('Reached from'), table(paths, columns, 'No path: it holds nobody, and points at nothing.')];
}
