import sql from 'sql-template-tag';
import { findPeople } from '../../families/index.js';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import {
  type ChildKey,
  type CourtLimit,
  findGuardian,
  type Guardian,
  type GuardianBasis,
  type GuardianEvidence,
} from './guardian.js';

export interface GuardianWish {
  readonly child: ChildKey;
  /** An account by e-mail address or id, or the name of somebody who has none. */
  readonly person: { readonly account: string } | { readonly name: string };
  readonly basis: GuardianBasis;
  readonly limits: readonly CourtLimit[];
  readonly evidence: readonly GuardianEvidence[];
  /** First and last day, YYYY-MM-DD; null for no last one. */
  readonly from: string;
  readonly until: string | null;
}

export interface GuardianAddition extends Omit<GuardianWish, 'person'> {
  readonly user_id: string | null;
  readonly guardian_name: string | null;
  /** Of the account, masked. */
  readonly email: string | null;
}

/** The person that a command names. Throws `needs_input` where it names none. */
export function guardianPerson(flags: {
  readonly user?: string | undefined;
  readonly name?: string | undefined;
}): GuardianWish['person'] {
  if (flags.user !== undefined) return { account: flags.user };
  if (flags.name !== undefined) return { name: flags.name };
  throw new NestctlError('Who stands for the child? One of --user and --name.', {
    kind: 'needs_input',
    code: 'guardian_missing',
    next: 'nestctl guardian add --help',
  });
}

/**
 * What would be recorded, the account found in the directory (masked, on record; needs a directory session). Throws
 * `not_found`, `invalid` where the evidence does not show the basis, and `conflict` where the person stands for the
 * child on some of those days already.
 */
export async function planGuardian(session: Session, wish: GuardianWish): Promise<GuardianAddition> {
  const { person, ...rest } = wish;
  const plan = { ...rest, ...(await identify(session, person)) };
  await session.query(sql`select privacy.check_guardian(${wish.child.family}, ${wish.child.id}, ${plan.user_id},
    ${plan.guardian_name}, ${plan.basis}, ${plan.limits}::text[], ${plan.evidence}::text[], ${plan.from}::date, ${plan.until}::date)`);
  return plan;
}

/** Records the guardian and reads the record back. Throws what planning does. */
export async function addGuardian(session: Session, plan: GuardianAddition): Promise<Guardian> {
  const { child } = plan;
  const { id } = await session.one<{ id: string }>(sql`
    select privacy.add_guardian(${child.family}, ${child.id}, ${plan.user_id}, ${plan.guardian_name}, ${plan.basis},
      ${plan.limits}::text[], ${plan.evidence}::text[], ${plan.from}::date, ${plan.until}::date) as id`);
  return await findGuardian(session, child.family, id);
}

async function identify(session: Session, person: GuardianWish['person']) {
  if ('name' in person) return { user_id: null, guardian_name: person.name, email: null };
  const { account } = person;
  const [found] = await findPeople(session, account.includes('@') ? { email: account } : { id: account });
  if (found !== undefined) return { user_id: found.id, guardian_name: null, email: found.email };
  throw new NestctlError(`Nobody has an account as ${account}.`, {
    kind: 'not_found',
    hint: 'Whoever has none is recorded by name: --name.',
    next: 'nestctl guardian add --help',
  });
}
