import { NestctlError } from '../errors.js';
import { scramVerifier } from '../local/scram.js';

const SHORTEST = 12;

/** What PostgreSQL may store for a password, made here so that the password never travels. Throws `usage`. */
export function makeVerifier(password: string): string {
  if (password.length < SHORTEST || !/^[\x20-\x7e]+$/.test(password)) {
    throw new NestctlError(
      `A password has ${SHORTEST} characters or more, letters, digits and signs of ASCII.`,
      {
        kind: 'usage',
        code: 'invalid_password',
      },
    );
  }
  return scramVerifier(password);
}
