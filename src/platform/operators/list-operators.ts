import sql, { type Sql } from 'sql-template-tag';
import type { Connection } from '../database/connection.js';
import type { Operator } from './operator.js';

/** Operators that the session may see, by login; the revoked ones too where asked for. */
export async function listOperators(
  connection: Connection,
  { revoked }: { readonly revoked: boolean },
): Promise<Operator[]> {
  return await connection.query<Operator>(operatorsWhere(revoked ? sql`true` : sql`o.revoked_at is null`));
}

export function operatorsWhere(condition: Sql): Sql {
  return sql`
    select o.login, o.display_name as name, o.email, o.registered_at, o.registered_by, o.revoked_at,
      coalesce((
        select jsonb_agg(jsonb_build_object('duty', d.duty, 'granted_at', d.granted_at, 'expires_at', d.expires_at,
          'live', o.revoked_at is null and coalesce(d.expires_at > clock_timestamp(), true)) order by d.duty)
        from ops.operator_duties d where d.login = o.login and d.revoked_at is null), '[]') as duties,
      case when r.rolcanlogin then 'on' when r.rolname is not null then 'off' else 'absent' end as login_state
    from ops.operators o left join pg_catalog.pg_roles r on r.rolname = o.login
    where ${condition}
    order by o.login`;
}
