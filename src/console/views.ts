import type { Tone } from './colour.js';

/**
 * Views are plain data: what to show, never how. The renderer makes everything in them harmless, colours it
 * where the terminal wants colour, and fits it to its width.
 */
export type View = TableView | DetailsView | TreeView | BarsView | TextView | HeadingView;

export type Plain = string | number | bigint | boolean | Date | null | undefined;
export interface Toned {
  readonly value: Plain;
  readonly tone: Tone;
}
export type Cell = Plain | Toned;
/** A value for programs: ids whole, times as Date, several values as an array. */
export type Raw = Plain | readonly unknown[] | Readonly<Record<string, unknown>>;

/** A column of a list; `Sort` is what the list's operation calls the columns that it can sort by. */
export interface Column<Row, Sort extends string = never> {
  /** The heading, the name for `--columns` and `--sort`, and the key in CSV and NDJSON. */
  readonly name: string;
  readonly value: (row: Row) => Cell;
  /** For programs, where `value` is shortened or put together for people; `value` when absent. */
  readonly raw?: (row: Row) => Raw;
  /** Where a list that comes in pages can be sorted by it as a whole. */
  readonly sort?: Sort;
  readonly align?: 'right';
  /** Shown on any terminal; the first column always is. */
  readonly keep?: boolean;
  /** Only shown when named in `--columns`. */
  readonly extra?: boolean;
}

interface TableColumn {
  readonly name: string;
  readonly align: 'left' | 'right';
  readonly keep: boolean;
  readonly extra: boolean;
}

export interface TableView {
  readonly kind: 'table';
  readonly columns: readonly TableColumn[];
  readonly rows: readonly (readonly Cell[])[];
  /** The same rows for programs. */
  readonly raw: readonly (readonly Raw[])[];
  readonly empty: string;
}
export interface DetailsView {
  readonly kind: 'details';
  readonly entries: readonly (readonly [label: string, value: Cell])[];
}
export interface TreeNode {
  readonly text: string;
  readonly mark?: Mark;
  /** A remark after the text, such as why a fact is missing. */
  readonly note?: string;
  readonly children?: readonly TreeNode[];
}
export interface TreeView {
  readonly kind: 'tree';
  readonly nodes: readonly TreeNode[];
}
export interface BarsView {
  readonly kind: 'bars';
  readonly bars: readonly { readonly label: string; readonly value: number; readonly text?: string }[];
}
export interface TextView {
  readonly kind: 'text';
  readonly text: string;
  readonly mark?: Mark;
  readonly tone?: Tone;
}
export interface HeadingView {
  readonly kind: 'heading';
  readonly text: string;
}

export type Mark = 'good' | 'bad' | 'warn' | 'unknown' | 'none';

/** Rows under headings. `empty` is what stands there when there are none. */
export function table<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row, string>[],
  empty: string,
): TableView {
  return {
    kind: 'table',
    empty,
    columns: columns.map(
      ({ name, align, keep = false, extra = false }): TableColumn => ({
        name,
        align: align ?? 'left',
        keep,
        extra,
      }),
    ),
    rows: rows.map((row) => columns.map((column) => column.value(row))),
    raw: rows.map((row) => columns.map((column) => rawValue(column, row))),
  };
}

/** What a program gets of a column. */
export function rawValue<Row>(column: Column<Row, string>, row: Row): Raw {
  if (column.raw !== undefined) return column.raw(row);
  const cell = column.value(row);
  return isToned(cell) ? cell.value : cell;
}

export function isToned(cell: Cell): cell is Toned {
  return typeof cell === 'object' && cell !== null && !(cell instanceof Date);
}

/** Labels and values, one a line; undefined values are left out. */
export function details(entries: Readonly<Record<string, Cell>>): DetailsView {
  return { kind: 'details', entries: Object.entries(entries).filter(([, value]) => value !== undefined) };
}

export function tree(...nodes: readonly TreeNode[]): TreeView {
  return { kind: 'tree', nodes };
}

/** A bar chart on its side; `text` stands for the bare number. */
export function bars(rows: BarsView['bars']): BarsView {
  return { kind: 'bars', bars: rows };
}

export function text(line: string, options: { readonly mark?: Mark; readonly tone?: Tone } = {}): TextView {
  return { kind: 'text', text: line, ...options };
}

export function heading(line: string): HeadingView {
  return { kind: 'heading', text: line };
}

/** A table under its heading; nothing where it has no rows. */
export function listed<Row>(title: string, rows: readonly Row[], columns: readonly Column<Row>[]): View[] {
  return rows.length === 0 ? [] : [heading(title), table(rows, columns, '')];
}

export function toned(tone: Tone, value: Plain): Toned {
  return { value, tone };
}
