import type { Voucher } from '../find-subject.js';
import type { ProvenEvent } from '../proof/event-proof.js';
import type { ProvenBundle } from '../proof/verify-bundle.js';
import type { ProvenPackage } from '../proof/verify-package.js';
import type { ChainReport } from '../verify-chain.js';

/** What a path turned out to be. */
export interface Checked {
  readonly path: string;
  readonly chains: readonly Pick<ChainReport, 'chain' | 'size' | 'head' | 'faults' | 'doubts'>[];
  /** What files it vouches for, where some were asked about. */
  readonly vouches?: readonly (Voucher & { readonly file: string })[];
  /** The event of the audit log that a proof is about. */
  readonly event?: ProvenEvent;
  /** The history of a family. */
  readonly bundle?: ProvenBundle;
  /** The package of a person, each file of it as its manifest says. */
  readonly package?: ProvenPackage;
  /** What a single file holds that this verifier cannot judge. */
  readonly unchecked?: string;
}
