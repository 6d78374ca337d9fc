import { type Column, details, type Raw, type TableView, table, text, type View } from './views.js';

interface WritePlan {
  readonly command: string;
  readonly table: string;
  readonly changeable: number | null;
  readonly rows: number;
  readonly touched: readonly { readonly table: string; readonly operation: string; readonly rows: number }[];
  readonly outward: readonly {
    readonly table: string;
    readonly trigger: string;
    readonly by: string;
    readonly undone: boolean;
  }[];
}

/** What a query gave back: as a table, and as objects by column. */
export function impersonationTable(
  columns: readonly string[],
  rows: readonly (readonly unknown[])[],
  empty: string,
): { readonly table: TableView; readonly objects: readonly Readonly<Record<string, unknown>>[] } {
  const shown = columns.map(
    (name, at): Column<readonly unknown[]> => ({
      name,
      keep: true,
      value: (row) => plain(row[at]),
      raw: (row) => raw(row[at]),
    }),
  );
  const objects = rows.map((row) => Object.fromEntries(columns.map((name, at) => [name, raw(row[at])])));
  return { table: table(rows, shown, empty), objects };
}

/** What a write would touch; what calls out of the database comes first. */
export function writePlanViews(user: string, plan: WritePlan): View[] {
  const { command, table: name, changeable, rows, touched, outward } = plan;
  const others = touched.filter(
    ({ table: other, operation }) => operation !== command || !name.includes(other.split('.').at(-1) ?? ''),
  );
  return [
    ...outward.map(({ trigger, table: on, by, undone }) =>
      text(`trigger ${trigger} of ${on} calls out (${by})${undone ? ', undone with the trial' : ''}`, {
        mark: 'warn',
      }),
    ),
    details({
      as: user,
      statement: `${command.toUpperCase()} on ${name}`,
      touches:
        changeable === null
          ? `${rows} rows`
          : `${rows} of the ${changeable} rows that they may ${command} there`,
      'and with them':
        others.map((one) => `${one.operation} ${one.rows} of ${one.table}`).join(', ') || undefined,
      'found by': 'running it as them and undoing it',
    }),
  ];
}

function raw(value: unknown): Raw {
  return Buffer.isBuffer(value) ? `\\x${value.toString('hex')}` : (value as Raw);
}

function plain(value: unknown) {
  const safe = raw(value);
  return typeof safe === 'object' && safe !== null && !(safe instanceof Date)
    ? JSON.stringify(safe)
    : (safe as Exclude<Raw, object>);
}
