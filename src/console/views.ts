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

export interface Column<Row> {
  /** The heading, and the name for `--columns`. */
  readonly name: string;
  readonly value: (row: Row) => Cell;
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
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[], empty: string): TableView {
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
  };
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

export function toned(tone: Tone, value: Plain): Toned {
  return { value, tone };
}
