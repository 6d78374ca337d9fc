import sql from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import { type Account, type AccountFamily, showAccount } from './account.js';

export interface AccountLink {
  readonly kept: Account;
  readonly duplicate: Account;
  /** Memberships that move to the account that is kept. */
  readonly moving: readonly AccountFamily[];
}

/**
 * What linking a person's two accounts would move. Throws `conflict` where both are members of one family: which
 * membership is to stay is decided first.
 */
export async function planAccountLink(
  session: Session,
  kept: string,
  duplicate: string,
): Promise<AccountLink> {
  const plan = { kept: await showAccount(session, kept), duplicate: await showAccount(session, duplicate) };
  const live = ({ families }: Account) => families.filter(({ status }) => status !== 'removed');
  const moving = live(plan.duplicate);
  const both = moving.filter(({ family_id }) => live(plan.kept).some((one) => one.family_id === family_id));
  if (both[0] === undefined) return { ...plan, moving };
  throw new NestctlError('Both accounts are members of the same family.', {
    kind: 'conflict',
    code: 'both_members',
    hint: `Decide which membership is to stay: ${both.map(({ name, family_id }) => `${name} ${family_id}`).join(', ')}.`,
    next: `nestctl member remove --family ${both[0].family_id} --user ${duplicate}`,
  });
}

/** Moves the memberships and suspends the duplicate, in one transaction; returns the account that is kept. */
export async function linkAccounts(session: Session, { kept, duplicate }: AccountLink): Promise<Account> {
  await session.query(
    sql`select ops.link_accounts(${kept.id}, ${duplicate.id}, ${kept.seen}, ${duplicate.seen})`,
  );
  return await showAccount(session, kept.id);
}
