import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { parseEnvelope, signersOf } from '../../platform/signing/dsse.js';
import { type Heads, type KeySet, namedKeys } from '../../platform/signing/key-set.js';
import type { Fault } from '../fault.js';
import { findSubject, type Voucher } from '../find-subject.js';
import { folderStore } from '../folder-store.js';
import { judgeKey } from '../judge-key.js';
import type { Expected, ProvenBundle } from '../proof/verify-bundle.js';
import { verifyProofFile } from '../proof/verify-proof-file.js';
import { IN_TOTO, openRecord, readStatement } from '../record.js';
import { verifyRecords } from '../verify-records.js';
import type { Checked } from './checked.js';
import { verifyPackageFile } from './verify-package-file.js';

/** No record is as long. */
const LONGEST_RECORD = 16 * 1024 * 1024;

export async function verifyPath(
  path: string,
  keySet: KeySet,
  known: readonly Heads[],
  files: ReadonlyMap<string, string>,
  expected: Expected,
): Promise<Checked> {
  if (!(await stat(path)).isDirectory()) {
    const proof = await verifyProofFile(path, keySet, expected);
    if (proof === undefined)
      return (await verifyPackageFile(path, keySet)) ?? (await verifyRecord(path, keySet));
    if (!('refused' in proof)) return { path, chains: [], ...proof, ...leafOnly(proof) };
    const fault: Fault = { ...proof.refused, chain: 'audit log', number: null };
    return { path, chains: [{ chain: '', size: 1, head: null, faults: [fault], doubts: [] }] };
  }
  const folder = resolve(path);
  const inside = await folderStore(folder).chains();
  const outside = folderStore(dirname(folder));
  const isChain = inside.length === 0 && (await outside.chains()).includes(basename(folder));
  const chains = isChain
    ? await verifyRecords(outside, { keySet, known, only: [basename(folder)] })
    : await verifyRecords(folderStore(folder), { keySet, known });
  const store = isChain ? outside : folderStore(folder);
  const vouches: (Voucher & { readonly file: string })[] = [];
  for (const [file, digest] of files) {
    const those = await findSubject(store, keySet, chains, digest);
    vouches.push(...those.map((each) => ({ ...each, file })));
  }
  // An empty folder proves nothing.
  const empty = chains.every(({ size, faults }) => size === 0 && faults.length === 0);
  return { path, chains, vouches, ...(empty ? { unchecked: 'there is no evidence in it' } : {}) };
}

/** One envelope by itself: its bytes and its key, but not its place in a chain. */
async function verifyRecord(path: string, keySet: KeySet): Promise<Checked> {
  const { size } = await stat(path);
  const bytes = size > LONGEST_RECORD ? Buffer.alloc(0) : await readFile(path);
  const keys = namedKeys(keySet);
  const envelope = parseEnvelope(bytes.toString('utf8'));
  if (envelope !== undefined && signersOf(envelope, keys).length > 0) {
    if (envelope.payloadType !== IN_TOTO || readStatement(envelope) === undefined) {
      return {
        path,
        chains: [],
        unchecked: `well signed, but of a kind unknown here: ${envelope.payloadType}`,
      };
    }
  }
  const alone = { size: 1, head: null, doubts: [] };
  const opened = openRecord(bytes, keys);
  if ('fault' in opened) {
    const fault: Fault = { kind: opened.fault, chain: '', number: null, detail: opened.detail };
    return { path, chains: [{ ...alone, chain: '', faults: [fault] }] };
  }
  const { record, kid } = opened;
  const { chain, number } = record;
  const judged = judgeKey(kid, record, undefined, keySet);
  if (judged?.kind === 'unproven') {
    // A thief writes any time; only the place in the chain could tell.
    return { path, chains: [], unchecked: `signed with ${kid}, stolen later: verify it within its chain` };
  }
  const faults = judged === undefined ? [] : [{ kind: judged.kind, detail: judged.detail, chain, number }];
  return { path, chains: [{ ...alone, chain, faults }] };
}

/** Of events that are there by their leaf alone nothing but their number can be told. */
function leafOnly(proof: object & { readonly bundle?: ProvenBundle; readonly event?: unknown }): {
  unchecked?: string;
} {
  const count = proof.bundle?.leaf_only ?? 0;
  return count === 0 ? {} : { unchecked: `of ${count} events only the leaf is there` };
}
