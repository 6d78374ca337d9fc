import pg from 'pg';
import sql from 'sql-template-tag';
import type { Connection } from '../../platform/database/connection.js';
import { DUTIES, dutyRole } from '../../platform/database/duties.js';
import { NestctlError } from '../../platform/errors.js';

const quote = pg.escapeIdentifier;

export const DUTY_ROLES: readonly string[] = DUTIES.map(dutyRole);
export const ACTING_ROLES: readonly string[] = ['authenticated', 'anon', 'service_role', ...DUTY_ROLES];

/**
 * Lets the owner take on the roles that the proof acts as, within the running transaction. Returns the statements that
 * did it. Throws `not_allowed` with what a DBA has to run.
 */
export async function takeRoles(connection: Connection): Promise<string[]> {
  const { version, me } = await connection.one<{ version: number; me: string }>(
    `select current_setting('server_version_num')::int / 10000 as version, session_user as me`,
  );
  const missing = await connection.query<{ role: string }>(sql`
    select r as role from unnest(${[...ACTING_ROLES]}::text[]) with ordinality u (r, o)
    where not pg_has_role(session_user, r, ${version >= 16 ? 'SET' : 'MEMBER'}) order by o`);
  const statements = missing.map(
    ({ role }) =>
      `grant ${quote(role)} to ${quote(me)}${version >= 16 ? ' with inherit false, set true' : ''}`,
  );
  try {
    for (const statement of statements) await connection.query(statement);
  } catch (error) {
    if (!(error instanceof NestctlError) || error.kind !== 'not_allowed') throw error;
    throw new NestctlError('The owner may not act as the roles whose access is proved.', {
      kind: 'not_allowed',
      code: 'roles_not_granted',
      hint: `A DBA has to run this, once for the whole cluster:\n${statements.map((one) => `${one};`).join('\n')}`,
      cause: error,
    });
  }
  return statements;
}
