import type { Context } from '../../platform/config/contexts.js';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import { asCompliance, type JobResult } from '../../platform/maintenance/index.js';
import { archiveLog } from './archive-log.js';

/**
 * Carries erasures that are due into the archives, and archives nothing. Only compliance may see whom they are about,
 * so the work has a session of that duty, where the login holds it.
 */
export async function reachArchives(
  session: Session,
  context: Context,
  signal: AbortSignal,
): Promise<JobResult> {
  const due = await countDue(session);
  if (due === 0) return { outcome: 'done', detail: 'none is due', counts: { due } };
  const left = (why: string): JobResult => ({
    outcome: 'finding',
    detail: `${due} have still to reach archives, and ${why}: nestctl audit archive`,
    counts: { due },
  });
  if (context.object_store === undefined) return left('this context names no object store');
  const officer = await asCompliance(session, 'approved erasures reach the archives');
  if (officer === undefined) return left('this login does not hold the duty compliance');
  try {
    const nothing = { months: [], erasures: [], tree_size: 0 };
    const { erased_parts: parts, destroyed_versions: versions } = await archiveLog(
      officer,
      context,
      nothing,
      { signal },
    );
    const remaining = await countDue(session);
    const counts = { due: remaining, parts, versions };
    if (remaining > 0)
      return {
        outcome: 'finding',
        detail: `${remaining} wait for a month that is on its way: nestctl audit archive`,
        counts,
      };
    return { outcome: 'done', detail: `${due} reached their archives`, counts };
  } catch (error) {
    if (!(error instanceof NestctlError) || error.code !== 'archive_busy') throw error;
    return {
      outcome: 'unknown',
      detail: 'another console is archiving, and erases as it goes',
      counts: { due },
    };
  } finally {
    await officer.close();
  }
}

async function countDue(session: Session): Promise<number> {
  const { due } = await session.one<{ due: number }>(
    'select count(*)::float8 as due from audit.archive_erasures where done_at is null',
  );
  return due;
}
