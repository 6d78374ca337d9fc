import { openEvidence, withCarrier } from '../../evidence/index.js';
import type { Context } from '../../platform/config/contexts.js';
import type { Session } from '../../platform/database/session.js';
import { ARCHIVER_LOCK, tryLock, unlock } from '../../platform/database/session-lock.js';
import { NestctlError } from '../../platform/errors.js';
import { elsewhere } from '../archive/archive-log.js';
import { readArchives } from '../archive/archives.js';
import { nameOf } from '../archive/month.js';
import { whenUnlocked } from '../archive/when-unlocked.js';
import { readLogState } from '../seal/log-state.js';
import { destroyArchived } from './destroy-archived.js';
import type { RetentionPlan } from './plan-retention.js';
import { openPrunings, type Pruning } from './prunings.js';
import { signPruning } from './sign-pruning.js';

export interface PrunedMonth {
  readonly category: string;
  readonly month: string;
  readonly events: number;
}

export interface Pruned {
  readonly pruned: readonly PrunedMonth[];
  /** Signed for; dropped by the next run once their records are sealed. */
  readonly waiting: readonly PrunedMonth[];
  /** Archived months of which objects are locked still: what belongs to people is destroyed, the rest from then on. */
  readonly locked: readonly (PrunedMonth & { readonly until: Date })[];
  /** On their way, and held since by something else. */
  readonly held: readonly (PrunedMonth & { readonly why: string })[];
  /** Versions of objects that were destroyed in the store. */
  readonly destroyed_versions: number;
}

export interface PruneOptions {
  readonly signal?: AbortSignal | undefined;
  readonly tell?: ((what: string) => void) | undefined;
}

/**
 * Begins what is planned under its approval, signs for each month, and drops those whose signed records are sealed.
 * Killed at any moment, it is gone on with by the next call. Throws `approval_pending`, `archive_busy`, `too_young`,
 * `log_edited`.
 */
export async function pruneLog(
  session: Session,
  context: Context,
  plan: RetentionPlan,
  { signal, tell }: PruneOptions = {},
): Promise<Pruned> {
  if (!(await tryLock(session, ARCHIVER_LOCK))) {
    throw new NestctlError('Another console is archiving or pruning the audit log.', {
      kind: 'conflict',
      code: 'archive_busy',
      hint: 'It goes on with what was begun; wait until it is done.',
      next: 'nestctl audit retention --dry-run',
    });
  }
  try {
    if (plan.approvable.months.length > 0) await session.query('select audit.begin_retention()');
    const evidence = openEvidence(context);
    const { log } = await readLogState(session);
    const pruned: PrunedMonth[] = [];
    const waiting: PrunedMonth[] = [];
    const locked: Pruned['locked'][number][] = [];
    const held: Pruned['held'][number][] = [];
    let versions = 0;
    for (const pruning of await openPrunings(session)) {
      signal?.throwIfAborted();
      tell?.(nameOf(pruning.month));
      const { category, month } = pruning.month;
      const about = { category, month: month.slice(0, 7), events: pruning.events };
      if (pruning.held !== null) {
        held.push({ ...about, why: pruning.held });
        continue;
      }
      if (pruning.record === null) await signPruning(session, evidence, log, pruning);
      if (pruning.archive === null) {
        const drop = () => session.query('select audit.drop_pruned($1)', [pruning.id]);
        ((await whenSealed(drop)) === undefined ? waiting : pruned).push(about);
        continue;
      }
      const gone = await whenSealed(() => destroy(session, context, pruning, signal));
      versions += gone?.versions ?? 0;
      if (gone === undefined) waiting.push(about);
      else if (gone.lockedUntil !== undefined) locked.push({ ...about, until: gone.lockedUntil });
      else pruned.push(about);
    }
    return { pruned, waiting, locked, held, destroyed_versions: versions };
  } finally {
    await unlock(session, ARCHIVER_LOCK);
  }
}

/** Undefined where the signed record is not sealed yet. */
async function whenSealed<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await whenUnlocked(work);
  } catch (error) {
    if (error instanceof NestctlError && error.next === 'nestctl audit seal') return undefined;
    throw error;
  }
}

async function destroy(
  session: Session,
  context: Context,
  pruning: Pruning,
  signal: AbortSignal | undefined,
) {
  const archive = (await readArchives(session)).find(({ id }) => id === pruning.archive);
  if (archive === undefined) throw new Error(`no archive ${pruning.archive}`);
  return await withCarrier(context, async (carrier) => {
    if (archive.place !== carrier.place) throw elsewhere(archive, carrier);
    return await destroyArchived(session, carrier, pruning, archive, signal);
  });
}
