import type { Writable } from 'node:stream';
import sql from 'sql-template-tag';
import { type Evidence, lockEvidence, openSigner, sealPackage } from '../../evidence/index.js';
import type { Session } from '../../platform/database/session.js';
import { encryptInto } from '../encryption/encrypt-into.js';
import type { EncryptTo } from '../encryption/encryption.js';
import type { ExportableRequest } from './exportable-request.js';
import { totalsOf } from './manifest.js';
import { requireMap } from './package-tables.js';
import { readPeople } from './people.js';
import { readSubject } from './plan-export.js';
import type { MeasuredPlace } from './residency.js';
import { type EncryptedPackage, signEncrypted } from './sign-encrypted.js';
import { writePackage } from './write-package.js';

export interface ExportWish {
  readonly request: ExportableRequest;
  /** As `measureResidency` told it. */
  readonly residency: readonly MeasuredPlace[];
  /** Left out, whoever has the file reads it. */
  readonly encryptTo?: EncryptTo | undefined;
  /** Whose snapshot is read: on a replica that has replayed the grant. The session itself when absent. */
  readonly reader?: Session | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onFile?: ((path: string) => void) | undefined;
}

export interface CreatedExport {
  readonly id: string;
  /** The id of the account, or of the child. */
  readonly person: string;
  readonly request: string;
  readonly language: string;
  readonly files: number;
  readonly rows: number;
  readonly severances: number;
  /** Of the whole file but its comment, hex: what is signed. */
  readonly package_sha256: string;
  readonly manifest_sha256: string;
  readonly bytes: number;
  /** The signed record of it, chain/number. */
  readonly evidence: string;
  readonly encrypted: EncryptedPackage | null;
}

/**
 * Writes the package of an account or of a child to a sink, signed, encrypted where that is wished, and records it:
 * nothing is to be handed out before this returns. All of it is read in one snapshot. Throws `reason_missing`, `map_incomplete`,
 * `not_readable`, `no_such_person`, `no_grant`, `no_signing_key` and what `openSigner` and `openEncrypter` do.
 */
export async function createExport(
  session: Session,
  evidence: Evidence,
  wish: ExportWish,
  sink: Writable,
): Promise<CreatedExport> {
  const { request: asked, residency, encryptTo, reader = session, signal, onFile } = wish;
  const { number: request, kind, subject: of } = asked;
  await session.query(sql`select privacy.require_export_purpose()`);
  await requireMap(session);
  // Before anything is read that could not be signed for.
  await lockEvidence(evidence, () => openSigner(evidence.places));
  let record = '';
  const write = async (into: Writable) =>
    await reader.transaction(
      async () => {
        const { subject, tables } = await readSubject(reader, of);
        const people = await readPeople(reader, of, subject.language);
        const { archived } = await reader.one<{ archived: string[] }>(
          sql`select audit.archived_months(null, null) as archived`,
        );
        const facts = {
          ...subject,
          request,
          kind,
          made_at: new Date().toISOString(),
          archived_months: archived,
          residency,
        };
        const written = await writePackage(
          reader,
          { of, facts, tables, people },
          {
            signal,
            onFile,
            sign: async ({ sha256, bytes }, manifest, manifestSha256) => {
              const sealed = await sealPackage(evidence, {
                ...{ request, sha256, bytes, manifest_sha256: manifestSha256 },
                ...totalsOf(manifest),
              });
              record = sealed.name;
              return sealed.bytes;
            },
          },
          into,
        );
        return { written, language: subject.language };
      },
      { isolation: 'repeatable read', readOnly: true },
    );
  const writeEncrypted = async (to: EncryptTo) => {
    const { result, encrypted: outside } = await encryptInto(to, sink, write);
    const { seal } = result.written;
    const file = await signEncrypted(evidence, { request, record, seal, encryptTo: to, outside });
    return { ...result, file };
  };
  const { written, language, file } =
    encryptTo === undefined ? { ...(await write(sink)), file: undefined } : await writeEncrypted(encryptTo);
  const { manifest, manifest_sha256, seal } = written;
  const totals = totalsOf(manifest);
  const { id } = await session.one<{ id: string }>(sql`
    select privacy.record_export(${of.id}::uuid, ${request}, ${language}, ${seal.sha256}, ${manifest_sha256}, ${seal.bytes}::bigint, ${totals.rows}::bigint,
      ${totals.severances}::bigint, ${record}, ${of.kind}, ${file === undefined ? null : JSON.stringify({ ...file.encrypted, record: file.record })}::jsonb) as id`);
  return {
    ...{ id, person: of.id, request, language, ...totals, manifest_sha256, evidence: record },
    package_sha256: seal.sha256,
    bytes: seal.bytes,
    encrypted: file?.encrypted ?? null,
  };
}
