import { type Finding, finding } from '../platform/doctor/finding.js';
import type { ResidencyPolicy } from '../platform/residency-policy.js';
import { missingFrom, pathBetween } from './archive.js';
import type { Archive, Backup, Catalogue, Gap } from './backup.js';
import type { LiveLog } from './live-log.js';
import { formatLsn, parseLsn, parseSegment } from './wal.js';

/** What the product promises. */
export const PROMISES = {
  /** Hours from one backup to the next, with an hour's grace. */
  backup_hours: 25,
  rpo_minutes: 60,
  keep_days: 30,
  /** Days beyond which nothing can be recovered any more: else people who were erased live on in backups. */
  forget_days: 37,
} as const;

export interface Circumstances {
  readonly now: Date;
  readonly residency: ResidencyPolicy;
  /** Undefined where the database does not answer. */
  readonly live: LiveLog | undefined;
}

/** What is wrong with the backups of a context, and what could not be found out. */
export function checkBackups(catalogue: Catalogue, around: Circumstances): Finding[] {
  const complete = catalogue.backups.filter(({ state }) => state === 'complete');
  return [
    ...unusable(catalogue.backups),
    newest(complete, around.now),
    ...restorable(complete, catalogue.archive),
    recoveryPoint(catalogue.archive, around),
    ...continuity(complete, catalogue.archive),
    kept(complete, around),
    ...outlived(complete, around.now),
    ...lying(complete, around.residency),
  ];
}

const CREATE = { remedy: 'nestctl backup create' };
const list = (gaps: readonly Gap[]) =>
  gaps.map(({ from, to, count }) => (count === 1 ? from : `${from} to ${to}`)).join(', ');
const hours = (milliseconds: number) => Math.floor(milliseconds / 3_600_000);
const days = (milliseconds: number) => Math.floor(milliseconds / 86_400_000);

function unusable(backups: readonly Backup[]): Finding[] {
  return backups
    .filter(({ state }) => state === 'failed')
    .map(({ id }) =>
      finding('usable', 'warning', 'cannot be restored from: it was never finished', { object: id }),
    );
}

function newest([last]: readonly Backup[], now: Date): Finding {
  if (last?.stopped_at == null) return finding('newest backup', 'error', 'there is none', CREATE);
  const age = hours(now.getTime() - last.stopped_at.getTime());
  const said = `${age === 0 ? 'less than an hour' : age === 1 ? 'an hour' : `${age} hours`} old`;
  return age < PROMISES.backup_hours
    ? finding('newest backup', 'ok', said, { object: last.id })
    : finding('newest backup', 'error', `${said}: one a day is promised`, { object: last.id, ...CREATE });
}

/** The files of the log from a backup's beginning to its end, without which it is not consistent. */
function ownLog(backup: Backup, archive: Archive): readonly Gap[] | undefined {
  const { timeline, start_lsn, stop_lsn } = backup;
  if (timeline === null || start_lsn === null || stop_lsn === null) return undefined;
  const ends = [start_lsn, stop_lsn].map((lsn) => ({ timeline, lsn: parseLsn(lsn) }));
  const path = pathBetween(archive, ends[0] as never, ends[1] as never);
  return path === undefined ? undefined : missingFrom(archive, path);
}

function restorable(backups: readonly Backup[], archive: Archive | null): Finding[] {
  if (archive === null) return [];
  return backups.flatMap((backup) => {
    const missing = ownLog(backup, archive) ?? [];
    if (missing.length === 0) return [];
    return [
      finding('restorable', 'error', `of the log that it needs, this is missing: ${list(missing)}`, {
        object: backup.id,
        ...CREATE,
      }),
    ];
  });
}

function recoveryPoint(archive: Archive | null, { now, live }: Circumstances): Finding {
  const name = 'RPO now';
  if (archive === null) return finding(name, 'unknown', 'the engine keeps its log to itself');
  const { newest_at } = archive;
  if (newest_at === null) return finding(name, 'error', 'no file of the log was ever archived');
  const minutes = Math.floor((now.getTime() - newest_at.getTime()) / 60_000);
  const last = `the newest file came ${minutes} min ago`;
  if (live === undefined)
    return finding(name, 'unknown', `${last}; the database does not say what was written since`);
  const tip = archive.timelines.find(({ timeline }) => timeline === live.timeline);
  const end = tip === undefined ? undefined : parseSegment(tip.last, archive.segment_size);
  const archived = end === undefined ? 0n : BigInt(end.number + 1) * BigInt(archive.segment_size);
  // The header of the next file is no change of anybody's.
  const behind = live.lsn - archived - 128n;
  if (behind <= 0n) return finding(name, 'ok', `0 min: all up to ${formatLsn(live.lsn)} is archived`);
  const unarchived = `${behind} bytes written since are not archived`;
  if (live.failing !== null)
    return finding(name, 'error', `archiving fails at ${live.failing}; ${last}; ${unarchived}`, {
      remedy: 'nestctl doctor',
    });
  return minutes <= PROMISES.rpo_minutes
    ? finding(name, 'ok', `at most ${minutes} min: ${unarchived}`)
    : finding(name, 'error', `up to ${minutes} min would be lost, an hour is promised: ${unarchived}`, {
        remedy: 'nestctl maintenance run --job wal-archiving',
      });
}

/** Every file of the log from the oldest backup on, along each timeline to where it was left. */
function continuity(backups: readonly Backup[], archive: Archive | null): Finding[] {
  if (archive === null) return [];
  const from = oldestNeeded(backups, archive);
  const found = archive.timelines.flatMap(({ timeline, missing, ancestors }) => [
    ...missing
      .filter((gap) => from === undefined || gap.to >= from)
      .map((gap) =>
        finding(
          'log without gaps',
          'error',
          `${gap.count} missing: ${list([gap])}; nothing behind it can be reached from an older backup`,
          { object: `timeline ${timeline}`, ...CREATE },
        ),
      ),
    ...(ancestors === null
      ? [
          finding('timelines', 'error', 'its history file is missing: what it began from is not known', {
            object: `timeline ${timeline}`,
          }),
        ]
      : []),
  ]);
  const count = archive.timelines.reduce((sum, { segments }) => sum + segments, 0);
  return found.length > 0 ? found : [finding('log without gaps', 'ok', `${count} files, none missing`)];
}

function oldestNeeded(backups: readonly Backup[], archive: Archive): string | undefined {
  const first = archive.timelines[0]?.timeline;
  return backups.filter(({ timeline }) => timeline === first).at(-1)?.start_segment ?? undefined;
}

function kept(backups: readonly Backup[], { now, live }: Circumstances): Finding {
  const age = live?.age_days ?? undefined;
  const name = 'kept for 30 days';
  const oldest = backups.at(-1)?.stopped_at;
  if (oldest == null) return finding(name, 'error', 'there is no backup', CREATE);
  const back = days(now.getTime() - oldest.getTime());
  const said = `reaches back ${back} days`;
  if (back >= PROMISES.keep_days) return finding(name, 'ok', said);
  if (age === undefined) return finding(name, 'unknown', `${said}; how old the database is, is not known`);
  // Nobody can have a backup from before there was anything.
  return age - back <= 1.5
    ? finding(name, 'ok', `${said}, as far as the database does`)
    : finding(name, 'error', `${said}: ${PROMISES.keep_days} are promised`);
}

function outlived(backups: readonly Backup[], now: Date): Finding[] {
  const old = backups.filter(
    ({ stopped_at }) =>
      stopped_at !== null && days(now.getTime() - stopped_at.getTime()) > PROMISES.forget_days,
  );
  return old.map(({ id, stopped_at }) =>
    finding(
      'forgotten in time',
      'error',
      `${days(now.getTime() - (stopped_at as Date).getTime())} days old: whoever was erased since is still in it`,
      { object: id, remedy: 'nestctl backup expire' },
    ),
  );
}

function lying(backups: readonly Backup[], { regions }: ResidencyPolicy): Finding[] {
  const clear = backups.filter(({ encryption }) => encryption === 'none');
  const [first] = clear;
  const abroad = backups.filter(({ region }) => region !== null && !regions.includes(region));
  return [
    ...(first === undefined
      ? []
      : [
          finding(
            'encrypted',
            // Where the database itself lies in clear text, its copy beside it gives nobody more.
            first.engine === 'local' ? 'info' : 'warning',
            `${clear.length} of ${backups.length} are not encrypted by their engine`,
            { object: first.place },
          ),
        ]),
    ...abroad.map(({ id, region }) =>
      finding('in Canada', 'error', `lies in ${region}, which the policy does not allow`, { object: id }),
    ),
  ];
}
