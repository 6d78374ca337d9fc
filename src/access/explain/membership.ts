import type { Condition } from './condition.js';

/** What ops.explain says of a person's membership in the family that a row belongs to. */
export interface MembershipFacts {
  readonly account: string | null;
  readonly family?: {
    readonly id: string;
    readonly name: string;
    readonly timezone: string;
    readonly archived_at: string | null;
  } | null;
  readonly membership?: {
    readonly id: string;
    readonly role: string;
    readonly status: string;
    readonly joined_at: string | null;
    readonly access_expires_at: string | null;
    readonly expired: boolean;
    readonly granted_permissions: readonly string[];
    readonly denied_permissions: readonly string[];
  } | null;
  readonly invitation?: {
    readonly id: string;
    readonly role: string;
    readonly status: string;
    readonly expires_at: string;
  } | null;
  readonly scopes?: Readonly<Record<string, ScopeFacts>>;
  readonly roles?: readonly { readonly role: string; readonly permission: string; readonly scope: string }[];
}

export interface ScopeFacts {
  /** What the role gives by itself. */
  readonly of_role: string | null;
  readonly granted: boolean;
  readonly denied: boolean;
  /** What comes of all three: the row scope, or null for none. */
  readonly scope: string | null;
}

/** What private.member_families is asked for: a permission, and the row scopes of which one must be given. */
export interface Wanted {
  readonly permission: string;
  readonly scopes: readonly string[];
}

/** The permission that a test asks of the membership in the row's family, where it does. */
export function wantedBy(test: Condition): Wanted | undefined {
  const { call } = test.among ?? {};
  if (call?.schema !== 'private' || call.name !== 'member_families') return undefined;
  const [permission, scopes = 'all'] = call.args;
  return permission == null || scopes === null ? undefined : { permission, scopes: scopes.split(' ') };
}
