import sql from 'sql-template-tag';
import type { Connection } from '../database/connection.js';
import type { Duty } from '../database/duties.js';
import { asDuty, memberships } from '../doctor/duty-checks.js';
import { operatorsWhere } from './list-operators.js';
import type { Operator } from './operator.js';

export interface Whoami {
  readonly login: string;
  /** Null where the login is registered as nobody. */
  readonly operator: Operator | null;
  /** Duty roles that the login can take, registered or not. */
  readonly roles: readonly Duty[];
  /** Duties under which this operator approves and reviews: registered, and held for a day. */
  readonly may_approve: readonly Duty[];
  /** Access grants that are open now. */
  readonly open_grants: number;
  /** Requests of others that wait for this operator. */
  readonly to_decide: number;
}

const DAY = 86_400_000;

/** Who the connection's login is to the database: not what the context says, but what would count. */
export async function whoami(connection: Connection): Promise<Whoami> {
  const roles = await memberships(connection);
  const login = connection.target.user;
  const nobody = { login, operator: null, roles, may_approve: [], open_grants: 0, to_decide: 0 };
  const [first] = roles;
  if (first === undefined) return nobody;
  return await asDuty(connection, first, async () => {
    const [operator] = await connection.query<Operator>(operatorsWhere(sql`o.login = session_user`));
    if (operator === undefined) return nobody;
    const { now, open_grants, waiting } = await connection.one<{
      now: Date;
      open_grants: number;
      waiting: Record<string, number>;
    }>(sql`
      select clock_timestamp() as now,
        (select count(*)::int from ops.access_grants g
          where g.operator = session_user and g.closed_at is null and g.expires_at > clock_timestamp()) as open_grants,
        (select coalesce(jsonb_object_agg(w.approver_duty, w.waiting), '{}') from (
          select a.approver_duty, count(*)::int as waiting from ops.approvals a
          where a.requested_by <> session_user and ops.approval_state(a) = 'pending' group by a.approver_duty) w) as waiting`);
    const oldEnough = (since: string | Date) => now.getTime() - new Date(since).getTime() >= DAY;
    const may_approve = operator.duties
      .filter((held) => held.live && oldEnough(held.granted_at) && oldEnough(operator.registered_at))
      .map(({ duty }) => duty);
    const to_decide = may_approve.reduce((sum, duty) => sum + (waiting[duty] ?? 0), 0);
    return { login, operator, roles, may_approve, open_grants, to_decide };
  });
}
