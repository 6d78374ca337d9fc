import type { Connection } from '../database/connection.js';
import { DUTIES, type Duty, dutyRole } from '../database/duties.js';
import { type Finding, finding } from './finding.js';

interface HeldDuty {
  readonly duty: Duty;
  readonly expires_at: Date | null;
}

/** The duty roles that the connection's login is a member of. */
export async function memberships(connection: Connection): Promise<Duty[]> {
  const rows = await connection.query<{ duty: Duty }>(
    `select duty from unnest($1::text[]) with ordinality d (duty, position)
     where exists (select from pg_roles r where r.rolname = 'nestsync_' || duty and pg_has_role(session_user, r.oid, 'member'))
     order by position`,
    [DUTIES],
  );
  return rows.map((row) => row.duty);
}

/** Which duties this operator may take, and until when. */
export async function checkDuties(connection: Connection, duties: readonly Duty[]): Promise<Finding[]> {
  const login = connection.target.user;
  const [first] = duties;
  if (first === undefined) {
    return [finding('duties', 'error', `${login} is a member of no duty role`, { object: login })];
  }
  const held = await asDuty(connection, first, () =>
    connection.query<HeldDuty>(
      `select duty, expires_at from ops.operator_duties
       where login = session_user and revoked_at is null and coalesce(expires_at > clock_timestamp(), true)`,
    ),
  );
  if (held.length === 0) {
    return [
      finding('duties', 'error', `${login} holds no duty that counts: not registered, revoked or expired`, {
        object: login,
      }),
    ];
  }
  return duties.map((duty) => {
    const one = held.find((each) => each.duty === duty);
    if (one === undefined)
      return finding(
        'duties',
        'warning',
        'the role was granted, but the duty is not registered, revoked or expired',
        { object: duty },
      );
    return finding(
      'duties',
      'ok',
      one.expires_at === null ? 'held' : `held until ${one.expires_at.toISOString()}`,
      { object: duty },
    );
  });
}

/** Work under a duty on a connection that has none, and back. */
export async function asDuty<T>(connection: Connection, duty: Duty, work: () => Promise<T>): Promise<T> {
  await connection.query(`set role ${dutyRole(duty)}`);
  try {
    return await work();
  } finally {
    await connection.query('reset role');
  }
}
