import type { Condition } from './condition.js';
import { wantedBy } from './membership.js';

export interface Phrase {
  readonly text: string;
  /** In words that follow "if". */
  readonly would: string;
  readonly cost?: number;
}

const SELF = String.raw`\(?\s*SELECT private\.current_user_id\(\)(?: AS current_user_id)?\s*\)?`;

/** Conditions of our own policies in words; what no word is for speaks for itself. */
const WORDS: readonly (readonly [RegExp, Phrase])[] = [
  [
    new RegExp(`^created_by = ${SELF}$`),
    { text: 'the row was written by them', would: 'they had written the row themselves' },
  ],
  [new RegExp(`^(user_)?id = ${SELF}$`), { text: 'the row is about them', would: 'the row were about them' }],
  [
    /^private\.family_today\(/,
    {
      text: "the row is of today, in the family's time zone",
      would: "the row were of today, in the family's time zone",
    },
  ],
  [
    /^\(?\s*SELECT private\.account_active\(\)/,
    { text: 'the account is active', would: 'the account were active', cost: 1 },
  ],
];

const ROWS: Readonly<Record<string, string>> = {
  all: 'all rows',
  own: 'own rows',
  today: 'rows of today',
  today_own: 'own rows of today',
  self: 'oneself',
};

export function phraseOf(test: Condition): Phrase {
  const wanted = wantedBy(test);
  if (wanted !== undefined) {
    const rows = wanted.scopes.map((scope) => ROWS[scope] ?? scope).join(' or ');
    const text = `the membership gives ${wanted.permission} for ${rows}`;
    return { text, would: text };
  }
  return (
    WORDS.find(([pattern]) => pattern.test(test.sql))?.[1] ?? { text: test.sql, would: `${test.sql} held` }
  );
}
