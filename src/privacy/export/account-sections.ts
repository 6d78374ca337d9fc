import { type Block, type Language, type Section, type Value, writeValue } from '../../evidence/index.js';
import { dayWords } from '../requests/letters/words.js';
import { CODES } from './account-codes.js';
import { ABOUT, ACCOUNT } from './account-words.js';
import type { AccountName } from './accounts.js';
import type { Group } from './groups.js';
import type { PackageFacts } from './manifest.js';
import type { Preview } from './page.js';

/** So many of an account are told one by one on the page, behind the sums of all of them. */
const SHOWN = 20;

/** How often something was done, and when last. */
export interface Turn {
  readonly row: Row;
  readonly times: number;
}
type Row = Readonly<Record<string, string | null>>;
type Reader = Pick<PackageFacts, 'language' | 'zone'>;

/** By which columns the page adds rows up; of requests each is told. */
const TOGETHER: Readonly<Record<AccountName, readonly string[]>> = {
  account_of_use: ['duty', 'what', 'scope'],
  disclosures: ['recipient', 'organization', 'what', 'known'],
  requests: [],
};

/** Adds a row of an account up with those like it. Rows come newest first, so that the first of them was last. */
export function addTurn(
  { table: { account }, columns }: Group,
  values: readonly (string | null | undefined)[],
  turns: Map<string, Turn>,
): void {
  if (account === undefined || TOGETHER[account].length === 0) return;
  const row = rowOf(columns, values);
  const key = JSON.stringify(TOGETHER[account].map((name) => row[name]));
  const there = turns.get(key);
  turns.set(key, { row: there?.row ?? row, times: (there?.times ?? 0) + 1 });
}

/** What the page tells of an account: what there was how often, and its newest rows. */
export function accountSection(
  account: AccountName,
  preview: Preview | undefined,
  facts: PackageFacts,
): Section {
  const words = ACCOUNT[account];
  const all = (preview?.rows ?? []).map((values) => rowOf((preview as Preview).group.columns, values));
  const rows = all.slice(0, SHOWN);
  const explain: Block = { kind: 'text', text: words.explain };
  if (rows.length === 0)
    return { heading: words.heading, blocks: [explain, { kind: 'text', text: words.none }] };
  const more = (preview?.count ?? 0) - rows.length;
  const summary: Block[] =
    account === 'requests'
      ? []
      : [
          {
            kind: 'table',
            caption: ACCOUNT.summary,
            columns: [
              { heading: words.first },
              { heading: ACCOUNT.times, align: 'right' },
              { heading: ACCOUNT.last },
            ],
            rows: [...(preview?.turns.values() ?? [])].map(({ row, times }) => [
              account === 'account_of_use' ? useWords(row, facts) : disclosureWords(row, facts),
              times,
              whenOf(row, facts),
            ]),
            empty: words.none,
          },
        ];
  return {
    heading: words.heading,
    blocks: [
      explain,
      ...summary,
      {
        kind: 'table',
        caption: words.each,
        columns: [{ heading: ACCOUNT.when }, { heading: words.first }, { heading: words.second }],
        rows: rows.map((row) => [whenOf(row, facts), ...CELLS[account](row, facts)]),
        empty: words.none,
      },
      ...(preview !== undefined && more > 0
        ? [{ kind: 'text', text: ACCOUNT.more(more, `${preview.group.path}.csv`) } as const]
        : []),
    ],
  };
}

/** What stands in the files of the accounts: columns and codes. */
export function accountCodes({ language }: Reader): Section {
  return {
    heading: ACCOUNT.codes,
    blocks: [
      { kind: 'text', text: ACCOUNT.codesExplain },
      ...(Object.keys(ABOUT) as AccountName[]).map(
        (account): Block => ({
          kind: 'table',
          caption: ACCOUNT[account].heading,
          columns: [{ heading: ACCOUNT.code }, { heading: ACCOUNT.meaning }],
          rows: Object.entries(ABOUT[account]).flatMap(([column, about]) => [
            [column, about[language]],
            ...Object.entries(CODES[account][column] ?? {}).map(([code, words]) => [
              `${column}: ${code}`,
              words[language],
            ]),
          ]),
          empty: ACCOUNT[account].none,
        }),
      ),
    ],
  };
}

const CELLS: Readonly<Record<AccountName, (row: Row, reader: Reader) => readonly Value[]>> = {
  account_of_use: (row, reader) => [
    sentence(useWords(row, reader), momentOf('until', row.until, reader), list(row.tables), row.operation),
    sentence(inWords('account_of_use', 'why', row.why, reader), row.request),
  ],
  disclosures: (row, reader) => [
    sentence(
      disclosureWords(row, reader),
      momentOf('until', row.until, reader),
      momentOf('ended', row.ended_at, reader),
      row.region,
    ),
    sentence(list(row.data), row.told_on && dayWords(row.told_on)[reader.language], row.request) ||
      ACCOUNT.notRecorded[reader.language],
  ],
  requests: (row, reader) => {
    const code = (column: string) => inWords('requests', column, row[column], reader);
    const facts =
      row.event === 'opened'
        ? [
            code('requester'),
            code('channel'),
            `${ACCOUNT.due[reader.language]} ${row.due_on === null ? '' : dayWords(row.due_on as string)[reader.language]}`,
          ]
        : [
            code('detail'),
            code('reason'),
            row.days && `${row.days} ${ACCOUNT.days[reader.language]}`,
            row.amount && `${row.amount} $`,
          ];
    const days = [row.on_day, row.until].map((day) => day && dayWords(day)[reader.language]);
    return [sentence(`${row.request} (${code('kind')})`, code('event'), ...facts, ...days), row.told ?? ''];
  },
};

const useWords = (row: Row, reader: Reader): string =>
  sentence(
    ...['duty', 'what', 'scope'].map((column) => inWords('account_of_use', column, row[column], reader)),
  );

const disclosureWords = (row: Row, reader: Reader): string =>
  sentence(
    row.organization ?? inWords('disclosures', 'recipient', row.recipient, reader),
    ...['what', 'known'].map((column) => inWords('disclosures', column, row[column], reader)),
  );

/** A code, or several with strokes between, in words; what is none stays. */
function inWords(
  account: AccountName,
  column: string,
  value: string | null | undefined,
  { language }: { language: Language },
): string {
  const codes = CODES[account][column] ?? {};
  return (value ?? '')
    .split('/')
    .map((code) => codes[code]?.[language] ?? code)
    .join(', ');
}

const sentence = (...parts: readonly (string | null | undefined)[]): string =>
  parts.filter(Boolean).join(' · ');
const list = (json: string | null | undefined): string =>
  json ? (JSON.parse(json) as string[]).join(', ') : '';
const momentOf = (word: 'until' | 'ended', time: string | null | undefined, reader: Reader): string =>
  time ? `${ACCOUNT[word][reader.language]} ${writeValue(new Date(time), reader)}` : '';
const whenOf = ({ at }: Row, { language }: Reader): Value => (at ? new Date(at) : ACCOUNT.unknown[language]);

function rowOf(columns: Group['columns'], values: readonly (string | null | undefined)[]): Row {
  return Object.fromEntries(columns.map(({ column_name }, at) => [column_name, values[at] ?? null]));
}
