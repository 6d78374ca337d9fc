import type { Head, Heads } from '../../platform/signing/key-set.js';
import { verifyingKeys } from '../keys/imported-keys.js';
import type { Evidence } from '../open-evidence.js';
import { sha256 } from '../record.js';
import type { ChainReport } from '../verify-chain.js';
import { verifyRecords } from '../verify-records.js';
import { carriedHeads } from './carried-heads.js';
import { type CarriedRecords, carriedRecords } from './carried-records.js';
import type { Carrier } from './carrier.js';

/** What lies in the object store, verified by itself. */
export interface CarriedReport {
  readonly place: string;
  readonly chains: readonly ChainReport[];
  /** Where its sound chains end: heads that nobody here could have changed, to verify the local chains against. */
  readonly heads: Heads;
}

/**
 * Verifies the records that were carried: each as it was signed, none replaced, hidden or gone that this console has
 * carried.
 */
export async function verifyCarried(evidence: Evidence, carrier: Carrier): Promise<CarriedReport> {
  const { records, hidden } = await carriedRecords(carrier);
  const found = await verifyRecords(records, {
    keySet: await verifyingKeys(evidence.places),
    known: [await carriedHeads(evidence, carrier)],
  });
  const chains = found.map((report) => ({
    ...report,
    faults: [...report.faults, ...hidden.filter(({ chain }) => chain === report.chain)],
  }));
  // What is hidden is still whole: its head counts.
  const heads = found.flatMap(({ chain, head, faults }): [string, Head][] =>
    head === null || faults.length > 0 ? [] : [[chain, head]],
  );
  return { place: carrier.place, chains, heads: Object.fromEntries(heads) };
}

/**
 * Where the chains ended at a time, by the clock of the object store: what it had been given before. A record that
 * follows others by their hashes proves those too.
 */
export async function headsBefore(carrier: Carrier, time: Date): Promise<Heads> {
  const carried = await carriedRecords(carrier);
  const heads: [string, Head][] = [];
  for (const chain of await carried.records.chains()) {
    const head = await headBefore(carried, chain, time);
    if (head !== undefined) heads.push([chain, head]);
  }
  return Object.fromEntries(heads);
}

async function headBefore(
  { records, takenAt }: CarriedRecords,
  chain: string,
  time: Date,
): Promise<Head | undefined> {
  const { numbers } = await records.list(chain);
  // The store keeps whole seconds: one that it took within the second of the theft is not proven.
  const before = numbers.filter((number) => Number(takenAt(chain, number)) + 1_000 <= Number(time));
  const size = before.at(-1);
  const bytes = size === undefined ? undefined : await records.read(chain, size);
  return size === undefined || bytes === undefined ? undefined : { size, hash: sha256(bytes) };
}
