import type { Duty } from '../platform/database/duties.js';
import { NestctlError } from '../platform/errors.js';

/**
 * Opens a session, or several, under the duty asked for, else under the first of `duties` that the operator holds. Throws
 * `duty_not_allowed` for one that does not serve, `duty_not_held` where the operator holds none.
 */
export async function openUnderDuty<T>(
  duties: readonly Duty[],
  asked: Duty | undefined,
  open: (duty: Duty) => Promise<T>,
): Promise<T> {
  if (asked !== undefined) {
    if (duties.includes(asked)) return await open(asked);
    throw new NestctlError(`The duty "${asked}" does not do this.`, {
      kind: 'not_allowed',
      code: 'duty_not_allowed',
      hint: `It takes ${duties.join(' or ')}.`,
    });
  }
  for (const [at, duty] of duties.entries()) {
    try {
      return await open(duty);
    } catch (error) {
      const notHeld = error instanceof NestctlError && error.code === 'duty_not_held';
      if (!notHeld || at === duties.length - 1) throw error;
    }
  }
  throw new Error('a command must name the duties that serve');
}
