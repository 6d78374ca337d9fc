import {
  type Archive,
  type Backup,
  type BackupEngine,
  type Gap,
  logFrom,
  parseLsn,
} from '../backups/index.js';
import { NestctlError } from '../platform/errors.js';
import { describeTarget, type RecoveryTarget } from './target.js';

/** Whether a target can be reached, from which backup, and where the log ends on the way. */
export interface Advice {
  readonly target: RecoveryTarget;
  readonly described: string;
  /** yes; no; unknown: only trying it shows. */
  readonly reachable: 'yes' | 'no' | 'unknown';
  readonly why: string;
  /** The one to begin with: the newest that ended before the target, and from which the log leads there. */
  readonly backup: Backup | null;
  /** The first moment that can be recovered to from any backup, and the last that is known to be archived. */
  readonly earliest: Date | null;
  readonly latest: Date | null;
  /** What keeps the log from going on. */
  readonly gap: Gap | null;
  /** What to aim at instead. */
  readonly nearest: RecoveryTarget | null;
}

/**
 * Looks at a target with what the engine has, restoring nothing. The database need not be there; where it is, and the target is
 * later than what was archived, it is asked to archive what it has.
 */
export async function adviseTarget(
  engine: BackupEngine,
  target: RecoveryTarget,
  now: Date = new Date(),
): Promise<Advice> {
  const first = await advise(engine, target, now);
  const moment = momentOf(target);
  const beyond = first.reachable === 'no' && first.gap === null && first.earliest !== null;
  const wanted =
    target.kind === 'latest' ||
    (beyond && moment !== undefined && moment > (first.latest ?? moment) && moment <= now);
  return wanted && (await engine.archiveNow()) ? await advise(engine, target, now) : first;
}

const momentOf = (target: RecoveryTarget): Date | undefined =>
  target.kind === 'time' ? target.time : target.kind === 'before' ? target.about : undefined;

async function advise(engine: BackupEngine, target: RecoveryTarget, now: Date): Promise<Advice> {
  const { backups, archive } = await engine.catalogue();
  const complete = backups.filter(({ state, stopped_at }) => state === 'complete' && stopped_at !== null);
  const earliest = complete.at(-1)?.stopped_at ?? null;
  const ways = await Promise.all(complete.map((backup) => wayFrom(engine, backup, archive)));
  const latest = ways.reduce<Date | null>(
    (last, { until }) => (until !== null && (last === null || until > last) ? until : last),
    null,
  );
  const advice = { target, described: describeTarget(target), earliest, latest };
  const no = (why: string, nearest: RecoveryTarget | null, gap: Gap | null = null): Advice => ({
    ...{ ...advice, reachable: 'no', why, backup: null, gap, nearest },
  });
  if (earliest === null) return no('there is no backup', null);
  const moment = momentOf(target);
  if (moment !== undefined && moment > now) return no('it is in the future', { kind: 'latest' });
  if (moment !== undefined && moment < earliest)
    return no(`the first backup ended at ${earliest.toISOString()}`, { kind: 'time', time: earliest });
  const before = ways.filter(({ backup }) => isBefore(backup, target, moment));
  const [newest] = before;
  if (newest === undefined) return no('no backup ended before it', { kind: 'time', time: earliest });
  if (moment === undefined) {
    const certain = target.kind === 'latest' || (target.kind === 'lsn' && reaches(newest, target.lsn));
    return {
      ...{ ...advice, backup: newest.backup, gap: newest.gap, nearest: null },
      reachable: certain ? 'yes' : 'unknown',
      why: certain
        ? newest.gap === null
          ? 'the log leads there'
          : 'up to a gap in the log'
        : 'whether the archived log has it shows only when it is replayed',
    };
  }
  // The newest from which the log is whole up to there; an older one may lead round a gap.
  const way = before.find(({ until }) => until !== null && until >= moment);
  if (way !== undefined)
    return {
      ...{ ...advice, backup: way.backup, reachable: 'yes', gap: null, nearest: null },
      why: `from backup ${way.backup.id} the log is whole until ${way.until?.toISOString()}`,
    };
  const nearest: RecoveryTarget =
    newest.until === null ? { kind: 'latest' } : { kind: 'time', time: newest.until };
  if (newest.gap !== null)
    return no(
      `${newest.gap.count === 1 ? newest.gap.from : `${newest.gap.from} to ${newest.gap.to}`} of the log is missing`,
      nearest,
      newest.gap,
    );
  return no(
    newest.until === null
      ? 'no log was archived since the backup'
      : `the archived log ends at about ${newest.until.toISOString()}; what came later is with the server alone`,
    nearest,
  );
}

/** Throws `target_unreachable`, which names the nearest, where it is known that a target cannot be reached. */
export function requireReachable(advice: Advice): Advice {
  if (advice.reachable !== 'no') return advice;
  const { nearest, why } = advice;
  throw new NestctlError(`That moment cannot be recovered to: ${why}.`, {
    kind: 'conflict',
    code: 'target_unreachable',
    hint: nearest === null ? undefined : `The nearest that can: ${describeTarget(nearest)}.`,
    next: nearest === null ? 'nestctl backup create' : 'nestctl restore target --latest',
  });
}

interface Way {
  readonly backup: Backup;
  /** When the last file was archived that the log leads to; what it holds is from before that. */
  readonly until: Date | null;
  readonly end: bigint | null;
  readonly gap: Gap | null;
}

async function wayFrom(engine: BackupEngine, backup: Backup, archive: Archive | null): Promise<Way> {
  const log = archive === null ? undefined : logFrom(archive, backup);
  if (log === undefined) return { backup, until: null, end: null, gap: null };
  return { backup, until: await engine.archivedAt(log.last), end: log.end, gap: log.gap };
}

function isBefore(
  { stopped_at, stop_lsn }: Backup,
  target: RecoveryTarget,
  moment: Date | undefined,
): boolean {
  if (moment !== undefined) return stopped_at !== null && stopped_at <= moment;
  return target.kind !== 'lsn' || stop_lsn === null || parseLsn(stop_lsn) <= parseLsn(target.lsn);
}

const reaches = ({ end }: Way, lsn: string) => end !== null && parseLsn(lsn) <= end;
