import { partsOf, type SignedCheckpoint } from '../../platform/transparency/checkpoint.js';
import type { Epoch } from './epochs.js';

/** Where a checkpoint comes from: the database itself, or somebody who has seen it there. */
export type Source = 'database' | 'console' | 'store';

export interface KnownHead {
  readonly checkpoint: SignedCheckpoint;
  readonly source: Source;
}

/** What became of a head when it was held against the tree. */
export type Standing = 'matches' | 'differs' | 'beyond' | 'abandoned' | 'other_log' | 'unsigned';

/**
 * Whether a head is one to hold against the tree as it is now, or was given up by a recovery that was recorded since:
 * of an epoch before it, only what it brought back counts.
 */
export function isAbandoned(checkpoint: SignedCheckpoint, epochs: readonly Epoch[]): boolean {
  const { epoch } = partsOf(checkpoint);
  const kept = epochs.filter((later) => later.epoch > epoch).map(({ tree_size: size }) => size ?? 0);
  return kept.length > 0 && checkpoint.size > Math.min(...kept);
}
