import { buffer } from 'node:stream/consumers';
import { inflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { PackedFile } from '../../src/platform/zip/packed-file.js';
import { csvCell, jsonCell } from '../../src/privacy/export/cell.js';
import { GroupFiles } from '../../src/privacy/export/group-files.js';
import type { Group } from '../../src/privacy/export/groups.js';
import type { Kind, PackageColumn } from '../../src/privacy/export/package-tables.js';
import { RowReader } from '../../src/privacy/export/read-rows.js';
import { Severer } from '../../src/privacy/export/sever.js';
import { type Random, seededRandom, testSeed } from '../support/model/random.js';

const SELF = 'a0000000-0000-4000-8000-000000000001';
const OTHER = 'b0000000-0000-4000-8000-000000000002';
const people = {
  self: { id: SELF, spellings: [] },
  others: [{ alias: 'Parent 2', id: OTHER, spellings: [{ text: 'Zoé', names: 'name' as const }] }],
  language: 'en' as const,
};

const PIECES = [
  ...['a', 'Z', '7', '0', 'é', '👶🏽', '\u2028', '\u00ad', '\u007f', '\u0001', '\u001f', '＝'],
  ...[
    ' ',
    '"',
    '\\',
    '\\N',
    '\\t',
    '\t',
    '\n',
    '\r',
    '\b',
    '\f',
    '\v',
    ';',
    '|',
    ',',
    "'",
    '=',
    '+',
    '-',
    '@',
  ],
  ...['Zoé', OTHER, 'x'.repeat(70), 'é'.repeat(40)],
];
const text = (random: Random) =>
  Array.from({ length: random.between(0, 5) }, () => random.pick(PIECES)).join('');

/** An id that is another by one digit. */
const nearly = (id: string, random: Random) => {
  const at = random.pick([...id.matchAll(/\d/g)].map(({ index }) => index));
  return `${id.slice(0, at)}${(Number(id[at]) + 1) % 10}${id.slice(at + 1)}`;
};

/** As PostgreSQL prints them, hostile wherever they can be. */
const VALUES: Readonly<Record<Kind, (random: Random) => string>> = {
  array: (random) => JSON.stringify([text(random), null, text(random)]),
  json: (random) => JSON.stringify({ [text(random)]: [text(random), 1.5] }),
  boolean: (random) => random.pick(['true', 'false']),
  integer: (random) => String(random.between(-1_000_000, 1_000_000)),
  number: (random) =>
    random.pick(['0', '-1.50', '1e+20', '1.7e-5', 'NaN', 'Infinity', '-Infinity', '9'.repeat(80)]),
  time: (random) =>
    random.pick([
      '2026-11-23T03:29:59.999+00:00',
      'infinity',
      '-infinity',
      '0044-03-15T00:00:00+00:00 BC',
      '294276-12-31T23:59:59+00:00',
    ]),
  date: (random) => random.pick(['2026-11-23', 'infinity', '-infinity', '0044-03-15 BC']),
  interval: (random) => random.pick(['PT1H9M', 'P-1DT-2S', 'PT0S', 'infinity', '-infinity']),
  uuid: (random) => random.pick([SELF, OTHER, random.uuid(), nearly(random.pick([SELF, OTHER]), random)]),
  text,
};

/** As COPY writes it. */
const LETTERS: Readonly<Record<string, string>> = {
  '\b': 'b',
  '\f': 'f',
  '\n': 'n',
  '\r': 'r',
  '\t': 't',
  '\v': 'v',
  '\\': '\\',
};
const copied = (value: string | null) =>
  value === null ? '\\N' : value.replace(/[\b\f\n\r\t\v\\]/g, (character) => `\\${LETTERS[character]}`);

const columnOf = (kind: Kind, free: boolean, at: number) =>
  ({
    ...{ column_name: `${kind} "${at}"`, kind, free, subject: at % 3 === 0 ? 'child' : 'author' },
    ...{ whose: 'joint', category: null, in_key: at === 0, exported: true },
  }) as unknown as PackageColumn;

async function unpack(file: PackedFile): Promise<string> {
  const content = inflateRawSync(await buffer(file.chunks()));
  await file.close();
  return content.toString();
}

const seed = testSeed();
describe(`rows of a package (NESTCTL_TEST_SEED=${seed})`, () => {
  it('are, as bytes, what their cells are one by one', async () => {
    const random = seededRandom(seed);
    const kinds = Object.keys(VALUES) as Kind[];
    const columns = [...kinds, ...kinds].map((kind, at) => columnOf(kind, at >= kinds.length, at));
    const group = { path: 'provided/x', table: { table: 'x' }, columns } as unknown as Group;
    const [severer, expecting] = [new Severer(people), new Severer(people)];
    const sever = ({ kind, free, subject }: PackageColumn, value: string) => {
      if (!free) return value;
      if (kind === 'uuid') return (subject === 'author' ? expecting.id(value) : expecting.anyId(value)).text;
      return (kind === 'json' || kind === 'array' ? expecting.json(value) : expecting.text(value)).text;
    };
    const reader = new RowReader(columns, severer);
    const files = new GroupFiles(group, columns);
    let [json, csv, replaced] = ['', `${columns.map((column) => column.column_name).join(',')}\r\n`, 0];
    let last: (string | null)[] = [];
    for (let page = 0; page < 40; page += 1) {
      let lines = '';
      for (let n = 0; n < 100; n += 1) {
        const given = random.chance(0.2) ? 2 : 7;
        // Now and then a value that stands in the row before too.
        const row = columns.map(({ kind }, at) =>
          random.chance(0.1) ? null : random.chance(0.2) ? (last[at] ?? null) : VALUES[kind](random),
        );
        last = row;
        lines += `${[String(given), ...row.map((value, at) => copied(columns[at]?.kind === 'time' && value !== null ? `"${value}"` : value))].join('\t')}\n`;
        const cells = columns.map((column, at) => {
          const value = row[at] as string | null;
          if (given === 2 && column.subject === 'child') return undefined;
          return value === null ? null : sever(column, value);
        });
        replaced += cells.filter((cell, at) => cell !== undefined && cell !== row[at]).length;
        const pairs = columns.flatMap(({ kind, column_name }, at) => {
          const cell = cells[at];
          return cell === undefined
            ? []
            : [`${JSON.stringify(column_name)}:${cell === null ? 'null' : jsonCell(kind, cell)}`];
        });
        json += `${json === '' ? '[\n' : ',\n'}{${pairs.join(',')}}`;
        csv += `${columns.map(({ kind }, at) => csvCell(kind, cells[at] ?? null)).join(',')}\r\n`;
      }
      for (const row of reader.rows(Buffer.from(lines))) await files.add(row);
    }
    const [packedJson, packedCsv] = (await files.end()) as [PackedFile, PackedFile];
    expect(await unpack(packedJson)).toBe(`${json}\n]\n`);
    expect(await unpack(packedCsv)).toBe(csv);
    expect(JSON.parse(json.concat(']'))).toHaveLength(4_000);
    expect(replaced).toBeGreaterThan(100);
  });
});
