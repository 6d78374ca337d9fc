import { type Block, type Language, type Report, type Words, writeReport } from '../../evidence/index.js';
import type { TableViews, ViewDifference } from './compare-views.js';
import type { ExportReview, ReviewedViews } from './review-export.js';
import { SHEET } from './sheet-words.js';
import { WHY_BEYOND, WHY_UNSEEN } from './view-words.js';
import { whyWords } from './words.js';

interface Sheet extends ExportReview {
  /** The request that the package is to answer, if one. */
  readonly request: string | null;
}

/** Writes what an officer looks at before a package is made as one page, readable by the caller only. */
export async function writeReviewSheet(
  sheet: Sheet,
  path: string,
  { language, at }: { readonly language: Language; readonly at: Date },
): Promise<void> {
  await writeReport(reviewSheet(sheet, at, language), path, { language, zone: sheet.zone });
}

/** Holds no value of any row but the ids of families. */
export function reviewSheet(sheet: Sheet, at: Date, language: Language): Report {
  const { views, request, person, rows } = sheet;
  return {
    title: SHEET.title,
    lead: request === null ? SHEET.lead : SHEET.leadOf(request),
    sections: [
      {
        heading: SHEET.package,
        blocks: [
          {
            kind: 'facts',
            facts: [
              [sheet.subject_kind === 'child' ? SHEET.child : SHEET.person, person],
              [SHEET.readAt, at],
              [SHEET.rows, rows],
              [SHEET.severances, sheet.tables.reduce((sum, { severances }) => sum + (severances ?? 0), 0)],
            ],
          },
          withheld(sheet, language),
        ],
      },
      views === null
        ? { heading: SHEET.both, blocks: [{ kind: 'text', text: SHEET.noAccount }] }
        : { heading: SHEET.both, blocks: bothViews(views, language) },
    ],
    foot: SHEET.foot,
  };
}

function bothViews(views: ReviewedViews, language: Language): Block[] {
  const { tables, both, unseen, not_in_app, beyond, unconnected } = views;
  const same = unseen === 0 && beyond === 0;
  return [
    { kind: 'text', text: SHEET.explain },
    ...(unconnected > 0
      ? [{ kind: 'verdict', verdict: 'bad', text: SHEET.unconnected(unconnected) } as const]
      : same
        ? [{ kind: 'verdict', verdict: 'good', text: SHEET.same } as const]
        : []),
    {
      kind: 'facts',
      facts: [
        [SHEET.givenAndSeen, both],
        [SHEET.givenUnseen, unseen],
        [SHEET.notInApp, not_in_app],
        [SHEET.seenNotGiven, beyond],
      ],
    },
    {
      kind: 'table',
      caption: SHEET.tables,
      columns: [
        { heading: SHEET.table },
        ...[SHEET.given, SHEET.seen, SHEET.givenUnseen, SHEET.seenNotGiven].map((heading) => ({
          heading,
          align: 'right' as const,
        })),
      ],
      rows: tables
        .filter(({ given, seen }) => given > 0 || (seen ?? 0) > 0)
        .map(({ table, app, given, seen, unseen: hidden, beyond: more }) => [
          table,
          given,
          app === 'none' ? SHEET.never[language] : seen,
          total(hidden),
          total(more),
        ]),
      empty: SHEET.none,
    },
    differences(SHEET.unseenRows, tables, ({ unseen: rows }) => rows, WHY_UNSEEN, language),
    differences(SHEET.beyondRows, tables, ({ beyond: rows }) => rows, WHY_BEYOND, language),
    columns(tables, language),
  ];
}

function differences<Why extends string>(
  caption: Words,
  tables: readonly TableViews[],
  of: (table: TableViews) => readonly ViewDifference<Why>[],
  words: Readonly<Record<Why, Words>>,
  language: Language,
): Block {
  return {
    kind: 'table',
    caption,
    columns: [
      { heading: SHEET.table },
      { heading: SHEET.rows, align: 'right' },
      { heading: SHEET.family },
      { heading: SHEET.why },
    ],
    rows: tables.flatMap((table) =>
      of(table).map(({ rows, family, why }) => [table.table, rows, family ?? '', words[why][language]]),
    ),
    empty: SHEET.none,
  };
}

function columns(tables: readonly TableViews[], language: Language): Block {
  return {
    kind: 'table',
    caption: SHEET.columns,
    columns: [{ heading: SHEET.column }, { heading: SHEET.difference }, { heading: SHEET.why }],
    rows: tables.flatMap(({ table, columns: { unseen, beyond, partly } }) => [
      ...unseen.map((column) => [
        `${table}.${column}`,
        SHEET.givenUnseen[language],
        SHEET.notReadable[language],
      ]),
      ...beyond.map(({ column, why }) => [
        `${table}.${column}`,
        SHEET.seenNotGiven[language],
        whyWords(why)[language],
      ]),
      ...partly.map(({ column, rows }) => [
        `${table}.${column}`,
        SHEET.notGivenIn(rows)[language],
        SHEET.aboutOthers[language],
      ]),
    ]),
    empty: SHEET.none,
  };
}

function withheld({ tables }: Sheet, language: Language): Block {
  return {
    kind: 'table',
    caption: SHEET.withheld,
    columns: [{ heading: SHEET.table }, { heading: SHEET.rows, align: 'right' }, { heading: SHEET.why }],
    rows: tables.flatMap(({ table, withheld_rows: rows }) =>
      rows.map((one) => [table, one.rows, whyWords(one.why)[language]]),
    ),
    empty: SHEET.none,
  };
}

const total = (rows: readonly ViewDifference<string>[]) => rows.reduce((sum, one) => sum + one.rows, 0);
