import { formatBytes } from './format-bytes.js';
import { type Column, details, heading, table, text, toned, type View } from './views.js';

interface Backup {
  readonly id: string;
  readonly engine: string;
  readonly type: string;
  readonly state: string;
  readonly started_at: Date | null;
  readonly stopped_at: Date | null;
  readonly start_lsn: string | null;
  readonly stop_lsn: string | null;
  readonly timeline: number | null;
  readonly start_segment: string | null;
  readonly stop_segment: string | null;
  readonly system: string | null;
  readonly version: string | null;
  readonly size: number | null;
  readonly stored: number | null;
  readonly prior: string | null;
  readonly encryption: string | null;
  readonly place: string;
  readonly region: string | null;
}

interface Archive {
  readonly place: string;
  readonly timelines: readonly {
    readonly timeline: number;
    readonly first: string;
    readonly last: string;
    readonly segments: number;
    readonly missing: readonly { readonly from: string; readonly to: string; readonly count: number }[];
  }[];
  readonly newest_at: Date | null;
}

const bytes = (value: number | null) => (value === null ? null : formatBytes(value));
const TONES: Readonly<Record<string, 'good' | 'bad' | 'unknown'>> = {
  complete: 'good',
  failed: 'bad',
  running: 'unknown',
};
const state = ({ state: value }: Backup) => toned(TONES[value] ?? 'unknown', value);

export const BACKUP_COLUMNS: readonly Column<Backup>[] = [
  { name: 'backup', value: ({ id }) => id },
  { name: 'type', value: ({ type }) => type, keep: true },
  { name: 'state', value: state, raw: (backup) => backup.state, keep: true },
  { name: 'ended', value: ({ stopped_at }) => stopped_at, keep: true },
  { name: 'size', value: ({ size }) => bytes(size), raw: ({ size }) => size, align: 'right' },
  { name: 'stored', value: ({ stored }) => bytes(stored), raw: ({ stored }) => stored, align: 'right' },
  { name: 'timeline', value: ({ timeline }) => timeline, align: 'right' },
  { name: 'encryption', value: ({ encryption }) => encryption ?? toned('unknown', 'unknown') },
  { name: 'region', value: ({ region }) => region, extra: true },
  { name: 'from lsn', value: ({ start_lsn }) => start_lsn, extra: true },
  { name: 'to lsn', value: ({ stop_lsn }) => stop_lsn, extra: true },
  { name: 'begun', value: ({ started_at }) => started_at, extra: true },
  { name: 'builds on', value: ({ prior }) => prior, extra: true },
  { name: 'engine', value: ({ engine }) => engine, extra: true },
  { name: 'place', value: ({ place }) => place, extra: true },
];

/** The archived log by timeline, each gap named. */
export function archiveViews(archive: Archive | null): View[] {
  if (archive === null) return [text('The engine keeps its log to itself.', { mark: 'unknown' })];
  return [
    heading('Archived log'),
    table(
      archive.timelines,
      [
        { name: 'timeline', value: ({ timeline }) => timeline, align: 'right' },
        { name: 'first', value: ({ first }) => first },
        { name: 'last', value: ({ last }) => last },
        { name: 'files', value: ({ segments }) => segments, align: 'right' },
        {
          name: 'missing',
          value: ({ missing }) => missing.reduce((sum, { count }) => sum + count, 0) || null,
          align: 'right',
        },
      ],
      'No file of the log was ever archived.',
    ),
    ...archive.timelines.flatMap(({ timeline, missing }) =>
      missing.map(({ from, to, count }) =>
        text(`Timeline ${timeline}: ${count === 1 ? from : `${from} to ${to}`} missing.`, { mark: 'bad' }),
      ),
    ),
  ];
}

export function backupDetails(backup: Backup): View {
  const { size, stored } = backup;
  return details({
    backup: backup.id,
    engine: backup.engine,
    type: backup.type,
    state: state(backup),
    begun: backup.started_at ?? undefined,
    ended: backup.stopped_at ?? undefined,
    'recoverable from': backup.stopped_at ?? undefined,
    log: backup.start_lsn === null ? undefined : `${backup.start_lsn} to ${backup.stop_lsn}`,
    'files of the log':
      backup.start_segment === null ? undefined : `${backup.start_segment} to ${backup.stop_segment}`,
    timeline: backup.timeline ?? undefined,
    cluster: backup.system ?? undefined,
    PostgreSQL: backup.version ?? undefined,
    size: bytes(size) ?? undefined,
    stored: bytes(stored) ?? undefined,
    'builds on': backup.prior ?? undefined,
    encryption: backup.encryption ?? toned('unknown', 'unknown'),
    region: backup.region ?? toned('unknown', 'unknown'),
    place: backup.place,
  });
}

interface Damage {
  readonly file: string | null;
  readonly what: string;
}

export const DAMAGE_COLUMNS: readonly Column<Damage>[] = [
  { name: 'file', value: ({ file }) => file ?? 'the backup as a whole' },
  { name: 'is', value: ({ what }) => toned('bad', what), raw: ({ what }) => what, keep: true },
];
