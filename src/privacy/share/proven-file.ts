import { createReadStream } from 'node:fs';
import sql from 'sql-template-tag';
import {
  type Evidence,
  type JudgedPackage,
  verifyEncryptedRecord,
  verifyingKeys,
  verifyPackage,
} from '../../evidence/index.js';
import { encryptionOf } from '../../platform/age-head.js';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import { digestStream } from '../../platform/object-store/index.js';
import type { SharedPackage } from './shared-package.js';

/**
 * Which of the packages that were recorded a file is, every byte of it as it was signed by a key of this console, of one
 * it was given, or published; undefined where it is none. Of an encrypted package, the encrypted file alone: what it
 * holds was handed out to nobody in the clear. Throws `not_the_package`.
 */
export async function provenFile(
  session: Session,
  evidence: Evidence,
  file: string,
  packages: readonly SharedPackage[],
): Promise<SharedPackage | undefined> {
  const keys = await verifyingKeys(evidence.places);
  if ((await encryptionOf(file)) === undefined) {
    const judged = await verifyPackage(file, keys);
    const { record } = requireProven(file, judged ?? { unchecked: 'it is no ZIP file' });
    const name = `${record.chain}/${record.number}`;
    return packages.find(
      ({ encrypted, package_sha256, evidence }) =>
        encrypted === null && package_sha256 === record.subject[0]?.sha256 && evidence === name,
    );
  }
  const { sha256 } = await digestStream(createReadStream(file));
  const found = packages.find(({ encrypted }) => encrypted?.sha256 === sha256);
  if (found === undefined) return undefined;
  const { envelope } = await session.one<{ envelope: string }>(
    sql`select file_record as envelope from privacy.exports where id = ${found.id}::uuid`,
  );
  const { record } = requireProven(file, verifyEncryptedRecord(Buffer.from(envelope), sha256, keys));
  return record.subject[1]?.sha256 === found.package_sha256 ? found : undefined;
}

function requireProven(file: string, judged: JudgedPackage) {
  if ('proven' in judged) return judged.proven;
  const why = 'refused' in judged ? judged.refused.detail : judged.unchecked;
  throw new NestctlError(`${file} is not a package as it was signed: ${why}.`, {
    kind: 'conflict',
    code: 'not_the_package',
    hint: 'A package that a colleague has signed verifies once their published keys are imported.',
    next: `nestctl export verify ${file}`,
  });
}
