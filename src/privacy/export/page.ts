import type { Block, Language, Report, Section, Value, Words } from '../../evidence/index.js';
import { accountCodes, accountSection, type Turn } from './account-sections.js';
import type { Charts } from './charts.js';
import type { Group } from './groups.js';
import { describeTable, type PackageFacts } from './manifest.js';
import type { Origin, PackageColumn, PackageTable } from './package-tables.js';
import { PLACES, placeWords } from './residency-words.js';
import { columnName, ORIGIN_NAMES, PAGE, tableName, whyWords } from './words.js';

/** So many rows of a table are shown on the page; the files have all of them. */
export const SHOWN_ROWS = 50;
/** More columns than this are read better one below the other. */
const SIDE_BY_SIDE = 6;

/** The first rows of a file, for the page. */
export interface Preview {
  readonly group: Group;
  readonly rows: (readonly (string | null | undefined)[])[];
  /** Of the whole file. */
  count: number;
  /** Of an account: rows of a kind added up. */
  readonly turns: Map<string, Turn>;
}

export interface PageContent {
  readonly facts: PackageFacts;
  readonly tables: readonly PackageTable[];
  readonly previews: readonly Preview[];
  readonly aliases: ReadonlyMap<string, number>;
  readonly charts: Charts;
}

/** The package as a person reads it. */
export function packagePage(content: PageContent): Report {
  const { facts, tables, previews, charts } = content;
  const full = tables.filter(({ table }) => previews.some(({ group }) => group.table.table === table));
  const accounts = facts.kind === 'portability' ? [] : tables.flatMap(({ account }) => account ?? []);
  return {
    title: facts.subject_kind === 'child' ? PAGE.childTitle : PAGE.title,
    lead: PAGE.lead(facts.request),
    sections: [
      {
        heading: PAGE.about,
        blocks: [
          { kind: 'text', text: facts.subject_kind === 'child' ? PAGE.childExplain : PAGE.ownExplain },
          { kind: 'text', text: PAGE.explain },
          ...(facts.kind === 'portability' ? [{ kind: 'text', text: PAGE.portable } as const] : []),
          {
            kind: 'facts',
            facts: [
              [PAGE.madeAt, new Date(facts.made_at)],
              [PAGE.request, facts.request],
              ...facts.residency.map(
                (place) => [PLACES[place.place], placeWords(place)[facts.language]] as const,
              ),
              ...(facts.archived_months.length > 0
                ? [[PAGE.archived, facts.archived_months.join(', ')] as const]
                : []),
            ],
          },
          overview(full, facts.language),
        ],
      },
      ...charts.section(facts.zone),
      ...full.filter(({ account }) => account === undefined).map((table) => section(table, previews)),
      ...accounts.map((account) =>
        accountSection(
          account,
          previews.find(({ group }) => group.table.account === account),
          facts,
        ),
      ),
      ...(accounts.length > 0 ? [accountCodes(facts)] : []),
      withheld(tables, facts.language),
      others(content),
    ],
    foot: PAGE.verify,
  };
}

function overview(tables: readonly PackageTable[], language: Language): Block {
  return {
    kind: 'table',
    caption: PAGE.overview,
    columns: [{ heading: PAGE.what }, { heading: PAGE.rows, align: 'right' }],
    rows: tables.map((table) => [tableName(table.table)[language], table.given]),
    empty: PAGE.nothing,
  };
}

function section(table: PackageTable, previews: readonly Preview[]): Section {
  const parts = previews.filter(({ group }) => group.table.table === table.table);
  return { heading: tableName(table.table), blocks: parts.flatMap(partBlocks) };
}

function partBlocks({ group, rows, count }: Preview): Block[] {
  const more = count - rows.length;
  const origin: Words = ORIGIN_NAMES[group.origin as Origin];
  // The key is in the files; a person reads past it.
  const told = group.columns
    .map((column, at) => ({ column, at }))
    .filter(({ column }) => !column.in_key || group.columns.every(({ in_key }) => in_key));
  const caption = origin;
  const note: Block[] = more > 0 ? [{ kind: 'text', text: PAGE.more(more, `${group.path}.csv`) }] : [];
  const cell = (row: readonly (string | null | undefined)[], { column, at }: (typeof told)[number]) =>
    shown(column, row[at]);
  if (told.length <= SIDE_BY_SIDE && rows.length > 1) {
    return [
      {
        kind: 'table',
        caption,
        columns: told.map(({ column }) => ({ heading: columnName(column.column_name) })),
        rows: rows.map((row) => told.map((one) => cell(row, one))),
        empty: PAGE.nothing,
      },
      ...note,
    ];
  }
  return [
    { kind: 'text', text: caption },
    ...rows.map(
      (row): Block => ({
        kind: 'facts',
        facts: told
          .filter(({ at }) => row[at] !== undefined)
          .map((one) => [columnName(one.column.column_name), cell(row, one)] as const),
      }),
    ),
    ...note,
  ];
}

function shown({ kind }: PackageColumn, text: string | null | undefined): Value {
  if (text === undefined) return '–';
  if (text === null) return null;
  if (kind === 'boolean') return text === 'true';
  if (kind === 'time') {
    const time = new Date(text);
    return Number.isNaN(time.getTime()) ? text : time;
  }
  return text;
}

function withheld(tables: readonly PackageTable[], language: Language): Section {
  const told = tables.map(describeTable);
  const columns = told.flatMap(({ table, withheld_columns }) =>
    withheld_columns
      .filter(({ why }) => why !== 'says nothing of anybody')
      .map(({ column, why }) => [`${table}.${column}`, whyWords(why)[language]] as const),
  );
  const rows = told.flatMap(({ table, withheld_rows }) =>
    withheld_rows.map(({ rows, why }) => [table, rows, whyWords(why)[language]] as const),
  );
  return {
    heading: PAGE.withheld,
    blocks: [
      { kind: 'text', text: PAGE.withheldWhy },
      {
        kind: 'table',
        caption: PAGE.withheldRows,
        columns: [{ heading: PAGE.table }, { heading: PAGE.rows, align: 'right' }, { heading: PAGE.why }],
        rows,
        empty: PAGE.nothing,
      },
      {
        kind: 'table',
        caption: PAGE.withheldColumns,
        columns: [{ heading: PAGE.column }, { heading: PAGE.why }],
        rows: columns,
        empty: PAGE.nothing,
      },
    ],
  };
}

function others({ aliases }: PageContent): Section {
  return {
    heading: PAGE.others,
    blocks: [
      { kind: 'text', text: PAGE.othersWhy },
      {
        kind: 'table',
        caption: PAGE.aliases,
        columns: [{ heading: PAGE.alias }, { heading: PAGE.times, align: 'right' }],
        rows: [...aliases],
        empty: PAGE.nobody,
      },
    ],
  };
}
