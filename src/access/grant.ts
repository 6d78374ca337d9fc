import sql, { empty, type Sql } from 'sql-template-tag';
import type { ListOrder } from '../platform/database/list-order.js';

export type GrantKind = 'read' | 'impersonation' | 'directory' | 'break_glass';

/** An access grant as ops.access_grants keeps it. */
export interface Grant {
  readonly id: string;
  readonly operator: string;
  readonly duty: string;
  readonly kind: GrantKind;
  readonly family_id: string | null;
  readonly user_id: string | null;
  readonly reason: string;
  readonly ticket: string;
  readonly opened_at: Date;
  readonly expires_at: Date;
  readonly closed_at: Date | null;
  /** By the server's clock at the moment of reading. */
  readonly live: boolean;
}

export const LIVE: Sql = sql`(closed_at is null and expires_at > clock_timestamp())`;

/** Grants that a condition names, newest first or in an order, as far as the session may see them. */
export function grantsWhere(condition: Sql, limit: number, order?: ListOrder): Sql {
  return sql`
    select id, operator, duty, kind, family_id, user_id, reason, ticket, opened_at, expires_at, closed_at, ${LIVE} as live
      ${order === undefined ? empty : sql`, ${order.place}`}
    from ops.access_grants
    where ${condition}
    order by ${order?.by ?? sql`opened_at desc, id desc`}
    limit ${limit}`;
}

/** Live grants of the session's own operator, under one duty or under any. */
export function ownLiveGrants(duty?: string): Sql {
  const underDuty = duty === undefined ? empty : sql`and duty = ${duty}`;
  return grantsWhere(sql`operator = session_user and ${LIVE} ${underDuty}`, 1000);
}
