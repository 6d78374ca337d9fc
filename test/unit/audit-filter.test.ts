import { describe, expect, test } from 'vitest';
import { FIELDS } from '../../src/audit/filter/fields.js';
import { readWhere } from '../../src/audit/filter/where.js';
import { FILTER_FIELDS } from '../../src/console/help-topics.js';
import { parseInstant } from '../../src/console/time/parse-instant.js';
import type { NestctlError } from '../../src/platform/errors.js';

const now = new Date('2026-11-24T12:00:00Z');
const read = (text: string) =>
  readWhere(text, (input, edge) => parseInstant(input, { zone: 'UTC', now, edge }));
const refusal = (text: string, duty?: string): NestctlError => {
  try {
    const where = read(text);
    if (duty !== undefined) where.compile(duty);
  } catch (error) {
    return error as NestctlError;
  }
  throw new Error(`${text} was not refused`);
};

test('the fields are those that the help topic names', () => {
  expect(FIELDS.map(({ name }) => name).sort()).toEqual(Object.keys(FILTER_FIELDS).sort());
});

describe('a mistake is named at its place', () => {
  test.each([
    ['tabel = usage_logs', 0, /"tabel" is no field/],
    ['table = usage_logs and', 22, /ends too soon/],
    ['table usage_logs', 6, /comparison is missing/],
    ['table = ', 8, /value is missing/],
    ['(table = a or table = b', 0, /never closed/],
    ['table = a)', 9, /never opened/],
    ['table = a table = b', 10, /"and" or "or"/],
    ['operation in (update, insrt)', 22, /one of insert, update, delete/],
    ['operation in update', 13, /list in brackets/],
    ['operation in (update delete)', 21, /comma or a closing bracket/],
    ['new.notes ~ "night', 12, /no end/],
    ['table = usage_logs; drop table users', 18, /";" has no meaning/],
    ['family = 123', 9, /an id/],
    ['event > 99999999999999999999', 8, /whole number/],
    ['time >= 2026-02-30', 8, /calendar/],
    ['event ~ 5', 0, /not compared by "~"/],
    ['changed = notes', 0, /not compared by "="/],
    ['new. = 5', 0, /no field/],
    ['reason is empty', 10, /"null" is missing/],
    [`${'('.repeat(60)}table = a${')'.repeat(60)}`, 50, /nested too deeply/],
  ])('%s', (text, at, message) => {
    const error = refusal(text);
    expect([error.kind, error.code, error.excerpt?.at]).toEqual(['usage', 'invalid_filter', at]);
    expect(error.message).toMatch(message);
    expect(error.message).toContain(`character ${at + 1}:`);
  });

  test('what was probably meant is offered', () => {
    expect(refusal('tabel = usage_logs').mistaken).toMatchObject({ name: 'tabel' });
  });

  test('an sre does not ask about what it does not read', () => {
    for (const text of [
      'table = children and family is not null',
      'new.name ~ "L"',
      'not (changed has name)',
    ]) {
      expect([text, refusal(text, 'sre').kind]).toEqual([text, 'not_allowed']);
    }
    expect(read('table = children and not (duty is null or epoch > 1)').compile('sre').found).toHaveLength(2);
  });

  test('4,000 characters are read in no time, more are refused', () => {
    const began = performance.now();
    read(Array.from({ length: 230 }, () => 'table = usage').join(' or '));
    for (const hostile of [
      '"'.repeat(3_999),
      '"'.repeat(4_000),
      '('.repeat(4_000),
      'not '.repeat(1_000),
      `"${'\\'.repeat(3_998)}`,
    ]) {
      try {
        read(hostile);
      } catch (error) {
        expect((error as NestctlError).code).toBe('invalid_filter');
      }
    }
    expect(performance.now() - began).toBeLessThan(500);
    expect(refusal('a'.repeat(4_001)).message).toMatch(/longer than 4000/);
  });
});

test('what a person wrote is never in the text of the statement', () => {
  const marks = ['zzMARKzz', "zz'MARK", 'zz"MARK', 'zz$1MARK', 'zz\\MARK', 'zz);--MARK'];
  for (const mark of marks) {
    const quoted = `"${mark.replaceAll(/(["\\])/g, '\\$1')}"`;
    const text = [
      ...['login', 'request', 'reason', 'ticket', 'row', 'table'].flatMap((field) =>
        ['=', '!=', '~', '!~'].map((op) => `${field} ${op} ${quoted}`),
      ),
      ...['<', '>=', '=', '!=', '~', '!~', 'has'].map((op) => `any.zzMARKcolumn ${op} ${quoted}`),
      `changed has ${quoted}`,
      `login in (${quoted}, b)`,
      'old.zzMARKcolumn is null',
    ].join(' or ');
    const { found, shown } = read(text).compile('auditor');
    const all = [...found, ...shown];
    expect(all.map(({ text: sql }) => sql).join(' ')).not.toMatch(/MARK/);
    expect(JSON.stringify(all.flatMap(({ values }) => values))).toContain(JSON.stringify(mark).slice(1, -1));
  }
});
