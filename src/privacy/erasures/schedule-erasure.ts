import sql from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import { type Erasure, type ErasureGround, readErasure } from './erasure.js';
import { type ErasurePlan, planErasure } from './plan-erasure.js';

export interface SchedulePlan {
  readonly plan: ErasurePlan;
  readonly ground: ErasureGround;
  /** What a second operator approves: whom, why, which families go, and the hash of the plan. */
  readonly approvable: Readonly<Record<string, unknown>>;
}

/** Throws `not_clear` where something stands against it, and what `planErasure` does. */
export async function planSchedule(
  session: Session,
  number: string,
  ground: ErasureGround,
): Promise<SchedulePlan> {
  const plan = await planErasure(session, number);
  const [gate] = plan.gates;
  if (gate !== undefined) {
    throw new NestctlError(`${gate.why.charAt(0).toUpperCase()}${gate.why.slice(1)}.`, {
      kind: 'conflict',
      code: 'not_clear',
      next: gate.next,
    });
  }
  const { approvable } = await session.one<{ approvable: SchedulePlan['approvable'] }>(
    sql`select privacy.erasure_approvable(${number}, ${ground}) as approvable`,
  );
  return { plan, ground, approvable };
}

/** Schedules it for thirty days from now, closes the account until then, and reads it back. */
export async function scheduleErasure(
  session: Session,
  { plan: { request }, ground }: SchedulePlan,
): Promise<Erasure> {
  await session.query(sql`select privacy.schedule_erasure(${request}, ${ground})`);
  return await readErasure(session, request);
}

/** One that can still be cancelled. Throws `not_found`, and `too_late` where it has begun or ended. */
export async function planCancel(session: Session, number: string): Promise<Erasure> {
  const erasure = await readErasure(session, number);
  if (erasure.state === 'scheduled' || erasure.state === 'due') return erasure;
  throw new NestctlError(
    erasure.state === 'cancelled'
      ? `The erasure of request ${number} was cancelled already.`
      : `The erasure of request ${number} has begun: what is erased cannot be put back.`,
    { kind: 'conflict', code: 'too_late', next: `nestctl erasure show ${number}` },
  );
}

/** Puts back the account and how it was notified, and reads it back. */
export async function cancelErasure(session: Session, { request }: Erasure): Promise<Erasure> {
  await session.query(sql`select privacy.cancel_erasure(${request})`);
  return await readErasure(session, request);
}
