import { randomInt, scrypt } from 'node:crypto';
import sql from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import { type DataRequest, refusal } from './request.js';

/** Where the code by e-mail of a request stands. */
export interface IdentityCode {
  /** Whose address of record it goes to: an account's, or the one that the request is about; null: nobody's. */
  readonly goes_to: 'account' | 'address' | null;
  readonly account: string | null;
  readonly why_not: 'no_address' | 'unverified' | 'changed' | null;
  /** The code that was sent last, where it was not used or replaced; its other particulars are null without one. */
  readonly current: string | null;
  readonly salt: Buffer | null;
  readonly issued_at: Date | null;
  readonly issued_by: string | null;
  readonly expires_at: Date | null;
  /** Null: what became of the letter is not on record, and so not known. */
  readonly sending: 'sent' | 'unknown' | null;
  /** How many more can be sent, and tried, within 24 hours. */
  readonly codes_left: number;
  readonly attempts_left: number;
}

const DIGITS = 8;
// What OWASP asks of scrypt: 128 MB and a third of a second for each of a hundred million guesses.
const COST = { N: 2 ** 17, r: 8, p: 1, maxmem: 2 ** 28 } as const;

export async function readIdentityCode(session: Session, number: string): Promise<IdentityCode> {
  return await session.one<IdentityCode>(sql`
    select goes_to, account, why_not, current, salt, issued_at, issued_by, expires_at, sending,
      codes_left::int, attempts_left::int
    from privacy.identity_code(${number})`);
}

/** Throws `identity_verified`. */
export function requireUnverified({ number, identity_verified_at }: DataRequest): void {
  if (identity_verified_at !== null)
    throw refusal('identity_verified', 'The identity is verified already.', `nestctl request show ${number}`);
}

/** A new code: decimal digits. */
export function makeCode(): string {
  return String(randomInt(10 ** DIGITS)).padStart(DIGITS, '0');
}

/** `1234 5678`, as it is written and read out. */
export function spacedCode(code: string): string {
  return code.replace(/(?<=^\d{4})/, ' ');
}

/** The digits of a code as somebody wrote it, blanks and dashes left out; undefined where it is none. */
export function codeDigits(written: string): string | undefined {
  const digits = written.replace(/[\s\p{Pd}]/gu, '');
  return /^\d+$/.test(digits) && digits.length === DIGITS ? digits : undefined;
}

/** The slow key that the database compares a code by, 32 bytes: the code itself never goes there. */
export async function codeKey(code: string, salt: Buffer): Promise<Buffer> {
  return await new Promise((resolve, reject) => {
    scrypt(code, salt, 32, COST, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}
