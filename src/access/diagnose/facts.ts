import type { MembershipFacts } from '../explain/membership.js';

/** What ops.diagnose answers; times as JSON has them. */
export interface DiagnosisFacts {
  readonly now: string;
  readonly person: PersonFacts;
  /** A consent that the app needs was withdrawn; which is not said. */
  readonly consent_missing: boolean;
  /** By permission: the families in which the policies' helper gives it, to whatever rows. */
  readonly decided: Readonly<Record<string, readonly string[]>>;
  readonly families: readonly FamilyFacts[];
  readonly accounts: readonly AccountFacts[];
  readonly elsewhere: readonly ElsewhereFacts[];
}

export interface PersonFacts {
  readonly id: string;
  readonly email: string;
  readonly status: 'pending_verification' | 'active' | 'suspended' | 'pending_deletion';
  readonly verified: boolean;
  /** A verification mail waits until the application sends it. */
  readonly mail_waiting: boolean;
  /** Set while it lies in the future. */
  readonly locked_until: string | null;
  readonly changed_at: string;
  readonly deletion_requested_at: string | null;
}

/** A family with the membership as the policies' helper sees it. */
export interface KnownFamily extends MembershipFacts {
  readonly family: NonNullable<MembershipFacts['family']>;
  /** Whether a grant covers it: its name and addresses are masked where none does. */
  readonly granted: boolean;
}

export interface FamilyFacts extends KnownFamily {
  /** When the membership last changed. */
  readonly changed_at: string | null;
  readonly children: number;
  /** The newest row by table, and whether the policies let the person read it; null where no grant covers the family. */
  readonly samples: Readonly<
    Record<'children' | 'usage_logs', { readonly id: string; readonly readable: boolean } | null>
  > | null;
  /** Active members beside the person. */
  readonly others: number;
  readonly invitations: readonly InvitationFacts[];
  /** For institutions only. */
  readonly logs: {
    readonly today: string;
    readonly today_begins: string;
    readonly last: string | null;
    readonly last_day: string | null;
  } | null;
}

export interface InvitationFacts {
  readonly id: string;
  readonly email: string;
  readonly role: string;
  readonly status: 'pending' | 'accepted' | 'expired' | 'revoked';
  readonly expires_at: string;
  readonly created_at: string;
  /** To the very address of the account. */
  readonly exact: boolean;
  /** The same but for letter case, Unicode form, dots or a +tag. */
  readonly same_mailbox: boolean;
  /** Somebody else has an account with the address it went to. */
  readonly taken: boolean;
  /** It gives more or less than its role does. */
  readonly special: boolean;
}

/** Another account that may be the same person's. */
export interface AccountFacts {
  readonly id: string;
  /** Masked. */
  readonly email: string;
  readonly status: PersonFacts['status'];
  readonly verified: boolean;
  readonly last_login_at: string | null;
  readonly shares: readonly ('mailbox' | 'phone' | 'invitation')[];
  /** Those that linking would move. */
  readonly memberships: number;
  /** Both accounts are members of one family, so that they cannot be linked. */
  readonly both_members: boolean;
  /** Its families; `own_status` is what the person themselves are there. */
  readonly families: readonly (KnownFamily & { readonly own_status: string | null })[];
}

/** Another family of somebody who is family_core in one of the person's, where the child is. */
export interface ElsewhereFacts {
  readonly family_id: string;
  readonly name: string;
  readonly granted: boolean;
  readonly children: number;
  /** The person's own family, through which it was found. */
  readonly beside: string;
  readonly own_status: string | null;
}
