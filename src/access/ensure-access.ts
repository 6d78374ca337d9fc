import sql from 'sql-template-tag';
import type { Session } from '../platform/database/session.js';
import { NestctlError } from '../platform/errors.js';
import { type Grant, ownLiveGrants } from './grant.js';
import { type AccessWish, openAccess, planAccess } from './open-access.js';
import { covers, noGrant, type Scope } from './scope.js';

/** Live grants of the session's operator under its duty, newest first. */
export async function liveGrants(session: Session): Promise<Grant[]> {
  return await session.query<Grant>(ownLiveGrants(session.duty));
}

/**
 * Makes sure that the session may read a scope: by a live grant, which then lends its reason and ticket to what
 * follows, else by opening one where reason and ticket were given. Throws `no_grant` where neither was, and
 * `needs_input` where only one of them was.
 */
export async function ensureAccess(session: Session, scope: Scope, wish: AccessWish): Promise<void> {
  const grants = await liveGrants(session);
  const grant =
    grants.find((one) => covers(one, scope)) ??
    (scope.kind === 'family' ? await throughPerson(session, scope.id, grants) : undefined);
  if (grant !== undefined) return await lendPurpose(session, grant, wish);
  if (wish.reason === undefined && wish.ticket === undefined) {
    const elsewhere = await session.query<Grant>(ownLiveGrants());
    throw noGrant(
      scope,
      elsewhere.find((one) => covers(one, scope)),
    );
  }
  await openAccess(session, planAccess(session, scope, wish));
}

/** Makes sure that the session may read anything at all. Throws `no_grant`. */
export async function ensureSomeAccess(session: Session): Promise<void> {
  const grants = await liveGrants(session);
  if (grants.some((grant) => grant.kind !== 'directory')) return;
  throw new NestctlError(`Under the duty "${session.duty}" only what a live access grant covers is shown.`, {
    kind: 'not_allowed',
    code: 'no_grant',
    hint: 'Name a family with --family or a person with --user, with --reason and --ticket.',
    next: `nestctl access open --family … --reason '…' --ticket … --for 30m`,
  });
}

/** States a grant's reason and ticket for what follows, but for what was given by hand. */
export async function lendPurpose(session: Session, grant: Grant, wish: AccessWish): Promise<void> {
  await session.query(sql`
    select set_config('nestsync.reason', ${wish.reason ?? grant.reason}, false),
      set_config('nestsync.ticket', ${wish.ticket ?? grant.ticket}, false)`);
}

/** The grant for a person that opens a family of theirs too. Row security knows whether one does. */
async function throughPerson(
  session: Session,
  family: string,
  grants: readonly Grant[],
): Promise<Grant | undefined> {
  const forPeople = grants.filter((grant) => grant.kind === 'read' && grant.user_id !== null);
  if (forPeople.length === 0) return undefined;
  const [opener] = await session.query<{ user_id: string }>(sql`
    select m.user_id from public.family_members m
    where m.family_id = ${family} and m.status <> 'removed' and m.user_id = any (${forPeople.map((grant) => grant.user_id)})`);
  return opener === undefined ? undefined : forPeople.find((grant) => grant.user_id === opener.user_id);
}
