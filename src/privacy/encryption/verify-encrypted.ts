import { createReadStream } from 'node:fs';
import sql from 'sql-template-tag';
import { type JudgedPackage, verifyEncryptedRecord, verifyPackageBytes } from '../../evidence/index.js';
import { encryptionOf } from '../../platform/age-head.js';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import { digestStream } from '../../platform/object-store/index.js';
import type { KeySet } from '../../platform/signing/key-set.js';
import type { DecryptWith } from './encryption.js';
import { DamagedFile, readEncrypted } from './read-encrypted.js';

/** What an encrypted file is known as. */
export interface RecordedFile {
  readonly request: string;
  readonly package: string;
  readonly judged: JudgedPackage;
}

/**
 * Verifies the package in an encrypted file as it is decrypted: none of it is written anywhere. `closed` where the
 * opening opens nothing of it. Throws `needs_key`, `needs_passphrase` where it is encrypted in the other way.
 */
export async function verifyEncrypted(
  path: string,
  opening: DecryptWith,
  keySet: KeySet,
): Promise<JudgedPackage | 'closed'> {
  const encryption = await encryptionOf(path);
  if (encryption === 'damaged') return damaged();
  if (encryption === undefined)
    return { refused: { kind: 'edited', detail: 'it is not encrypted with age' } };
  requireFit(path, encryption, opening);
  try {
    const bytes = await readEncrypted(path, opening);
    if (bytes === undefined) return 'closed';
    return (
      (await verifyPackageBytes(bytes, keySet)) ?? {
        refused: { kind: 'edited', detail: 'what it holds is no package' },
      }
    );
  } catch (error) {
    if (error instanceof DamagedFile) return damaged();
    throw error;
  }
}

/** The record of an encrypted file, by its bytes alone; undefined where there is none. */
export async function recordedFile(
  session: Session,
  path: string,
  keySet: KeySet,
): Promise<RecordedFile | undefined> {
  const { sha256 } = await digestStream(createReadStream(path));
  const [found] = await session.query<{ request: string; package: string; file_record: string }>(
    sql`select request, package, file_record from privacy.recorded_file(${sha256})`,
  );
  if (found === undefined) return undefined;
  const judged = verifyEncryptedRecord(Buffer.from(found.file_record), sha256, keySet);
  return { request: found.request, package: found.package, judged };
}

function requireFit(path: string, encryption: 'keys' | 'passphrase', opening: DecryptWith): void {
  if (encryption === ('passphrase' in opening ? 'passphrase' : 'keys')) return;
  const [what, flag] =
    encryption === 'keys'
      ? ['to a key, not with a passphrase', '--identity KEY_FILE']
      : ['with a passphrase, not to a key', '--passphrase'];
  throw new NestctlError(`${path} is encrypted ${what}.`, {
    kind: 'usage',
    code: encryption === 'keys' ? 'needs_key' : 'needs_passphrase',
    next: `nestctl export verify ${path} ${flag}`,
  });
}

const damaged = (): JudgedPackage => ({
  refused: {
    kind: 'edited',
    detail: 'it does not decrypt to its end: bytes of it were changed, or it was cut',
  },
});
