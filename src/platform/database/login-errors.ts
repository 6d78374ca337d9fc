import { NestctlError } from '../errors.js';
import { type ConnectionTarget, describeTarget } from './target.js';

/** The command that brings a connection back, or shows what it is made from; undefined outside a context. */
export function wayOn({ context }: ConnectionTarget): string | undefined {
  if (context === undefined) return undefined;
  return context.kind === 'local' ? 'nestctl local up' : `nestctl context show ${context.name}`;
}

/** The server did not take the password; the hint says where it came from. */
export function wrongPassword(target: ConnectionTarget): NestctlError {
  return new NestctlError(`${describeTarget(target)}: the password was not accepted.`, {
    kind: 'not_allowed',
    code: 'wrong_password',
    hint:
      target.password !== undefined
        ? 'It comes from the variable or the program that the context names.'
        : `It comes from ${target.passfile ?? 'PGPASSWORD or ~/.pgpass'}.`,
    next: target.context === undefined ? undefined : `nestctl context show ${target.context.name}`,
  });
}
