import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type KeySet, namedKeys } from '../../platform/signing/key-set.js';
import { ZIP_END, ZIP_END_SIGNATURE } from '../../platform/zip/format.js';
import type { FaultKind } from '../fault.js';
import { judgeKey } from '../judge-key.js';
import { type EvidenceRecord, openRecord } from '../record.js';
import { checkFiles } from './check-files.js';

/** The chain and type of the records that are made of packages. */
export const PACKAGE = { chain: 'exports', type: 'export' } as const;
/** And of the encrypted files that hold them: the file comes first, then the package in it, then all of the ZIP file. */
export const ENCRYPTED = { chain: 'exports', type: 'export-encryption' } as const;

export interface ProvenPackage {
  readonly record: EvidenceRecord;
  readonly kid: string;
}

export interface PackageRefusal {
  readonly kind: FaultKind;
  /** A sentence without its full stop. */
  readonly detail: string;
}

export type JudgedPackage =
  | { readonly proven: ProvenPackage }
  | { readonly refused: PackageRefusal }
  /** Why it can be neither. */
  | { readonly unchecked: string };

/** What stands at the end of a ZIP file at most: its last record, and the comment behind it. */
export const LONGEST_END = ZIP_END + 0xffff;

/**
 * Verifies a package of a person with public keys alone: every byte of it, and each file in it by the manifest; undefined
 * where the file is no ZIP file. Memory does not grow with it.
 */
export async function verifyPackage(path: string, keySet: KeySet): Promise<JudgedPackage | undefined> {
  const { judged, comment } = await judgeBytes(createReadStream(path), keySet);
  if (judged === undefined || !('proven' in judged)) return judged;
  const wrong = await checkFiles(path, comment, judged.proven.record);
  return wrong === undefined ? judged : refused('edited', wrong);
}

/** Its bytes alone, in their order, of which none is outside of what is signed. Throws what reading them does. */
export async function verifyPackageBytes(
  bytes: AsyncIterable<Uint8Array>,
  keySet: KeySet,
): Promise<JudgedPackage | undefined> {
  return (await judgeBytes(bytes, keySet)).judged;
}

/** `comment`: how long what stands behind the end of the ZIP file is. */
async function judgeBytes(
  bytes: AsyncIterable<Uint8Array>,
  keySet: KeySet,
): Promise<{ readonly judged: JudgedPackage | undefined; readonly comment: number }> {
  const digest = createHash('sha256');
  let begun = false;
  let held: Buffer = Buffer.alloc(0);
  for await (const chunk of bytes) {
    held = Buffer.concat([held, chunk]);
    if (!begun && held.length >= 4) {
      if (held.toString('latin1', 0, 4) !== 'PK\x03\x04') return { judged: undefined, comment: 0 };
      begun = true;
    }
    const passed = held.subarray(0, Math.max(0, held.length - LONGEST_END));
    digest.update(passed);
    held = held.subarray(passed.length);
  }
  if (!begun) return { judged: undefined, comment: 0 };
  const at = endOf(held);
  if (at === undefined) return { judged: refused('truncated', 'its end is not there'), comment: 0 };
  const comment = held.subarray(at + ZIP_END);
  const judged = judgeRecord(comment, keySet, PACKAGE);
  const whole = digest.update(held.subarray(0, at + ZIP_END - 2)).digest('hex');
  return { judged: 'proven' in judged ? heldAgainst(judged, whole) : judged, comment: comment.length };
}

function heldAgainst(judged: { readonly proven: ProvenPackage }, whole: string): JudgedPackage {
  const { subject } = judged.proven.record;
  if (subject.length !== 1) return refused('edited', 'what is signed at its end is not about a package');
  return whole === subject[0]?.sha256
    ? judged
    : refused('edited', 'it is not, byte for byte, what was signed');
}

/** Verifies the signed record of an encrypted file, which need not be at hand. */
export function verifyEncryptedRecord(envelope: Buffer, sha256: string, keySet: KeySet): JudgedPackage {
  const judged = judgeRecord(envelope, keySet, ENCRYPTED);
  if (!('proven' in judged) || judged.proven.record.subject[0]?.sha256 === sha256) return judged;
  return refused('edited', 'its record is about another file');
}

function judgeRecord(
  envelope: Buffer,
  keySet: KeySet,
  { chain, type }: { readonly chain: string; readonly type: string },
): JudgedPackage {
  const opened = openRecord(envelope, namedKeys(keySet));
  if ('fault' in opened) return refused(opened.fault, `of its signature: ${opened.detail}`);
  const { record, kid } = opened;
  const judged = judgeKey(kid, record, undefined, keySet);
  // A thief writes any time; only the place in the chain could tell.
  if (judged?.kind === 'unproven') return { unchecked: judged.detail };
  if (judged !== undefined) return refused(judged.kind, judged.detail);
  if (record.chain === chain && record.type === type) return { proven: { record, kid } };
  return refused('edited', 'what is signed at its end is not about a package');
}

/** Where the end record begins whose comment reaches to the last byte. */
export function endOf(tail: Buffer): number | undefined {
  for (let at = tail.length - ZIP_END; at >= 0; at -= 1) {
    if (
      tail.readUInt32LE(at) === ZIP_END_SIGNATURE &&
      tail.readUInt16LE(at + ZIP_END - 2) === tail.length - at - ZIP_END
    )
      return at;
  }
  return undefined;
}

const refused = (kind: PackageRefusal['kind'], detail: string) => ({ refused: { kind, detail } });
