/** What can have been done to the log. */
export type FaultKind =
  | 'edited'
  | 'deleted'
  | 'inserted'
  | 'tail_cut'
  | 'rolled_back'
  | 'forked'
  | 'rewritten_with_key'
  | 'rewritten'
  | 'unknown_key'
  | 'unrecorded_recovery'
  | 'unproven_epoch'
  | 'unlawful_erasure'
  | 'unproven_archive'
  | 'archive_differs'
  | 'archive_damaged'
  | 'unproven_pruning'
  | 'pruning_differs'
  | 'pruned_early'
  | 'tiles_damaged'
  | 'families_changed'
  | 'trigger_disabled'
  | 'trigger_touched'
  | 'function_changed'
  | 'truncate_granted'
  | 'catalogue_changed';

export interface Fault {
  readonly kind: FaultKind;
  /** The event's number, where it is about one. */
  readonly event: string | null;
  /** What else it is about: a table, a trigger, a checkpoint. */
  readonly object: string | null;
  /** A sentence without its full stop. */
  readonly detail: string;
}

/** What could not be told. */
export interface Doubt {
  readonly object: string;
  readonly detail: string;
}

/** So many faults are named one by one. */
export const NAMED = 100;

export class Findings {
  readonly faults: Fault[] = [];
  readonly doubts: Doubt[] = [];
  /** Faults beyond those that are named. */
  more = 0;

  get count(): number {
    return this.faults.length + this.more;
  }

  fault(kind: FaultKind, detail: string, about: { event?: string; object?: string } = {}): void {
    if (this.faults.length >= NAMED) this.more += 1;
    else this.faults.push({ kind, event: about.event ?? null, object: about.object ?? null, detail });
  }

  doubt(object: string, detail: string): void {
    this.doubts.push({ object, detail });
  }
}
