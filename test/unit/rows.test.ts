import { describe, expect, it } from 'vitest';
import { withoutFormula } from '../../src/console/render/formula.js';
import { renderCsv, renderNdjson } from '../../src/console/render/rows.js';
import { sortRows } from '../../src/console/sort-rows.js';
import { type Column, type Raw, table, toned } from '../../src/console/views.js';

interface Row {
  readonly id: string;
  readonly value: Raw;
}
const COLUMNS: readonly Column<Row>[] = [
  { name: 'id', value: ({ id }) => toned('good', id.slice(0, 2)), raw: ({ id }) => id },
  { name: 'value', value: () => 'for people', raw: ({ value }) => value },
  { name: 'more', value: ({ id }) => id.length, extra: true },
];
const rows = (...values: Raw[]) =>
  table(
    values.map((value) => ({ id: '9f3a0c1e', value })),
    COLUMNS,
    'None.',
  );
const csv = (value: Raw, onTerminal = false) => renderCsv(rows(value), ['value'], { onTerminal });
const cell = async (value: Raw) => (await csv(value)).slice('value\r\n'.length, -2);

describe('CSV', () => {
  it('has every column, ids whole, and nothing that was made for people', async () => {
    expect(await renderCsv(rows('x'), undefined, { onTerminal: false })).toBe(
      'id,value,more\r\n9f3a0c1e,x,8\r\n',
    );
    expect(await renderCsv(rows('x'), ['more', 'id'], { onTerminal: false })).toBe(
      'more,id\r\n8,9f3a0c1e\r\n',
    );
  });

  it('is a header where there are no rows', async () => {
    expect(await renderCsv(rows(), undefined, { onTerminal: false })).toBe('id,value,more\r\n');
  });

  it.each([
    ['a time, in UTC', new Date('2026-11-20T14:02:00-05:00'), '2026-11-20T19:02:00.000Z'],
    ['nothing', null, ''],
    ['a boolean', false, 'false'],
    ['a number', -5, '-5'],
    ['a large number', 9_007_199_254_740_993n, '9007199254740993'],
    ['commas and quotes', 'a, "b"', '"a, ""b"""'],
    ['lines', 'a\nb\r\nc', '"a\nb\r\nc"'],
    ['several values', ['a', 'b "c"'], '"[""a"",""b \\""c\\""""]"'],
    ['an object', { a: 1 }, '"{""a"":1}"'],
    ['a mark of direction', 'שלום\u200f', 'שלום\u200f'],
    ['escapes', 'a\u001b[31mb\u009b\u0000', 'a␛[31mb‹U+009B›␀'],
    ['a lone surrogate', 'a\ud800b', 'a‹U+D800›b'],
  ] as const)('writes %s', async (_, value, expected) => {
    expect(await cell(value)).toBe(expected);
  });

  it('keeps a row on one line of a terminal, and nothing reorders it', async () => {
    expect(await csv('a\nb\u202e\u001b[2J', true)).toBe('value\r\na␊b‹U+202E›␛[2J\r\n');
  });
});

describe('a cell that a spreadsheet would run', () => {
  it.each([
    ["=cmd|'/c calc'!A0", "'=cmd|'/c calc'!A0"],
    ['+1+cmd', "'+1+cmd"],
    ['-2+3', "'-2+3"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\t=1', "'\t'=1"],
    ['\r=1', "'\r'=1"],
    ['\tx', "'\tx"],
    ['  =1+1', "'  =1+1"],
    ['"=1+1"', `'"=1+1"`],
    ["'=1+1", "''=1+1"],
    ['\u00a0\u200b=1', "'\u00a0\u200b=1"],
    ['＝1+1', "'＝1+1"],
    ['＠SUM', "'＠SUM"],
    ['x;=1+1', "x;'=1+1"],
    ['x\n=1+1', "x\n'=1+1"],
    ['x;"=1+1', `x;'"=1+1`],
  ])('%j is disarmed', (text, expected) => {
    expect(withoutFormula(text)).toBe(expected);
  });

  it.each([
    '-5',
    '+15145550123',
    '-1.5',
    '-1,5',
    '',
    'a=b',
    '1-2',
    'gran@example.ca',
    'a; b',
    '{"a":-1}',
    'É',
  ])('%j is left alone', (text) => {
    expect(withoutFormula(text)).toBe(text);
  });
});

describe('NDJSON', () => {
  it('has an object a line, with the names of the columns', () => {
    expect(renderNdjson(rows(new Date(0), null), undefined)).toBe(
      '{"id":"9f3a0c1e","value":"1970-01-01T00:00:00.000Z","more":8}\n{"id":"9f3a0c1e","value":null,"more":8}\n',
    );
    expect(renderNdjson(rows(), undefined)).toBe('');
  });

  it.each(['a\nb\r\u2028c', '\u001b[2J\u009b\u202e\u0000', '=cmd()', '👨‍👩‍👧 é\u0301', 'lone \ud800'])(
    'carries %j whole, and harmless',
    (text) => {
      const line = renderNdjson(rows(text), undefined);
      expect(line.trimEnd()).not.toMatch(/[\p{Cc}\p{Cs}\u2028\u202e]/u);
      expect(JSON.parse(line).value).toBe(text);
    },
  );
});

describe('sorting', () => {
  const sorted = (values: readonly Raw[], descending = false) =>
    sortRows(values, (value) => value, descending);

  it('goes by size for numbers and times, by the alphabet for text', () => {
    expect(sorted([10, 9, -1, 10n])).toEqual([-1, 9, 10, 10n]);
    expect(sorted([new Date(5), new Date(1)])).toEqual([new Date(1), new Date(5)]);
    expect(sorted(['étang', 'zoo', 'Eau', 'v10', 'v9'])).toEqual(['Eau', 'étang', 'v9', 'v10', 'zoo']);
    expect(sorted([true, false])).toEqual([false, true]);
  });

  it('puts what has no value last, either way', () => {
    expect(sorted([null, 2, undefined, 1])).toEqual([1, 2, null, undefined]);
    expect(sorted([null, 1, 2], true)).toEqual([2, 1, null]);
  });
});
