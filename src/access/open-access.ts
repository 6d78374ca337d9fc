import sql from 'sql-template-tag';
import type { Session } from '../platform/database/session.js';
import { NestctlError } from '../platform/errors.js';
import type { GrantKind } from './grant.js';
import { GRANT_KIND, type Scope } from './scope.js';

export interface AccessPlan {
  readonly scope: Scope;
  readonly duty: string;
  readonly reason: string;
  readonly ticket: string;
  readonly minutes: number;
}

export interface OpenedAccess {
  readonly id: string;
  readonly duty: string;
  readonly kind: GrantKind;
  readonly family_id: string | null;
  readonly user_id: string | null;
  readonly expires_at: Date;
}

export interface AccessWish {
  readonly reason?: string | undefined;
  readonly ticket?: string | undefined;
  readonly minutes?: number | undefined;
}

const DEFAULT_MINUTES = 30;

/** What would be opened. Throws `needs_input` without reason or ticket, `usage` for a reason of several lines. */
export function planAccess(session: Session, scope: Scope, wish: AccessWish): AccessPlan {
  const { reason, ticket, minutes = DEFAULT_MINUTES } = wish;
  if (reason === undefined || ticket === undefined) {
    const missing = [
      ...(reason === undefined ? ['--reason'] : []),
      ...(ticket === undefined ? ['--ticket'] : []),
    ].join(' and ');
    throw new NestctlError(`Opening access needs a reason and a ticket: ${missing} is missing.`, {
      kind: 'needs_input',
      code: reason === undefined ? 'reason_missing' : 'ticket_missing',
      hint: 'Both are kept with the grant. NESTCTL_REASON and NESTCTL_TICKET do as well.',
    });
  }
  if (/\p{Cc}/u.test(reason)) {
    throw new NestctlError('The reason holds line breaks or control characters.', {
      kind: 'usage',
      code: 'invalid_reason',
      hint: 'Write it on one line.',
    });
  }
  return { scope, duty: session.duty, reason, ticket, minutes };
}

/**
 * Opens the grant in a transaction of its own, from whose commit on it counts. The database decides whether the
 * duty may, how long, and whether reason and ticket will do.
 */
export async function openAccess(session: Session, plan: AccessPlan): Promise<OpenedAccess> {
  const family = plan.scope.kind === 'family' ? plan.scope.id : null;
  const user = plan.scope.kind === 'user' || plan.scope.kind === 'impersonation' ? plan.scope.id : null;
  const kind = GRANT_KIND[plan.scope.kind];
  session.wrote = true;
  return await session.one<OpenedAccess>(sql`
    select id, duty, ${kind} as kind, ${family}::uuid as family_id, ${user}::uuid as user_id, expires_at
    from ops.open_access(${kind}, ${plan.reason}, ${plan.ticket}, ${plan.minutes}, ${family}, ${user})`);
}
