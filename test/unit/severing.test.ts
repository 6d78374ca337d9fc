import { describe, expect, it } from 'vitest';
import { csvCell, guardFormula, unguardFormula } from '../../src/privacy/export/cell.js';
import type { People } from '../../src/privacy/export/people.js';
import { Severer } from '../../src/privacy/export/sever.js';
import { seededRandom, testSeed } from '../support/model/random.js';
import { HOSTILE } from '../support/report.js';

const ID = '5c1e07d2-0ada-4f00-9bea-0123456789ab';
const name = (text: string) => ({ text, names: 'name' as const });

const PEOPLE: People = {
  language: 'en',
  self: {
    id: 'a0000000-0000-4000-8000-000000000001',
    spellings: [name('Zoé'), name('Tremblay'), { text: 'zoe@example.ca', names: 'email' }],
  },
  others: [
    {
      alias: 'Parent 2',
      id: ID,
      spellings: [
        name('Marie-Ève'),
        name('Tremblay'),
        { text: 'me.tremblay@example.ca', names: 'email' },
        { text: '(514) 555-0199', names: 'phone' },
      ],
    },
    { alias: 'Relative 1', id: undefined, spellings: [name('Ada de la Cruz')] },
    { alias: 'Contact 1', id: undefined, spellings: [name('田中'), name('كريم')] },
    { alias: 'Provider 1', id: undefined, spellings: [{ text: 'Clinique du Lac', names: 'place' }] },
    { alias: 'Caregiver 1', id: undefined, spellings: [name('👩‍👧')] },
    { alias: 'Caregiver 2', id: undefined, spellings: [name('Ada')] },
  ],
};

describe('other people in free text', () => {
  const severer = new Severer(PEOPLE);
  it.each([
    ['Marie-Ève gave the bottle', 'Parent 2 gave the bottle'],
    ["MARIE EVE's turn; d'Ève", "Parent 2's turn; d'Parent 2"],
    ['Ma\u00adrie\u200b-E\u0300ve', 'Parent 2'],
    ['ＭＡＲＩＥ came', 'Parent 2 came'],
    ['mail me.tremblay@EXAMPLE.ca now', 'mail Parent 2 now'],
    ['mine is zoe@example.ca', 'mine is zoe@example.ca'],
    ['ask doctor@clinic.example', 'ask Person 1'],
    ['again doctor@clinic.example', 'again Person 1'],
    ['call +1 514.555.0199 or 5145550199', 'call Parent 2 or Parent 2'],
    [`by ${ID.toUpperCase()}`, 'by Parent 2'],
    [`by ${ID.replaceAll('-', '')}`, 'by Parent 2'],
    // Letters of an id spell nobody.
    ['item 00000000-0ada-4000-8bea-000000000000', 'item 00000000-0ada-4000-8bea-000000000000'],
    ['Cruz; de la nuit', 'Relative 1; de la nuit'],
    ['田中さんが来た', 'Contact 1さんが来た'],
    ['لكريم', 'لContact 1'],
    ['at Clinique  du Lac, du lac', 'at Provider 1, du lac'],
    ['👩‍👧 came', 'Caregiver 1 came'],
    ['Ada came', 'Relative 1 / Caregiver 2 came'],
    // Shared with the person, so that it says nothing of another.
    ['the Tremblay house', 'the Tremblay house'],
    ['Adam and marieanne', 'Adam and marieanne'],
  ])('%s', (text, expected) => {
    expect(severer.text(text).text).toBe(expected);
  });

  it('go from JSON, its keys and telephone numbers among them, and its other numbers stay as they are', () => {
    expect(
      severer.json('{"Marie": [1.10, 5145550199, 123456789012345678901234.50, "x\\"Ève\\u0301"]}').text,
    ).toBe('{"Parent 2": [1.10, "Parent 2", 123456789012345678901234.50, "x\\"Parent 2"]}');
  });

  it('have one alias each for an id that nobody is known by', () => {
    const unknown = 'b0000000-0000-4000-8000-000000000002';
    const first = severer.id(unknown).text;
    expect(first).toMatch(/^Person \d+$/);
    expect(severer.id(unknown).text).toBe(first);
    expect(severer.id(PEOPLE.self.id).text).toBe(PEOPLE.self.id);
    expect(severer.id(ID).text).toBe('Parent 2');
  });
});

describe('a cell of CSV', () => {
  it('is run by no spreadsheet, and reads back as it was', () => {
    const random = seededRandom(testSeed());
    const pieces = ['=', '+', '-', '@', "'", '"', ' ', '\t', '\n', ';', '|', '1', 'a', '＝', ','];
    const texts = [
      ...HOSTILE,
      '=cmd()',
      "'=cmd()",
      "''=1",
      '-5',
      "'-5",
      '',
      ...Array.from({ length: 5000 }, () =>
        Array.from({ length: random.between(0, 8) }, () => random.pick(pieces)).join(''),
      ),
    ];
    for (const text of texts) {
      const guarded = guardFormula(text);
      expect(unguardFormula(guarded), JSON.stringify(text)).toBe(text);
      const number = /^[+-]?(\d+([.,]\d+)?|[.,]\d+)$/.test(text);
      if (!number) expect(/(^|[;|\t\r\n])[=+\-@＝＋－＠]/.test(guarded), JSON.stringify(guarded)).toBe(false);
    }
  });

  it('tells NULL from the empty text', () => {
    expect([
      csvCell('text', null),
      csvCell('text', ''),
      csvCell('text', 'a"b'),
      csvCell('number', '-1.50'),
    ]).toEqual(['', '""', '"a""b"', '-1.50']);
  });
});
