import sql from 'sql-template-tag';
import { findPeople } from '../../families/index.js';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import { ensureAccess, lendPurpose, liveGrants } from '../ensure-access.js';
import type { AccessWish } from '../open-access.js';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * The id of the person that an id or a whole e-mail address names. An address that no live grant covers is looked
 * up in the directory, which is recorded. Throws `not_found`, `no_grant`, `usage`.
 */
export async function findPerson(session: Session, named: string, wish: AccessWish): Promise<string> {
  if (UUID.test(named)) return named.toLowerCase();
  if (!/^[^@\s]+@[^@\s]+$/.test(named)) {
    throw new NestctlError('--user: neither an id nor a whole e-mail address.', {
      kind: 'usage',
      code: 'invalid_person',
    });
  }
  const [covered] = await session.query<{ id: string }>(
    sql`select id from public.users where lower(email) = lower(${named})`,
  );
  if (covered !== undefined) return covered.id;
  await ensureAccess(session, { kind: 'directory' }, wish);
  const [found] = await findPeople(session, { email: named });
  if (found !== undefined) return found.id;
  throw new NestctlError('Nobody has this e-mail address.', {
    kind: 'not_found',
    code: 'person_missing',
    hint: 'The invitation may have gone to another spelling of it.',
  });
}

/** Makes sure that live grants cover a person, and the family of the complaint where one is named. Throws `no_grant`. */
export async function coverPerson(
  session: Session,
  person: string,
  family: string | undefined,
  wish: AccessWish,
): Promise<void> {
  if (family !== undefined) await ensureAccess(session, { kind: 'family', id: family }, wish);
  const [covered] = await session.query(sql`select from public.users where id = ${person}`);
  if (covered === undefined) return await ensureAccess(session, { kind: 'user', id: person }, wish);
  if (family !== undefined) return;
  const grants = await liveGrants(session);
  const lender =
    grants.find((grant) => grant.user_id === person) ?? grants.find((grant) => grant.kind !== 'directory');
  if (lender !== undefined) await lendPurpose(session, lender, wish);
}
