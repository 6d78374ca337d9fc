import { type Head, type KeySet, namedKeys } from '../platform/signing/key-set.js';
import type { Doubt, Fault, FaultKind } from './fault.js';
import { type Judgement, judgeKey } from './judge-key.js';
import { type EvidenceRecord, type Opened, openRecord, sha256 } from './record.js';

/** A chain as it is kept: records by their number, and whatever else lies among them. */
export interface KeptChain {
  readonly chain: string;
  readonly records: readonly { readonly number: number; readonly bytes: Buffer }[];
  readonly others: readonly { readonly name: string; readonly bytes: Buffer }[];
}

export interface ChainReport {
  readonly chain: string;
  readonly size: number;
  /** Of the last record; null for an empty chain. */
  readonly head: Head | null;
  readonly faults: readonly Fault[];
  readonly doubts: readonly Doubt[];
}

interface Kept {
  readonly place: number;
  readonly hash: string;
  readonly opened: Opened;
}

/**
 * Verifies a chain: each record by itself, its place, its link to the one before, its key, and that every head
 * known from elsewhere (this console's memory, the key set, a note on paper) is still in it.
 */
export function verifyChain(kept: KeptChain, keySet: KeySet, known: readonly Head[]): ChainReport {
  const { chain } = kept;
  const keys = namedKeys(keySet);
  const faults: Fault[] = [];
  const doubts: Doubt[] = [];
  const fault = (kind: FaultKind, number: number | null, detail: string): void => {
    faults.push({ kind, chain, number, detail });
  };
  const records = kept.records
    .map(({ number, bytes }) => ({ place: number, hash: sha256(bytes), opened: openRecord(bytes, keys) }))
    .sort((a, b) => a.place - b.place);
  const heads = [...known, ...headsIn(keySet, chain, records)];

  for (const record of records) {
    const judged = checkAlone(record, { chain, keySet, fault });
    if (judged?.kind === 'unproven') doubts.push({ chain, number: record.place, detail: judged.detail });
    else if (judged !== undefined) fault(judged.kind, record.place, judged.detail);
  }
  checkPlaces(records, chain, heads, fault);
  checkLinks(records, chain, fault);
  checkKnown(records, chain, heads, fault);
  for (const { name, bytes } of kept.others) {
    const opened = openRecord(bytes, keys);
    if ('kid' in opened && opened.record.chain === chain) {
      fault('forked', opened.record.number, `another record of that number lies beside it: ${name}`);
    } else fault('foreign', null, `not a record: ${name}`);
  }
  const last = records.at(-1);
  return {
    chain,
    size: last?.place ?? 0,
    head: last === undefined ? null : { size: last.place, hash: last.hash },
    faults,
    doubts,
  };
}

type Report = (kind: FaultKind, number: number | null, detail: string) => void;

function checkAlone(
  { place, opened }: Kept,
  { chain, keySet, fault }: { readonly chain: string; readonly keySet: KeySet; readonly fault: Report },
): Judgement | undefined {
  if ('fault' in opened) {
    fault(opened.fault, place, opened.detail);
    return;
  }
  const { record, kid } = opened;
  if (record.chain !== chain) {
    fault('misplaced', place, `it is record ${record.number} of the chain ${record.chain}`);
    return;
  }
  if (record.number !== place) fault('reordered', place, `record ${record.number} stands in its place`);
  return judgeKey(kid, record, place, keySet);
}

/** The record, where its bytes are whole and it belongs here; what damaged ones say of themselves is worth nothing. */
function soundIn(chain: string, { opened }: Kept): EvidenceRecord | undefined {
  return 'kid' in opened && opened.record.chain === chain ? opened.record : undefined;
}

/** Beyond the last number only a head that was seen can tell that something is missing. */
function checkPlaces(records: readonly Kept[], chain: string, known: readonly Head[], fault: Report): void {
  const numbers = records.map((kept) => soundIn(chain, kept)?.number ?? kept.place);
  const last = Math.max(0, ...numbers);
  const expected = Math.max(0, ...known.map(({ size }) => size));
  for (const [from, to] of gaps(new Set(numbers))) {
    fault('removed', from, from === to ? 'it is missing' : `it and all up to ${to} are missing`);
  }
  if (expected > last) {
    fault('truncated', last + 1, `the chain ends at ${last}, but had ${expected} records when last seen`);
  }
}

function gaps(present: ReadonlySet<number>): [from: number, to: number][] {
  const sorted = [0, ...[...present].filter((number) => number > 0)].sort((a, b) => a - b);
  return sorted.flatMap((number, at) => {
    const next = sorted[at + 1] ?? number + 1;
    return next > number + 1 ? [[number + 1, next - 1] as [number, number]] : [];
  });
}

/** Follows the records in the order that they themselves claim, so that a swap is not also called a fork. */
function checkLinks(records: readonly Kept[], chain: string, fault: Report): void {
  const byNumber = new Map<number, Kept & { readonly record: EvidenceRecord }>();
  for (const kept of records) {
    const record = soundIn(chain, kept);
    if (record === undefined) continue;
    const twin = byNumber.get(record.number);
    if (twin === undefined) byNumber.set(record.number, { ...kept, record });
    else if (twin.hash !== kept.hash)
      fault('forked', record.number, 'two different records bear this number');
  }
  for (const { record, place } of byNumber.values()) {
    if (record.number === 1) {
      if (record.previous !== null) fault('forked', place, 'the first record follows another one');
      continue;
    }
    const before = byNumber.get(record.number - 1);
    // What is missing or damaged was named already; that the next one does not fit it is no second fault.
    if (before === undefined) continue;
    if (record.previous !== before.hash) {
      fault(
        'forked',
        before.place,
        `record ${record.number} follows a different record ${before.record.number}`,
      );
    }
    if (record.made_at < before.record.made_at) {
      fault('backdated', place, `made ${record.made_at}, before record ${before.record.number}`);
    }
    if (record.context !== before.record.context) {
      fault('misplaced', place, `it belongs to the context ${record.context}`);
    }
  }
}

/** A known head must be the record of that number, byte for byte. */
function checkKnown(records: readonly Kept[], chain: string, known: readonly Head[], fault: Report): void {
  const told = new Set<number>();
  for (const { size, hash } of known) {
    // Damage was named already.
    const kept = records.find((record) => soundIn(chain, record)?.number === size);
    if (kept === undefined || kept.hash === hash || told.has(size)) continue;
    told.add(size);
    fault('forked', size, 'it is another record than the one seen before under this number');
  }
}

/** What the chain held when keys were retired, or before they were stolen. */
function headsIn(keySet: KeySet, chain: string, records: readonly Kept[]): Head[] {
  const context = records.map((kept) => soundIn(chain, kept)?.context).find((name) => name !== undefined);
  return keySet.keys.flatMap(({ heads = {}, proven = {} }) =>
    [heads, proven].flatMap((each): Head[] => {
      const head = context === undefined ? undefined : each[context]?.[chain];
      return head === undefined ? [] : [head];
    }),
  );
}
