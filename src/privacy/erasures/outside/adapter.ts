import type { Session } from '../../../platform/database/session.js';

/** By what somebody outside knows a person. */
export interface Handle {
  readonly names: 'address' | 'phone' | 'token' | 'customer';
  readonly value: string;
}

/** Of one erasure, what an adapter gets. */
export interface OutsideErasure {
  readonly session: Session;
  /** Of the request. */
  readonly number: string;
  readonly recipient: string;
  /** Id of the erasure: the same at every try. */
  readonly erasure: string;
  readonly handles: readonly Handle[];
  readonly signal: AbortSignal | undefined;
}

export interface OutsideAnswer {
  readonly outcome: 'erased' | 'not_held' | 'kept';
  /** By what it can be looked up there: no personal data. */
  readonly reference: string;
}

/**
 * Has somebody outside erase a person, and looks afterwards whether anything is left there. May be called again after any
 * interruption: what is done already counts as done. Undefined: they have taken it on and are not done. Throws `outside_left`
 * where something is still there, and what the service does.
 */
export type OutsideAdapter = (of: OutsideErasure) => Promise<OutsideAnswer | undefined>;
