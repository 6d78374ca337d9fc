import sql from 'sql-template-tag';
import type { Session } from '../../../platform/database/session.js';
import { NestctlError } from '../../../platform/errors.js';
import { type Erasure, type OutsideStep, readErasure, readOutside } from '../erasure.js';
import { closeErasure } from '../prove-erasure.js';

export interface Settlement {
  readonly request: string;
  readonly recipient: string;
  readonly about: string;
  readonly outcome: 'erased' | 'not_held' | 'kept';
  /** By what it can be looked up there: no personal data. */
  readonly reference: string;
}

/** What would be put down. Throws `not_found`, and `settled` where it was before. */
export async function planSettlement(
  session: Session,
  { request, recipient, outcome, reference }: Omit<Settlement, 'about'>,
): Promise<Settlement> {
  await readErasure(session, request);
  const steps = await readOutside(session, request);
  const step = steps.find((each) => each.recipient === recipient);
  if (step === undefined) {
    throw new NestctlError(`Request ${request} has nothing to settle with ${recipient}.`, {
      kind: 'not_found',
      code: 'no_recipient',
      hint:
        steps.length === 0
          ? 'Nobody outside had anything, or it has not begun.'
          : `There are: ${steps.map((each) => each.recipient).join(', ')}.`,
      next: `nestctl erasure show ${request}`,
    });
  }
  if (step.outcome !== null) {
    throw new NestctlError(`What became of it at ${recipient} is on record already.`, {
      kind: 'conflict',
      code: 'settled',
      next: `nestctl erasure show ${request}`,
    });
  }
  return { request, recipient, about: step.about, outcome, reference };
}

/** Puts down what became of it there, and closes the erasure where that was the last. */
export async function settleOutside(
  session: Session,
  { request, recipient, outcome, reference }: Settlement,
): Promise<{ readonly erasure: Erasure; readonly outside: readonly OutsideStep[] }> {
  await session.query(sql`select privacy.settle_outside(${request}, ${recipient}, ${outcome}, ${reference})`);
  return { erasure: await closeErasure(session, request), outside: await readOutside(session, request) };
}
