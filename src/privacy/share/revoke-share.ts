import sql from 'sql-template-tag';
import type { Evidence } from '../../evidence/index.js';
import type { Session } from '../../platform/database/session.js';
import { keyOf, left, type RemovableShare, removeShare } from './remove-share.js';
import type { ShareStore } from './share-store.js';
import { liveShare, packagesOf, type Share } from './shared-package.js';

export interface RevocationPlan {
  readonly place: string;
  readonly shares: readonly (Share &
    RemovableShare & {
      /** Versions and delete markers of it in the store, and uploads of it that were not completed. */
      readonly objects: number;
    })[];
}

export interface Revocation {
  readonly share: string;
  readonly package: string;
  readonly request: string;
  readonly removed_versions: number;
  readonly evidence: string;
}

/** What would be deleted. Throws `not_found`, `share_elsewhere`. */
export async function planRevocation(
  session: Session,
  shareStore: ShareStore,
  of: string,
): Promise<RevocationPlan> {
  const shares = [];
  for (const found of await packagesOf(session, of)) {
    const live = liveShare(found);
    if (live === undefined) continue;
    const { id, request, package_sha256 } = found;
    const share = { ...live, package: id, request, package_sha256 };
    shares.push({ ...share, objects: (await left(shareStore, keyOf(shareStore, share))).all });
  }
  return { place: shareStore.place, shares };
}

/**
 * Deletes what was shared, and says so once the store has shown that nothing is left. Interrupted, it is gone on with
 * by the next call. Throws `object_locked` with what remains.
 */
export async function revokeShares(
  session: Session,
  evidence: Evidence,
  shareStore: ShareStore,
  { shares }: RevocationPlan,
): Promise<Revocation[]> {
  const done: Revocation[] = [];
  for (const share of shares) {
    const { removed, record } = await removeShare(evidence, shareStore, share);
    await session.query(sql`select privacy.record_revocation(${share.id}::uuid, ${removed}, ${record})`);
    done.push({
      ...{ share: share.id, package: share.package, request: share.request },
      ...{ removed_versions: removed, evidence: record },
    });
  }
  return done;
}
