import { NestctlError } from '../../platform/errors.js';
import { lockMissing } from '../../platform/object-store/index.js';
import type { Head } from '../../platform/signing/key-set.js';
import type { Fault } from '../fault.js';
import { recordFile } from '../folder-store.js';
import { lockEvidence } from '../lock-evidence.js';
import type { Evidence } from '../open-evidence.js';
import { sha256 } from '../record.js';
import { verifyEvidence } from '../verify-evidence.js';
import { carriedHeads, rememberCarried } from './carried-heads.js';
import { type CarriedRecords, carriedRecords } from './carried-records.js';
import type { Carrier } from './carrier.js';

export interface CarryPlan {
  readonly place: string;
  readonly retain_until: Date;
  readonly chains: readonly ChainPlan[];
}

interface ChainPlan {
  readonly chain: string;
  readonly size: number;
  readonly head: Head | null;
  /** Records that the store does not have, or that were not seen locked there. */
  readonly missing: readonly number[];
  /** Why none of it is carried. */
  readonly faults: readonly Fault[];
}

/**
 * What carrying would send. A chain that does not verify is not carried: it would be locked in as it is. Throws
 * `lock_missing` where the bucket takes no locks.
 */
export async function planCarry(evidence: Evidence, carrier: Carrier): Promise<CarryPlan> {
  if ((await carrier.store.takesLocks()) === false) {
    throw lockMissing(`What is carried to ${carrier.place}`, 'Nothing was sent.');
  }
  const known = await carriedHeads(evidence, carrier);
  const { records } = await carriedRecords(carrier);
  const chains: ChainPlan[] = [];
  for (const { chain, size, head, faults } of await verifyEvidence(evidence)) {
    const there = new Set((await records.list(chain)).numbers);
    const done = Object.hasOwn(known, chain) ? (known[chain]?.size ?? 0) : 0;
    const all = Array.from({ length: size }, (_, at) => at + 1);
    const missing = faults.length > 0 ? [] : all.filter((number) => number > done || !there.has(number));
    chains.push({ chain, size, head, missing, faults });
  }
  const retain = new Date(Date.now() + carrier.retainDays * 86_400_000);
  return { place: carrier.place, retain_until: retain, chains };
}

export interface CarriedChain {
  readonly chain: string;
  readonly sent: number;
  /** Was there, whole, from an earlier run that was cut off, or another console's. */
  readonly found: number;
  readonly head: Head | null;
}

/**
 * Carries the records of a plan to the object store: none replaces one, each is read back and then locked.
 * Interrupted, the next run goes on with the rest. Throws `carried_differs` where something else lies in a record's
 * place.
 */
export async function carryEvidence(
  evidence: Evidence,
  carrier: Carrier,
  plan: CarryPlan,
  options: {
    readonly signal?: AbortSignal | undefined;
    readonly onRecord?: (sent: { readonly done: number; readonly total: number }) => void;
  } = {},
): Promise<CarriedChain[]> {
  const total = plan.chains.reduce((sum, { missing }) => sum + missing.length, 0);
  let done = 0;
  const carried: CarriedChain[] = [];
  const there = await carriedRecords(carrier);
  for (const { chain, head, missing, faults } of plan.chains) {
    if (faults.length > 0) continue;
    let sent = 0;
    for (const number of missing) {
      options.signal?.throwIfAborted();
      const bytes = await evidence.store.read(chain, number);
      if (bytes === undefined) throw gone(chain, number);
      if (await sendRecord(carrier, there, { chain, number, bytes, until: plan.retain_until })) sent += 1;
      done += 1;
      options.onRecord?.({ done, total });
    }
    carried.push({ chain, sent, found: missing.length - sent, head });
    if (head !== null && missing.length > 0) {
      await lockEvidence(evidence, async () => {
        await rememberCarried(evidence, carrier, {
          ...(await carriedHeads(evidence, carrier)),
          [chain]: head,
        });
      });
    }
  }
  return carried;
}

/** True where it was sent, false where it was there. Either way it is locked afterwards. */
async function sendRecord(
  { store, prefix }: Carrier,
  there: CarriedRecords,
  record: { readonly chain: string; readonly number: number; readonly bytes: Buffer; readonly until: Date },
): Promise<boolean> {
  const { chain, number, bytes, until } = record;
  const key = `${prefix}${chain}/${recordFile(number)}`;
  const version = there.versionOf(chain, number);
  if (version === undefined) {
    try {
      await store.put(key, bytes, {
        ifAbsent: true,
        retainUntil: until,
        contentType: 'application/json',
      });
      return true;
    } catch (error) {
      // Another console's at this very moment.
      if (!(error instanceof NestctlError) || error.code !== 'object_exists') throw error;
    }
  }
  await store.verify(key, { size: bytes.length, sha256: sha256(bytes) }, version).catch((error: unknown) => {
    if (!(error instanceof NestctlError) || error.code !== 'checksum_mismatch') throw error;
    throw carriedDiffers(chain, number);
  });
  await store.retain(key, until, version);
  return false;
}

export function carriedDiffers(chain: string, number: number): NestctlError {
  return new NestctlError(`Another record than ${chain}/${number} lies in its place in the object store.`, {
    kind: 'conflict',
    code: 'carried_differs',
    hint: 'One of the two was forged, or two consoles wrote without seeing each other.',
    next: 'nestctl evidence verify --carried',
  });
}

function gone(chain: string, number: number): NestctlError {
  return new NestctlError(`The record ${chain}/${number} was there a moment ago and is gone.`, {
    kind: 'conflict',
    code: 'chain_cut',
    next: 'nestctl evidence verify',
  });
}
