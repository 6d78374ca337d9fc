import sql from 'sql-template-tag';
import type { Session } from '../platform/database/session.js';
import { type Grant, ownLiveGrants } from './grant.js';
import { type AccessWish, openAccess, planAccess } from './open-access.js';
import { covers, noGrant, type Scope } from './scope.js';

/** Live grants of the session's operator under its duty, newest first. */
export async function liveGrants(session: Session): Promise<Grant[]> {
  return await session.query<Grant>(ownLiveGrants(session.duty));
}

/**
 * Makes sure that the session may read a scope: by a live grant, which then lends its reason and ticket to what
 * follows, else by opening one where reason and ticket were given. Throws `no_grant` otherwise.
 */
export async function ensureAccess(session: Session, scope: Scope, wish: AccessWish): Promise<void> {
  const grant = (await liveGrants(session)).find((one) => covers(one, scope));
  if (grant === undefined) {
    if (scope.kind === 'family' && (await coveredThroughPerson(session, scope.id))) return;
    if (wish.reason === undefined || wish.ticket === undefined) throw noGrant(scope);
    await openAccess(session, planAccess(session, scope, wish));
    return;
  }
  await session.query(sql`
    select set_config('nestsync.reason', ${wish.reason ?? grant.reason}, false),
      set_config('nestsync.ticket', ${wish.ticket ?? grant.ticket}, false)`);
}

/** A grant for a person opens their families too; row security knows which. */
async function coveredThroughPerson(session: Session, family: string): Promise<boolean> {
  const rows = await session.query(sql`select from public.families where id = ${family}`);
  return rows.length > 0;
}
