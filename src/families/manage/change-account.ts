import sql, { type Sql } from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import { type Account, showAccount } from './account.js';

export type AccountVerb = 'suspend' | 'reinstate' | 'resend-verification';

export interface AccountChange {
  readonly before: Account;
  readonly verb: AccountVerb;
}

/** What would be done to an account. Throws `not_found`, and `conflict` where it would change nothing. */
export async function planAccountChange(
  session: Session,
  id: string,
  verb: AccountVerb,
): Promise<AccountChange> {
  const before = await showAccount(session, id);
  const refusal = REFUSALS[verb](before);
  if (refusal === undefined) return { before, verb };
  throw new NestctlError(refusal, { kind: 'conflict', code: 'no_change' });
}

/** Does it to the very row that was planned for, and reads the account back. */
export async function changeAccount(session: Session, { before, verb }: AccountChange): Promise<Account> {
  await session.query(STATEMENTS[verb](before));
  return await showAccount(session, before.id);
}

const REFUSALS: Record<AccountVerb, (account: Account) => string | undefined> = {
  suspend: ({ status }) => (status === 'suspended' ? 'The account is suspended already.' : undefined),
  reinstate: ({ status }) =>
    status === 'active' || status === 'pending_verification' ? 'The account is not suspended.' : undefined,
  'resend-verification': ({ email_verified_at }) =>
    email_verified_at === null ? undefined : 'The address is verified already.',
};

const STATEMENTS: Record<AccountVerb, (account: Account) => Sql> = {
  suspend: ({ id, seen }) => sql`select ops.suspend_user(${id}, ${seen})`,
  reinstate: ({ id, seen }) => sql`select ops.reinstate_user(${id}, ${seen})`,
  'resend-verification': ({ id, seen }) => sql`select ops.resend_verification(${id}, ${seen})`,
};
