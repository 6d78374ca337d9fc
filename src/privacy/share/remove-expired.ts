import sql from 'sql-template-tag';
import { type Evidence, openEvidence } from '../../evidence/index.js';
import type { Context } from '../../platform/config/contexts.js';
import { exportStoreSettings } from '../../platform/config/services.js';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import type { JobResult } from '../../platform/maintenance/index.js';
import { type RemovableShare, removeShare } from './remove-share.js';
import { type ShareStore, withShareStore } from './share-store.js';

/** Why a share stays where it is until somebody looks after it. */
const LEFT = new Set(['object_locked', 'object_left', 'share_elsewhere']);

/** A console without the key cannot sign that it deleted something, and deletes nothing. */
const NO_KEY = new Set(['no_signing_key', 'key_not_enrolled', 'key_retired']);

/** For maintenance: deletes what was shared by links that are over, or begun and never ended, in every version. */
export async function removeExpired(
  session: Session,
  context: Context,
  signal: AbortSignal,
): Promise<JobResult> {
  const due = await session.query<RemovableShare>(sql`select * from ops.expired_shares()`);
  if (due.length === 0) return { outcome: 'done', detail: 'no link is over', counts: { due: 0, left: 0 } };
  if (exportStoreSettings(context) === undefined)
    return {
      outcome: 'finding',
      detail: `${due.length} are in a store that this context does not name: nestctl export list`,
      counts: { due: due.length, left: due.length },
    };
  try {
    const left = await withShareStore(context, (store) =>
      removeEach(session, openEvidence(context), store, due, signal),
    );
    const counts = { due: due.length, left };
    if (left > 0)
      return { outcome: 'finding', detail: `${left} could not be deleted: nestctl export list`, counts };
    return { outcome: 'done', detail: `${due.length} deleted, none left`, counts };
  } catch (error) {
    if (!(error instanceof NestctlError) || !NO_KEY.has(error.code)) throw error;
    return { outcome: 'unknown', detail: `not signed, so not deleted: ${error.message}` };
  }
}

async function removeEach(
  session: Session,
  evidence: Evidence,
  store: ShareStore,
  due: readonly RemovableShare[],
  signal: AbortSignal,
): Promise<number> {
  let left = 0;
  for (const share of due) {
    signal.throwIfAborted();
    try {
      const { removed, record } = await removeShare(evidence, store, share);
      await session.query(sql`select ops.record_expired_share(${share.id}::uuid, ${removed}, ${record})`);
    } catch (error) {
      if (!(error instanceof NestctlError) || !LEFT.has(error.code)) throw error;
      left += 1;
    }
  }
  return left;
}
