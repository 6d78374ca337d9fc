import { openSession, type Session } from '../database/session.js';
import { NestctlError } from '../errors.js';

/**
 * A session of the duty compliance for a job that only it may do, as the login of another session; undefined where that does
 * not hold it.
 */
export async function asCompliance({ target }: Session, reason: string): Promise<Session | undefined> {
  try {
    return await openSession(target, { duty: 'compliance', reason });
  } catch (error) {
    if (error instanceof NestctlError && error.kind === 'not_allowed') return undefined;
    throw error;
  }
}
