import sql from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import { type EndGround, findGuardian, type Guardian } from './guardian.js';

export interface GuardianEnding {
  readonly before: Guardian;
  /** The first day on which it no longer holds, YYYY-MM-DD. */
  readonly on: string;
  readonly ground: EndGround;
}

/**
 * What ending a record would do; on today of its family's zone where no day is given. Throws `not_found`, and
 * `conflict` where it has ended or would end before it begins.
 */
export async function planGuardianEnding(
  session: Session,
  family: string,
  id: string,
  wish: { readonly on: string | undefined; readonly ground: EndGround },
): Promise<GuardianEnding> {
  const before = await findGuardian(session, family, id);
  const { today } = await session.one<{ today: string }>(
    sql`select (clock_timestamp() at time zone f.timezone)::date as today from public.families f where f.id = ${family}`,
  );
  const on = wish.on ?? today;
  if (before.ended_on !== null) {
    throw new NestctlError(`It ended on ${before.ended_on} already.`, {
      kind: 'conflict',
      code: 'no_change',
    });
  }
  if (on < before.from_date && wish.ground !== 'entered_in_error') {
    throw new NestctlError(`It cannot end before it begins, on ${before.from_date}.`, {
      kind: 'conflict',
      hint: 'What never held was entered in error: --because entered_in_error.',
    });
  }
  return { before, on, ground: wish.ground };
}

/** Ends the very record that was planned for, and reads it back. */
export async function endGuardian(session: Session, plan: GuardianEnding): Promise<Guardian> {
  const { family_id, id, seen } = plan.before;
  await session.query(
    sql`select privacy.end_guardian(${family_id}, ${id}, ${plan.on}::date, ${plan.ground}, ${seen})`,
  );
  return await findGuardian(session, family_id, id);
}
