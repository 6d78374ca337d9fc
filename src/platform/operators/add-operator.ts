import sql from 'sql-template-tag';
import type { Duty } from '../database/duties.js';
import type { Session } from '../database/session.js';
import type { OperatorChange, OperatorPlan } from './operator.js';

export interface NewOperator {
  readonly login: string;
  readonly name: string;
  readonly email: string;
  readonly duties: readonly Duty[];
  /** When all of these duties end; the duty auditor always does. */
  readonly until?: Date | undefined;
}

/** What adding an operator would do. Throws where it may not be: a name that is taken, a role that is more. */
export async function planOperator(session: Session, wish: NewOperator): Promise<OperatorPlan> {
  const { login, name, email, duties, until } = wish;
  const { plan } = await session.one<{ plan: OperatorPlan }>(
    sql`select ops.plan_add_operator(${login}, ${name}, ${email}, ${duties}, ${until ?? null}) as plan`,
  );
  return plan;
}

/**
 * Adds the operator as planned and approved. `verifier` is a SCRAM-SHA-256 verifier for the login's password, never
 * the password. Throws `pending` without an approval.
 */
export async function addOperator(
  session: Session,
  { login, name, email, duties, until }: OperatorPlan,
  verifier: string | undefined,
): Promise<OperatorChange> {
  const { done } = await session.one<{ done: OperatorChange }>(sql`
    select ops.add_operator(${login}, ${name}, ${email}, ${duties}, ${until ?? null}, ${verifier ?? null}) as done`);
  return done;
}

/** Whether the server has a role of this name. */
export async function loginExists(session: Session, login: string): Promise<boolean> {
  return (await session.query(sql`select from pg_catalog.pg_roles where rolname = ${login}`)).length > 0;
}
