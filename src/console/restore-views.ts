import { type Column, details, table, text, toned, type View } from './views.js';

interface Advice {
  readonly described: string;
  readonly reachable: 'yes' | 'no' | 'unknown';
  readonly why: string;
  readonly backup: { readonly id: string; readonly stopped_at: Date | null } | null;
  readonly earliest: Date | null;
  readonly latest: Date | null;
}

const REACHABLE = {
  yes: toned('good', 'yes'),
  no: toned('bad', 'no'),
  unknown: toned('unknown', 'unknown'),
} as const;

export function adviceViews(advice: Advice, nearest: string | undefined): View[] {
  const { reachable, backup } = advice;
  return [
    details({
      target: advice.described,
      reachable: REACHABLE[reachable],
      why: advice.why,
      'begins with backup': backup?.id ?? undefined,
      'first moment there is': advice.earliest ?? undefined,
      'archived until about': advice.latest ?? undefined,
      'nearest that is': nearest,
    }),
  ];
}

interface Restore {
  readonly id: string;
  readonly context: string;
  readonly backup: string;
  readonly state?: string;
  readonly begun_at: string;
  readonly socket: string | null;
  readonly data: string;
  readonly log: string;
  readonly took: Readonly<Record<string, number>>;
  readonly recovered: {
    readonly lsn: string;
    readonly timeline: number;
    readonly last_commit_at: string | null;
  } | null;
  readonly by: string;
  readonly reason: string | null;
}

export const RESTORE_COLUMNS: readonly Column<Restore>[] = [
  { name: 'restore', value: ({ id }) => id },
  { name: 'state', value: ({ state }) => state, keep: true },
  { name: 'backup', value: ({ backup }) => backup },
  {
    name: 'last commit',
    value: ({ recovered }) => (recovered?.last_commit_at == null ? null : new Date(recovered.last_commit_at)),
    keep: true,
  },
  { name: 'by', value: ({ by }) => by },
  { name: 'reason', value: ({ reason }) => reason, extra: true },
  { name: 'socket', value: ({ socket }) => socket, extra: true },
  { name: 'log', value: ({ log }) => log, extra: true },
];

export const restoreTable = (restores: readonly Restore[]) =>
  table(restores, RESTORE_COLUMNS, 'Nothing is restored here.');

export function restoreDetails(restore: Restore): View {
  const { recovered, took } = restore;
  const seconds = Object.values(took).reduce((sum, each) => sum + each, 0);
  return details({
    restore: restore.id,
    backup: restore.backup,
    'recovered to': recovered?.lsn ?? undefined,
    'last transaction in it':
      recovered?.last_commit_at == null ? undefined : new Date(recovered.last_commit_at),
    timeline: recovered?.timeline ?? undefined,
    took: `${seconds.toFixed(1)} s (${Object.entries(took)
      .map(([stage, each]) => `${stage} ${each.toFixed(1)}`)
      .join(', ')})`,
    socket: restore.socket ?? undefined,
    data: restore.data,
    log: restore.log,
  });
}

export const restored = (restore: Restore): View[] => [
  text('It is restored beside everything live: no network, no archive, no jobs.', { mark: 'good' }),
  restoreDetails(restore),
];
