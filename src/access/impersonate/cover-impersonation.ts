import sql from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import { ensureAccess } from '../ensure-access.js';
import { findPerson } from '../explain/find-person.js';
import type { AccessWish } from '../open-access.js';
import type { ParsedStatement } from './parse-statement.js';

/** Volatile, and yet they change nothing and reveal nothing. */
const HARMLESS = [
  'random',
  'random_normal',
  'gen_random_uuid',
  'uuidv4',
  'uuidv7',
  'clock_timestamp',
  'timeofday',
];

/** The person that is named, with a live impersonation grant for them. Throws `no_grant`, `not_found`. */
export async function coverImpersonation(
  session: Session,
  user: string,
  purpose: AccessWish,
): Promise<string> {
  const person = await findPerson(session, user, purpose);
  await ensureAccess(session, { kind: 'impersonation', id: person }, purpose);
  return person;
}

/**
 * Refuses functions that could leave the impersonation, wait, signal or write: all that are volatile, such as
 * set_config, query_to_xml or dblink, but for the harmless ones. Throws `usage`.
 */
export async function refuseFunctions(session: Session, { functions }: ParsedStatement): Promise<void> {
  if (functions.length === 0) return;
  const [found] = await session.query<{ name: string }>(sql`
    select p.proname as name from pg_catalog.pg_proc p
    where p.proname = any (${[...functions]}) and p.provolatile = 'v' and not p.proname = any (${HARMLESS}) limit 1`);
  if (found === undefined) return;
  throw new NestctlError(`${found.name}() may do more than read: it is not run as somebody else.`, {
    kind: 'usage',
    code: 'volatile_function',
    hint: `Of volatile functions only ${HARMLESS.join(', ')} are.`,
  });
}

/** Puts the statement on record, in a transaction of its own. */
export async function record(
  session: Session,
  person: string,
  statement: ParsedStatement,
  writes: boolean,
): Promise<void> {
  await session.query(sql`select ops.impersonate(${person}, ${statement.text}, ${writes})`);
}
