import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import sql from 'sql-template-tag';
import { appendRecord, type Evidence, lockEvidence, openSigner } from '../../evidence/index.js';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import { digestStream, type Sent } from '../../platform/object-store/index.js';
import { readRequest, refusal } from '../requests/request.js';
import { provenFile } from './proven-file.js';
import type { ShareStore } from './share-store.js';
import { liveShare, packagesOf, type SharedPackage } from './shared-package.js';

export interface ShareWish {
  /** A request by its number, or a package by its id. */
  readonly of: string;
  readonly file: string;
  /** How long the link is to work, seconds; at most 7 days. */
  readonly seconds: number;
}

export interface SharePlan {
  readonly package: Pick<SharedPackage, 'id' | 'request' | 'person' | 'package_sha256' | 'encrypted'>;
  readonly file: string;
  /** Of the whole file. */
  readonly size: number;
  readonly sha256: string;
  readonly seconds: number;
  readonly place: string;
  readonly region: string;
  readonly share: string;
  /** An earlier try that was interrupted is gone on with. */
  readonly goes_on: boolean;
}

export interface SharedLink {
  readonly share: string;
  readonly package: string;
  readonly request: string;
  /** Whoever has it can fetch the package: it is told once and kept nowhere. */
  readonly link: string;
  readonly expires_at: Date;
  readonly size: number;
  readonly sha256: string;
  readonly region: string;
  /** With what the store says that it has encrypted it. */
  readonly encryption: string;
  readonly parts_sent: number;
  readonly parts_found: number;
  readonly evidence: string;
}

/**
 * Finds out whether a file is a package that was recorded, and whether it may be shared; sends nothing. Throws
 * `not_found`, `not_the_package`, `request_ended`, `shared_already` and what `provenFile` does.
 */
export async function planShare(
  session: Session,
  evidence: Evidence,
  shareStore: ShareStore,
  { of, file, seconds }: ShareWish,
): Promise<SharePlan> {
  const packages = await packagesOf(session, of);
  const found = await provenFile(session, evidence, file, packages);
  if (found === undefined) {
    throw new NestctlError(`${file} is not a package that was recorded for ${of}.`, {
      kind: 'conflict',
      code: 'not_the_package',
      hint: 'Nothing else than the very file that export create has written and recorded is uploaded: of an encrypted package the encrypted one.',
      next: `nestctl export list ${of}`,
    });
  }
  const { state } = await readRequest(session, found.request);
  if (state === 'revoked' || state === 'denied') {
    const ended = state === 'denied' ? 'refused' : 'withdrawn';
    throw refusal(
      'request_ended',
      `Request ${found.request} was ${ended}: its package is shared with nobody.`,
      `nestctl request show ${found.request}`,
    );
  }
  const live = liveShare(found);
  const goesOn = live?.state === 'begun' && shareStore.objectOf(live.id).sha256 === live.object_sha256;
  if (live !== undefined && !goesOn) {
    throw new NestctlError(
      live.state === 'begun'
        ? 'A share of this package was begun in another bucket, or under another context.'
        : 'This package was shared before, and not revoked.',
      {
        kind: 'conflict',
        code: 'shared_already',
        hint: 'A link is told once and kept nowhere; revoke it, then share the package anew.',
        next: `nestctl export revoke ${found.id}`,
      },
    );
  }
  const { size, sha256 } = await digestStream(createReadStream(file));
  return {
    package: {
      ...{ id: found.id, request: found.request, person: found.person },
      ...{ package_sha256: found.package_sha256, encrypted: found.encrypted },
    },
    ...{ file, size, sha256, seconds, place: shareStore.place, region: shareStore.store.region },
    share: goesOn && live !== undefined ? live.id : randomUUID(),
    goes_on: goesOn,
  };
}

/**
 * Uploads the package, reads all of it back, and gives a link to it once that is recorded. Interrupted, it is gone on
 * with by the next call. Throws `source_changed`, `checksum_mismatch`, `not_encrypted`, `no_signing_key`, what the
 * database refuses and what the store does.
 */
export async function sharePackage(
  session: Session,
  evidence: Evidence,
  shareStore: ShareStore,
  plan: SharePlan,
  options: {
    readonly signal?: AbortSignal | undefined;
    readonly onProgress?: (progress: { sent: number; total: number | undefined }) => void;
  } = {},
): Promise<SharedLink> {
  const { store, objectOf } = shareStore;
  const { package: shared, share, file, size, sha256, region } = plan;
  const object = objectOf(share);
  // Before anything is sent that could not be signed for.
  await lockEvidence(evidence, () => openSigner(evidence.places));
  await session.query(
    sql`select privacy.begin_share(${shared.id}::uuid, ${share}::uuid, ${object.sha256}, ${region})`,
  );
  const clear = shared.encrypted === null;
  const contentType = clear ? 'application/zip' : 'application/octet-stream';
  const sent = await store.upload(object.key, file, { contentType, ...options });
  const encryption = await requireWhole(shareStore, object.key, sent, plan);
  const { url, expires_at } = await store.link(object.key, {
    seconds: plan.seconds,
    saveAs: `${shared.request}.${clear ? 'zip' : 'zip.age'}`,
    ...(sent.version === null ? {} : { version: sent.version }),
  });
  const signedAt = new Date(expires_at.getTime() - plan.seconds * 1_000);
  const { record } = await appendRecord(evidence, {
    chain: 'exports',
    type: 'export-share',
    subject: [{ name: `package for ${shared.request}`, sha256: shared.package_sha256 }],
    content: {
      ...{ package: shared.id, request: shared.request, share, object_sha256: object.sha256, region },
      ...{ bytes: size, file_sha256: sha256, encryption, link_expires_at: expires_at.toISOString() },
    },
  });
  const name = `${record.chain}/${record.number}`;
  await session.query(sql`select privacy.record_share(${share}::uuid, ${signedAt}, ${expires_at}, ${name})`);
  return {
    ...{ share, package: shared.id, request: shared.request, link: url, expires_at, size, sha256, region },
    ...{ encryption, parts_sent: sent.parts_sent, parts_found: sent.parts_found, evidence: name },
  };
}

/** Reads all of it again, as whoever has the link would. What is not to be shared does not stay. */
async function requireWhole(
  { store, place }: ShareStore,
  key: string,
  sent: Sent,
  { file, size, sha256 }: SharePlan,
): Promise<string> {
  const version = sent.version === null ? {} : { version: sent.version };
  const refuse = async (error: NestctlError) => {
    await store.removeAll(key);
    return error;
  };
  if (sent.sha256 !== sha256)
    throw await refuse(
      new NestctlError(`${file} was changed while it was shared. Nothing of it was left in the store.`, {
        kind: 'conflict',
        code: 'source_changed',
      }),
    );
  const found = await digestStream(store.get(key, version));
  if (found.sha256 !== sha256 || found.size !== size)
    throw await refuse(
      new NestctlError('The package was read back and is damaged. Nothing of it was left in the store.', {
        kind: 'failure',
        code: 'checksum_mismatch',
        hint: 'Run the command again. If that repeats, store or network damage data.',
      }),
    );
  const encryption = (await store.head(key, sent.version ?? undefined))?.encryption ?? null;
  if (encryption === null)
    throw await refuse(
      new NestctlError(
        `The bucket ${place} does not encrypt what lies in it. Nothing of it was left in the store.`,
        {
          kind: 'conflict',
          code: 'not_encrypted',
          hint: 'Turn its default encryption on, or set encryption = "AES256" or "aws:kms" for the store in the context file.',
        },
      ),
    );
  return encryption;
}
