import type { Step } from './step.js';

/** What can stand in somebody's way, from what explains most to what explains least. */
export const CAUSES = [
  'pending_deletion',
  'consent_withdrawn',
  'account_given_up',
  'account_suspended',
  'membership_suspended',
  'membership_removed',
  'family_archived',
  'access_expired',
  'permission_denied',
  'role_too_low',
  'two_accounts',
  'email_unverified',
  'invitation_not_accepted',
  'invitation_expired',
  'invitation_revoked',
  'invitation_to_other_address',
  'day_limit',
  'child_in_other_family',
  'account_locked',
  'policy_refuses',
  'no_membership',
] as const;
export type CauseKind = (typeof CAUSES)[number];

/** One thing that stands in somebody's way, or may; plain data. */
export interface Cause {
  /** To name it with: its kind, and where a list has several of that kind the beginning of the family's or account's id too. */
  readonly id: string;
  readonly kind: CauseKind;
  /** Where it is; null for what holds everywhere. The name is masked where no grant covers the family. */
  readonly family: { readonly id: string; readonly name: string; readonly granted: boolean } | null;
  /** In words that follow the person's address. */
  readonly says: string;
  readonly evidence: readonly string[];
  /** All that is needed before they can do what they expect; empty where support may not, or need not. */
  readonly steps: readonly Step[];
  /** The commands of the steps, in order, to be completed with reason and ticket. */
  readonly commands: readonly string[];
  /** Who may mend it, where support may not. */
  readonly who: string | null;
  /** What they themselves have to do after the steps; null where the steps are enough. */
  readonly afterwards: string | null;
  /** What to ask or know before the steps are done; null for nothing. */
  readonly caution: string | null;
  /** ISO; the latest is the likeliest among equals. Null where it has no time. */
  readonly since: string | null;
}

/** Before it is in its list. */
export type CauseWithoutId = Omit<Cause, 'id' | 'commands'>;

const NOTHING = {
  steps: [],
  who: null,
  afterwards: null,
  caution: null,
  since: null,
  family: null,
  evidence: [],
};

/** A cause with what is said of it, the rest absent. */
export function cause(
  kind: CauseKind,
  says: string,
  rest: Partial<Omit<CauseWithoutId, 'kind' | 'says'>> = {},
): CauseWithoutId {
  return { ...NOTHING, kind, says, ...rest };
}
