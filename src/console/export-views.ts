import { type Column, details, listed, type TableView, table, text, type View } from './views.js';

interface PlannedTable {
  readonly table: string;
  readonly rows: number;
  readonly columns: readonly string[];
  readonly severances: number | null;
  readonly entered: number;
  readonly withheld_columns: readonly { readonly column: string; readonly why: string }[];
  readonly withheld_rows: readonly { readonly rows: number; readonly why: string }[];
}

export interface Plan {
  readonly person: string;
  readonly language: string;
  readonly rows: number;
  readonly tables: readonly PlannedTable[];
  readonly aliases: readonly { readonly alias: string; readonly times: number }[] | null;
}

export const EXPORT_COLUMNS: readonly Column<PlannedTable>[] = [
  { name: 'table', value: ({ table: name }) => name, keep: true },
  { name: 'rows', value: ({ rows }) => rows, align: 'right', keep: true },
  { name: 'columns', value: ({ columns }) => columns.length, align: 'right' },
  { name: 'others replaced', value: ({ severances }) => severances, align: 'right' },
  {
    name: 'rows withheld',
    value: ({ withheld_rows: withheld }) => withheld.reduce((sum, { rows }) => sum + rows, 0),
    align: 'right',
  },
  { name: 'columns withheld', value: ({ withheld_columns: withheld }) => withheld.length, align: 'right' },
  { name: 'entered', value: ({ entered }) => entered, align: 'right', extra: true },
];

/** One row a table. */
export function exportTable({ tables }: Pick<Plan, 'tables'>): TableView {
  return table(tables, EXPORT_COLUMNS, 'The data map exports nothing.');
}

/** What a package would hold, and what not and why. */
export function exportViews({ person, language, rows, tables, aliases }: Plan, overview: TableView): View[] {
  const withheldRows = tables.flatMap((one) =>
    one.withheld_rows.map((each) => ({ table: one.table, ...each })),
  );
  const columns = tables.flatMap((one) =>
    one.withheld_columns
      .filter(({ why }) => why !== 'says nothing of anybody')
      .map((each) => ({ name: `${one.table}.${each.column}`, why: each.why })),
  );
  return [
    details({ person, language, rows }),
    overview,
    ...listed('Rows withheld', withheldRows, [
      { name: 'table', value: (one) => one.table },
      { name: 'rows', value: (one) => one.rows, align: 'right' },
      { name: 'why', value: ({ why }) => why, keep: true },
    ]),
    ...listed('Columns withheld', columns, [
      { name: 'column', value: ({ name }) => name },
      { name: 'why', value: ({ why }) => why, keep: true },
    ]),
    ...listed('Others, each under one name', aliases ?? [], [
      { name: 'alias', value: ({ alias }) => alias },
      { name: 'times', value: ({ times }) => times, align: 'right' },
    ]),
  ];
}

export interface Judged {
  readonly proven?: {
    readonly kid: string;
    readonly record: {
      readonly chain: string;
      readonly number: number;
      readonly made_at: string;
      readonly made_by: string;
      readonly content: Readonly<Record<string, unknown>>;
    };
  };
  readonly refused?: { readonly kind: string; readonly detail: string };
  readonly unchecked?: string;
}

/** What a package turned out to be. */
export function verifiedViews({ proven, refused, unchecked }: Judged): View[] {
  if (unchecked !== undefined) return [text(unchecked, { mark: 'unknown' })];
  if (proven === undefined) return [text(`${refused?.kind}: ${refused?.detail}`, { mark: 'bad' })];
  const { record, kid } = proven;
  const { request, files, rows, severances } = record.content;
  return [
    details({
      request: String(request),
      made: record.made_at,
      by: record.made_by,
      files: Number(files),
      rows: Number(rows),
      'others replaced': Number(severances),
      record: `${record.chain}/${record.number}`,
      key: kid,
    }),
    text('Every byte is as it was signed.', { mark: 'good' }),
  ];
}

/** A package that was written. */
export function createdViews(
  created: {
    readonly request: string;
    readonly files: number;
    readonly rows: number;
    readonly severances: number;
    readonly package_sha256: string;
    readonly evidence: string;
    readonly encrypted: {
      readonly recipients: readonly string[] | null;
      readonly sha256: string;
      readonly evidence: string;
    } | null;
  },
  file: string,
): View[] {
  const { encrypted } = created;
  return [
    text(`${file} answers ${created.request}: ${created.rows} rows in ${created.files} files.`, {
      mark: 'good',
    }),
    details({
      'others replaced': created.severances,
      sha256: created.package_sha256,
      evidence: created.evidence,
      ...(encrypted === null
        ? {}
        : {
            'encrypted to': encrypted.recipients?.join(' ') ?? 'a passphrase, which is kept nowhere',
            'sha256 of the file': encrypted.sha256,
            'evidence of it': encrypted.evidence,
          }),
    }),
  ];
}
