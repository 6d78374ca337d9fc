import sql from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import { type Consent, type ConsentType, showConsents } from './consent.js';

/** How the person has said so. */
export type WithdrawalWay = 'e-mail' | 'letter' | 'telephone' | 'in_person' | 'application';

export interface Withdrawal {
  readonly person: string;
  readonly before: Consent;
  readonly how: WithdrawalWay;
}

/** What a withdrawal would change, and what follows. Throws `no_change` where nothing of the kind is in force. */
export async function planWithdrawal(
  session: Session,
  person: string,
  wish: { readonly type: ConsentType; readonly how: WithdrawalWay },
): Promise<Withdrawal> {
  const before = await consentOf(session, person, wish.type);
  if (before.status === 'granted' || before.setting === true) return { person, before, how: wish.how };
  throw new NestctlError(`The consent to ${wish.type} is not in force: ${before.status}.`, {
    kind: 'conflict',
    code: 'no_change',
    next: `nestctl consent show ${person}`,
  });
}

/** Withdraws the very consent that was planned for, and reads back how it stands. */
export async function withdrawConsent(session: Session, plan: Withdrawal): Promise<Consent> {
  const { person, before, how } = plan;
  await session.query(
    sql`select privacy.withdraw_consent(${person}, ${before.type}, ${how}, ${before.seen})`,
  );
  const after = await consentOf(session, person, before.type);
  if (after.status === 'granted' || after.setting === true)
    throw new Error('the consent read back is still in force');
  return after;
}

async function consentOf(session: Session, person: string, type: ConsentType): Promise<Consent> {
  const consent = (await showConsents(session, person)).find((one) => one.type === type);
  if (consent === undefined) throw new Error(`the database knows no consent of the kind ${type}`);
  return consent;
}
