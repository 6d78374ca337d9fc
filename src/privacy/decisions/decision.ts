/** In the evidence of the context; every console of it writes there. */
export const DECISION_CHAIN = 'decisions';
export const DECISION_RECORD = 'decisions';
/** Of what is entered in it: entries of another purpose never match. */
export const DECISION_PURPOSE = 'decision';

/**
 * account: suspended; settings: consents by which the application goes; member: status, role, end and permissions of a
 * membership; grant, operator, duty: of staff.
 */
export type DecisionKind =
  | 'account'
  | 'settings'
  | 'notifications'
  | 'consent'
  | 'member'
  | 'invitation'
  | 'guardian'
  | 'hold'
  | 'grant'
  | 'operator'
  | 'duty';

/** What a row says since it was decided about; of a hold also of what it is. */
export type DecisionState = Readonly<Record<string, unknown>>;

/** A decision as the ledger has it: no personal data, and enough to know its row again. */
export interface EnteredDecision {
  readonly id: string;
  readonly kind: DecisionKind;
  /** HMAC-SHA-256 of the key of its row, under the ledger key of the console that entered it. */
  readonly kid: string;
  readonly mac: string;
  /** Of a hold: its number, which is nobody's. */
  readonly number?: string;
  readonly state: DecisionState;
  /** The transaction that decided: epoch of the audit log, and id. */
  readonly epoch: number;
  readonly xid: string;
  /** RFC 3339, microseconds. */
  readonly made_at: string;
}

/** What is hashed for a row: none of one kind is ever taken for one of another. */
export const spelledRow = (kind: string, key: readonly string[]): string => `${kind}:${key.join('\n')}`;

/** Whether a decision is of the transaction that a person names: its id, or epoch and id as EPOCH/ID. */
export const isOf = ({ epoch, xid }: EnteredDecision, transaction: string): boolean =>
  transaction === xid || transaction === `${epoch}/${xid}`;
