import type { Duty } from '../database/duties.js';

/** A duty as it is registered; `live` by the server's clock at the moment of reading. */
export interface HeldDuty {
  readonly duty: Duty;
  readonly granted_at: string;
  readonly expires_at: string | null;
  readonly live: boolean;
}

/** A person who works through nestctl, and the login behind. */
export interface Operator {
  readonly login: string;
  readonly name: string;
  readonly email: string;
  readonly registered_at: Date;
  readonly registered_by: string;
  readonly revoked_at: Date | null;
  readonly duties: readonly HeldDuty[];
  /** on, off, or absent where the server has no such role. */
  readonly login_state: 'on' | 'off' | 'absent';
}

/** A change to operators as the database plans it; the same words are approved and carried out. */
export interface OperatorPlan {
  readonly do: 'add operator' | 'revoke operator' | 'add duty' | 'remove duty';
  readonly login: string;
  readonly name?: string;
  readonly email?: string;
  readonly duties?: readonly Duty[];
  readonly duty?: Duty;
  /** ISO 8601; null without an end. */
  readonly until?: string | null;
}

/** What the database did, and what is left to a DBA because the owner may not do it. */
export interface OperatorChange {
  readonly login: string;
  /** The login was made by this. */
  readonly login_made?: boolean;
  /** Open access grants that were closed. */
  readonly grants_closed?: number;
  /** Other databases of the cluster that need the login: its role was left as it is. */
  readonly elsewhere?: readonly string[];
  /** SQL that only a DBA may run. */
  readonly remaining: readonly string[];
}
