import { describe, expect, it } from 'vitest';
import { safeJson, safeText } from '../../src/console/safe-text.js';

const HARMLESS = [
  'Geneviève Tremblay',
  '👨‍👩‍👧‍👦 🇨🇦 ✌🏽',
  'مريم',
  'नेहा',
  "O'Neill-Côté",
  '=cmd()',
  '日本語',
  '\u200c\u200d',
];
/** Every code point that can move, hide or reorder what stands around it. */
const UNSAFE = [
  ...range(0x00, 0x1f),
  ...range(0x7f, 0x9f),
  0xad,
  0x61c,
  0x180e,
  ...[0x200b, 0x200e, 0x200f],
  ...range(0x2028, 0x202e),
  ...range(0x2060, 0x206f),
  0xfeff,
  ...range(0xfff9, 0xfffb),
  ...range(0xe0000, 0xe007f),
  ...[0xd800, 0xdfff],
];

describe('text for a terminal', () => {
  it('leaves names of every script as they are', () => {
    for (const text of HARMLESS) expect(safeText(text)).toBe(text);
  });

  it('makes every unsafe character visible, and nothing else', () => {
    for (const code of UNSAFE) {
      const safe = safeText(`a${String.fromCodePoint(code)}b`);
      expect(safe, code.toString(16)).toMatch(/^a([\u2400-\u2421]|‹U\+[0-9A-F]{4,6}›)b$/);
    }
  });

  it('is one line', () => {
    expect(safeText('a\r\nb\u2028c')).toBe('a␍␊b‹U+2028›c');
  });
});

describe('JSON', () => {
  it('gives back what went in, with nothing unsafe in between', () => {
    const value = {
      text: UNSAFE.map((code) => String.fromCodePoint(code)).join('x'),
      names: HARMLESS,
      nested: [{ a: null }],
    };
    for (const indent of [undefined, 2]) {
      const json = safeJson(value, indent);
      expect(JSON.parse(json)).toEqual(value);
      const raw = [...json].filter((char) => char !== '\n' && UNSAFE.includes(char.codePointAt(0) ?? 0));
      expect(raw).toEqual([]);
    }
  });

  it('writes large integers in full and dates as ISO', () => {
    expect(JSON.parse(safeJson({ big: 9007199254740993n, at: new Date(0) }))).toEqual({
      big: '9007199254740993',
      at: '1970-01-01T00:00:00.000Z',
    });
  });
});

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, at) => from + at);
}
