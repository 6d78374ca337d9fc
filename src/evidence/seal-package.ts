import { appendRecord } from './append-record.js';
import type { Evidence } from './open-evidence.js';
import { ENCRYPTED, PACKAGE } from './proof/verify-package.js';
import type { EvidenceRecord } from './record.js';

/** What is signed of a package. Nothing of whom it is about: the request leads there, while it is kept. */
export interface PackageSeal {
  readonly request: string;
  /** Of all its bytes before the length of its comment, hex. */
  readonly sha256: string;
  readonly bytes: number;
  readonly manifest_sha256: string;
  readonly files: number;
  readonly rows: number;
  readonly severances: number;
}

/** What is signed of an encrypted file that holds a package. Nothing by which its reader is known. */
export interface EncryptedSeal {
  readonly request: string;
  /** Of the encrypted file, hex. */
  readonly sha256: string;
  readonly bytes: number;
  /** As `PackageSeal` has it. */
  readonly package_sha256: string;
  /** Of all of the ZIP file, as decrypting gives it. */
  readonly zip_sha256: string;
  /** The signed record of the package, chain/number. */
  readonly evidence: string;
  readonly encryption: 'keys' | 'passphrase';
  readonly recipients: number;
}

/** A record as it was kept. */
interface Sealed {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Signs and chains a record of a package; its bytes are what goes to the package's end. Throws as `appendRecord`. */
export async function sealPackage(evidence: Evidence, { sha256, ...content }: PackageSeal): Promise<Sealed> {
  const subject = [{ name: `package for ${content.request}`, sha256 }] as const;
  return await kept(evidence, (await appendRecord(evidence, { ...PACKAGE, subject, content })).record);
}

/** Signs and chains a record of an encrypted file. Throws as `appendRecord`. */
export async function sealEncrypted(
  evidence: Evidence,
  { sha256, package_sha256, zip_sha256, ...content }: EncryptedSeal,
): Promise<Sealed> {
  const { request } = content;
  const subject = [
    { name: `encrypted package for ${request}`, sha256 },
    { name: `package for ${request}`, sha256: package_sha256 },
    { name: `file of the package for ${request}`, sha256: zip_sha256 },
  ] as const;
  return await kept(evidence, (await appendRecord(evidence, { ...ENCRYPTED, subject, content })).record);
}

async function kept(evidence: Evidence, { chain, number }: EvidenceRecord): Promise<Sealed> {
  const bytes = await evidence.store.read(chain, number);
  if (bytes === undefined) throw new Error('a record that was just kept is not there');
  return { name: `${chain}/${number}`, bytes };
}
