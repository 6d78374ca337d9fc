import sql from 'sql-template-tag';
import type { Duty } from '../database/duties.js';
import type { Session } from '../database/session.js';
import type { OperatorChange, OperatorPlan } from './operator.js';

export interface DutyWish {
  readonly login: string;
  readonly duty: Duty;
  readonly remove: boolean;
  readonly until?: Date | undefined;
}

/** What giving or taking the duty would do. Throws where it may not be: one's own, one held already, the last admin's. */
export async function planDuty(session: Session, wish: DutyWish): Promise<OperatorPlan> {
  const { login, duty, until } = wish;
  const { plan } = await session.one<{ plan: OperatorPlan }>(
    wish.remove
      ? sql`select ops.plan_remove_duty(${login}, ${duty}) as plan`
      : sql`select ops.plan_add_duty(${login}, ${duty}, ${until ?? null}) as plan`,
  );
  return plan;
}

/** Gives or takes the duty as planned and approved. Throws `pending` without an approval. */
export async function changeDuty(session: Session, plan: OperatorPlan): Promise<OperatorChange> {
  const { done } = await session.one<{ done: OperatorChange }>(
    plan.do === 'remove duty'
      ? sql`select ops.remove_duty(${plan.login}, ${plan.duty}) as done`
      : sql`select ops.add_duty(${plan.login}, ${plan.duty}, ${plan.until ?? null}) as done`,
  );
  return done;
}
