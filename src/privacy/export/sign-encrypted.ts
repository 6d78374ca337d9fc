import { type Evidence, sealEncrypted } from '../../evidence/index.js';
import type { Encrypted } from '../encryption/encrypt-into.js';
import type { EncryptTo } from '../encryption/encryption.js';
import type { Seal } from './sealed-zip.js';

/** The encrypted file that holds a package: all that is handed out of it. */
export interface EncryptedPackage {
  readonly encryption: 'keys' | 'passphrase';
  /** The public keys; null with a passphrase, which is kept nowhere. */
  readonly recipients: readonly string[] | null;
  readonly sha256: string;
  readonly bytes: number;
  /** The signed record that it holds the package, chain/number. */
  readonly evidence: string;
}

/** Signs that an encrypted file holds a package, once both are known. `record` is the signed envelope itself. */
export async function signEncrypted(
  evidence: Evidence,
  wish: {
    readonly request: string;
    /** The signed record of the package, chain/number. */
    readonly record: string;
    readonly seal: Seal;
    readonly encryptTo: EncryptTo;
    readonly outside: Encrypted;
  },
): Promise<{ readonly encrypted: EncryptedPackage; readonly record: string }> {
  const { request, record, seal, encryptTo, outside } = wish;
  const { sha256, bytes, plain_sha256 } = outside;
  const recipients = 'recipients' in encryptTo ? [...new Set(encryptTo.recipients)] : null;
  const encryption = recipients === null ? 'passphrase' : 'keys';
  const sealed = await sealEncrypted(evidence, {
    ...{ request, sha256, bytes, package_sha256: seal.sha256, zip_sha256: plain_sha256 },
    ...{ evidence: record, encryption, recipients: recipients?.length ?? 0 },
  });
  return {
    encrypted: { encryption, recipients, sha256, bytes, evidence: sealed.name },
    record: sealed.bytes.toString('utf8'),
  };
}
