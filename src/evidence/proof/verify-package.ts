import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type KeySet, namedKeys } from '../../platform/signing/key-set.js';
import { ZIP_END, ZIP_END_SIGNATURE } from '../../platform/zip-end.js';
import type { FaultKind } from '../fault.js';
import { judgeKey } from '../judge-key.js';
import { type EvidenceRecord, openRecord } from '../record.js';

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
const LONGEST_END = ZIP_END + 0xffff;

/** Verifies a package of a person with public keys alone; undefined where the file is no ZIP file. */
export async function verifyPackage(path: string, keySet: KeySet): Promise<JudgedPackage | undefined> {
  return await verifyPackageBytes(createReadStream(path), keySet);
}

/** As `verifyPackage`, from its bytes in their order; memory does not grow with them. Throws what reading them does. */
export async function verifyPackageBytes(
  bytes: AsyncIterable<Uint8Array>,
  keySet: KeySet,
): Promise<JudgedPackage | undefined> {
  const digest = createHash('sha256');
  let begun = false;
  let held: Buffer = Buffer.alloc(0);
  for await (const chunk of bytes) {
    held = Buffer.concat([held, chunk]);
    if (!begun && held.length >= 4) {
      if (held.toString('latin1', 0, 4) !== 'PK\x03\x04') return undefined;
      begun = true;
    }
    const passed = held.subarray(0, Math.max(0, held.length - LONGEST_END));
    digest.update(passed);
    held = held.subarray(passed.length);
  }
  if (!begun) return undefined;
  const at = endOf(held);
  if (at === undefined) return refused('truncated', 'its end is not there');
  const judged = judgeRecord(held.subarray(at + ZIP_END), keySet, PACKAGE);
  if (!('proven' in judged)) return judged;
  const { subject } = judged.proven.record;
  if (subject.length !== 1) return refused('edited', 'what is signed at its end is not about a package');
  const whole = digest.update(held.subarray(0, at + ZIP_END - 2)).digest('hex');
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
function endOf(tail: Buffer): number | undefined {
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
