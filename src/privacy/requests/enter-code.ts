import sql from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import { codeDigits, codeKey, readIdentityCode } from './identity-code.js';
import { type DataRequest, readRequest, refusal } from './request.js';
import type { StepPlan } from './take-step.js';

/**
 * Verifies who asks by the code that was sent to them. That it was entered is committed before it is judged, so that
 * neither a kill nor a rollback takes an attempt back. Throws `no_code`, `code_expired`, `not_a_code` (which counts as no
 * attempt), `wrong_code`, and what the database refuses.
 */
export async function enterCode(session: Session, plan: StepPlan, written: string): Promise<DataRequest> {
  const { before, wish } = plan;
  if (wish.verb !== 'verify-identity')
    throw new Error('a code verifies an identity, and takes no other step');
  const { number } = before;
  const digits = codeDigits(written);
  if (digits === undefined)
    throw new NestctlError('A code is 8 digits. This was none, and does not count as an attempt.', {
      kind: 'usage',
      code: 'not_a_code',
    });
  const { salt } = await requireCode(session, before);
  const key = await codeKey(digits, salt);
  const { entry } = await session.one<{ entry: string }>(sql`
    select privacy.enter_identity_code(${number}, ${before.seen}, ${key}, ${wish.authority}, ${wish.remark}) as entry`);
  const { passed } = await session.one<{ passed: boolean }>(sql`
    select privacy.judge_identity_code(${entry}::uuid, ${wish.authority}, ${wish.remark}) as passed`);
  if (passed) return await readRequest(session, number);
  const { attempts_left: left } = await readIdentityCode(session, number);
  throw new NestctlError('That is not the code that was sent. The failed attempt is on record.', {
    kind: 'not_allowed',
    code: 'wrong_code',
    hint:
      left === 0
        ? 'It was the last within 24 hours.'
        : `Only the code of the latest letter counts. ${left === 1 ? 'One attempt is' : `${left} attempts are`} left within 24 hours.`,
    next: `nestctl request show ${number}`,
  });
}

/** The code that can be entered for a request. Throws `no_code` and `code_expired`. */
export async function requireCode(
  session: Session,
  { number }: Pick<DataRequest, 'number'>,
  now: Date = new Date(),
): Promise<{ readonly salt: Buffer; readonly expires_at: Date }> {
  const { salt, expires_at, current } = await readIdentityCode(session, number);
  const next = `nestctl request send-code ${number}`;
  if (current === null || salt === null || expires_at === null)
    throw refusal('no_code', 'No code was sent that is still good.', next);
  if (expires_at <= now) throw refusal('code_expired', 'The code has expired.', next);
  return { salt, expires_at };
}
