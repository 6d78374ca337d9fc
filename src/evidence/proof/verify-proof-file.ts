import { createReadStream } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import type { KeySet } from '../../platform/signing/key-set.js';
import { BUNDLE } from './bundle-header.js';
import { PROOF, type ProvenEvent, verifyProof } from './event-proof.js';
import { type BundleRefusal, type Expected, type ProvenBundle, verifyBundle } from './verify-bundle.js';

export type ProofFile =
  | { readonly event: ProvenEvent }
  | { readonly bundle: ProvenBundle }
  | { readonly refused: BundleRefusal };

/** Verifies a file that is the proof of an event or a bundle, and as expected; undefined where it is neither. */
export async function verifyProofFile(
  path: string,
  keySet: KeySet,
  expected: Expected = {},
): Promise<ProofFile | undefined> {
  const begins = await beginning(path);
  if (begins.startsWith(`${BUNDLE}\n`)) {
    const judged = await verifyBundle(createReadStream(path), keySet, expected);
    return 'proven' in judged ? { bundle: judged.proven } : { refused: judged };
  }
  if (!begins.startsWith(PROOF)) return undefined;
  if (expected.family !== undefined || expected.to !== undefined) {
    const detail = 'the proof of one event says nothing of a history';
    return { refused: { kind: 'incomplete', detail } };
  }
  const judged = verifyProof(await readFile(path, 'utf8'), keySet);
  return 'proven' in judged ? { event: judged.proven } : { refused: judged };
}

async function beginning(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(32), position: 0 });
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}
