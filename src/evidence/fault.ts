/**
 * What can be wrong with signed evidence:
 * - edited: bytes differ from what was signed
 * - unknown_key: signed by a key that is not in the set
 * - early_key, retired_key, stolen_key: the key was not yet, no longer, or not safely its owner's
 * - removed, truncated: a record is missing in the middle, or at the end though it was seen
 * - reordered: a record stands in another one's place
 * - forked: two different signed records claim the same place
 * - backdated: made before the record that it follows
 * - misplaced: it belongs to another chain or context
 * - foreign: something that is no record lies among them
 * - added: more is there than was signed
 * - incomplete: it holds, and does not reach as far as was asked
 * - hidden: deleted in the object store, where its locked version is still there
 */
export type FaultKind =
  | 'edited'
  | 'unknown_key'
  | 'early_key'
  | 'retired_key'
  | 'stolen_key'
  | 'removed'
  | 'truncated'
  | 'reordered'
  | 'forked'
  | 'backdated'
  | 'misplaced'
  | 'foreign'
  | 'added'
  | 'incomplete'
  | 'hidden';

/** What could not be proven, though nothing speaks against it. */
export interface Doubt {
  readonly chain: string;
  readonly number: number;
  /** A sentence without its full stop. */
  readonly detail: string;
}

export interface Fault {
  readonly kind: FaultKind;
  readonly chain: string;
  /** The record, by its place in the chain; null for what has none. */
  readonly number: number | null;
  /** A sentence without its full stop. */
  readonly detail: string;
}
