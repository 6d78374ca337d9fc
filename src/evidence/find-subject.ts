import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type KeySet, namedKeys } from '../platform/signing/key-set.js';
import { openRecord } from './record.js';
import type { RecordStore } from './record-store.js';
import type { ChainReport } from './verify-chain.js';

/** A record that speaks of a file: it names the SHA-256 of its bytes. */
export interface Voucher {
  readonly record: string;
  readonly type: string;
  /** What the record calls it. */
  readonly name: string;
  readonly made_at: string;
  readonly made_by: string;
}

/** The records of verified chains, none of them at fault or in doubt, that are about a file of these bytes. */
export async function findSubject(
  store: Pick<RecordStore, 'list' | 'read'>,
  keySet: KeySet,
  reports: readonly Pick<ChainReport, 'chain' | 'faults' | 'doubts'>[],
  sha256: string,
): Promise<Voucher[]> {
  const keys = namedKeys(keySet);
  const found: Voucher[] = [];
  for (const { chain, faults, doubts } of reports) {
    const bad = new Set([...faults, ...doubts].map(({ number }) => number));
    for (const number of (await store.list(chain)).numbers) {
      const bytes = bad.has(number) ? undefined : await store.read(chain, number);
      const opened = bytes === undefined ? undefined : openRecord(bytes, keys);
      if (opened === undefined || 'fault' in opened) continue;
      const { subject, type, made_at, made_by } = opened.record;
      for (const thing of subject.filter((each) => each.sha256 === sha256)) {
        found.push({ record: `${chain}/${number}`, type, name: thing.name, made_at, made_by });
      }
    }
  }
  return found;
}

/** SHA-256 of a file, hex. */
export async function digestOfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
