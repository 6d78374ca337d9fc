import { appendRecord, type Evidence, lockEvidence, openSigner } from '../../evidence/index.js';
import { NestctlError } from '../../platform/errors.js';
import type { ShareStore } from './share-store.js';

export interface RemovableShare {
  readonly id: string;
  readonly object_sha256: string;
  readonly package: string;
  readonly request: string;
  readonly package_sha256: string;
  /** Null where no link was told. */
  readonly link_expires_at: string | Date | null;
}

/** Where the object of a share lies. Throws `share_elsewhere` where the context does not lead there. */
export function keyOf({ place, objectOf }: ShareStore, share: RemovableShare): string {
  const { key, sha256 } = objectOf(share.id);
  if (sha256 === share.object_sha256) return key;
  throw new NestctlError(`This was not shared from ${place} under this context.`, {
    kind: 'conflict',
    code: 'share_elsewhere',
    hint: 'Endpoint, bucket, prefix or the name of the context were other ones then: what lies there can only be deleted with those.',
    next: 'nestctl context list',
  });
}

/**
 * Deletes every version and delete marker of what was shared, and what was sent of it, and signs a record of it once
 * the store has shown that nothing is left. Throws `share_elsewhere`, and `object_locked` with what remains.
 */
export async function removeShare(
  evidence: Evidence,
  shareStore: ShareStore,
  share: RemovableShare,
): Promise<{ removed: number; record: string }> {
  const key = keyOf(shareStore, share);
  // Before anything is deleted that could not be signed for.
  await lockEvidence(evidence, () => openSigner(evidence.places));
  const removed = await removeWhole(shareStore, key, share);
  const { record } = await appendRecord(evidence, {
    chain: 'exports',
    type: 'export-revocation',
    subject: [{ name: `package for ${share.request}`, sha256: share.package_sha256 }],
    content: {
      ...{ package: share.package, request: share.request, share: share.id },
      ...{ object_sha256: share.object_sha256, removed_versions: removed, left: 0 },
    },
  });
  return { removed, record: `${record.chain}/${record.number}` };
}

async function removeWhole(shareStore: ShareStore, key: string, share: RemovableShare): Promise<number> {
  const { store, place } = shareStore;
  try {
    // First what could still become an object.
    await store.abandonUnfinished(key);
    const removed = await store.removeAll(key);
    const { all, readable } = await left(shareStore, key);
    if (all === 0 && !readable) return removed;
    throw new NestctlError('It was stored again meanwhile.', { kind: 'failure', code: 'object_left' });
  } catch (error) {
    if (!(error instanceof NestctlError) || !['object_locked', 'object_left'].includes(error.code))
      throw error;
    const { all } = await left(shareStore, key);
    const until = share.link_expires_at === null ? undefined : new Date(share.link_expires_at);
    const works =
      until !== undefined && until.getTime() > Date.now()
        ? `, and its link works until ${until.toISOString()}`
        : '';
    throw new NestctlError(
      `Not revoked: ${all === 1 ? 'one version' : `${all} versions`} of the package remain in ${place}${works}.`,
      {
        kind: error.kind,
        code: error.code,
        hint: error.code === 'object_locked' ? error.message : error.hint,
        cause: error,
      },
    );
  }
}

/** What the store still lists of an object, and whether it can be read. */
export async function left({ store }: ShareStore, key: string): Promise<{ all: number; readable: boolean }> {
  let all = await store.unfinished(key);
  for await (const version of store.versions(key)) if (version.key === key) all += 1;
  return { all, readable: (await store.head(key)) !== undefined };
}
