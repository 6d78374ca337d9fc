import { setTimeout as sleep } from 'node:timers/promises';
import { NestctlError } from '../errors.js';
import type { Connection, ConnectOptions } from './connection.js';
import { openSession, type Session, type SessionPurpose } from './session.js';
import { type ConnectionTarget, isSocket } from './target.js';
import { currentPlace, type Place } from './wal-place.js';

/** Reads that may be answered by a replica. */
export type Read = <T>(work: (session: Session) => Promise<T>) => Promise<T>;

/** Who answered a read. */
export type AnsweredBy =
  | { readonly server: 'primary' }
  | {
      readonly server: 'replica';
      readonly host: string;
      /** How long it had to be waited for until it had replayed what was committed before; milliseconds. */
      readonly lag: number;
    };

export interface ReplicaOptions {
  /** `auto`: the primary answers where the replica cannot, and `tell` says why. `replica`: then nobody does. */
  readonly mode: 'auto' | 'replica';
  readonly target: ConnectionTarget;
  readonly purpose: SessionPurpose;
  readonly connect: Omit<ConnectOptions, 'settings'>;
  /** Longest wait for it to catch up, milliseconds. */
  readonly patience: number;
  readonly tell: (code: string, message: string) => void;
}

/** Failures of the replica, not of the question: the primary may answer. */
const OF_THE_REPLICA = new Set([
  ...['server_down', 'server_unreachable', 'host_unknown', 'connection_lost', 'server_starting'],
  ...['tls_refused', 'tls_unverified', 'wrong_password', 'login_refused', 'too_many_connections'],
  ...['password_missing', 'replica_behind', 'replica_promoted', 'replica_other_timeline'],
  // A query that stood in the way of replay for too long is cancelled with this.
  ...['serialization', 'deadlock', 'disk_full', 'out_of_memory'],
]);

/**
 * Reads on a replica that has replayed all that the primary had committed when the read was asked for: grants,
 * their closing, lookups, erasures, everybody's writes. So nothing that it shows is older than the question.
 * Throws `replica_foreign` for a server of another cluster, whatever the mode.
 */
export async function readOnReplica<T>(
  primary: Session,
  options: ReplicaOptions,
  work: (session: Session) => Promise<T>,
): Promise<{ readonly value: T; readonly by: AnsweredBy }> {
  const { mode, target, tell } = options;
  try {
    const place = await currentPlace(primary);
    const replica = await openSession(target, options.purpose, { ...options.connect, connectTimeout: 3_000 });
    try {
      const lag = await waitUntilReplayed(replica, place, options.patience);
      const value = await work(replica);
      // Promoted meanwhile, it may have shown what the primary knows nothing of.
      if (!(await isStandby(replica))) throw promoted(target);
      return { value, by: { server: 'replica', host: addressOf(target), lag } };
    } finally {
      await replica.close();
    }
  } catch (error) {
    const its = error instanceof NestctlError && OF_THE_REPLICA.has(error.code);
    if (mode === 'replica' || !its) throw error;
    tell('replica_not_used', `The primary answers: ${reasonOf(error, target)}`);
    return { value: await work(primary), by: { server: 'primary' } };
  }
}

async function waitUntilReplayed(replica: Session, place: Place, patience: number): Promise<number> {
  const began = Date.now();
  for (let pause = 5; ; pause = Math.min(100, pause * 2)) {
    const state = await replica.one<{
      system: string;
      timeline: number;
      standby: boolean;
      replayed: boolean;
      behind: string;
      age: number | null;
    }>(
      `select (select system_identifier::text from pg_control_system()) as system,
         (select timeline_id from pg_control_checkpoint()) as timeline, pg_is_in_recovery() as standby,
         coalesce(pg_last_wal_replay_lsn() >= $1::pg_lsn, false) as replayed,
         ($1::pg_lsn - coalesce(pg_last_wal_replay_lsn(), '0/0'))::text as behind,
         extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp())::float8 as age`,
      [place.lsn],
    );
    const { target } = replica;
    if (state.system !== place.system) throw foreign(target);
    if (!state.standby) throw promoted(target);
    if (state.timeline !== place.timeline) throw otherTimeline(target, state.timeline, place.timeline);
    const waited = Date.now() - began;
    if (state.replayed) return waited < 5 ? 0 : waited;
    if (waited >= patience) throw behind(target, Number(state.behind), state.age, patience);
    await sleep(Math.min(pause, patience - waited));
  }
}

async function isStandby(connection: Connection): Promise<boolean> {
  const { standby } = await connection.one<{ standby: boolean }>('select pg_is_in_recovery() as standby');
  return standby;
}

function addressOf({ host, port }: ConnectionTarget): string {
  return isSocket(host) ? host : `${host}:${port}`;
}

function reasonOf(error: NestctlError, target: ConnectionTarget): string {
  if (error.code === 'server_unreachable') return `the replica ${addressOf(target)} does not answer.`;
  if (error.code === 'serialization') return 'the replica had to stop the query to go on replaying.';
  return `${error.message.charAt(0).toLowerCase()}${error.message.slice(1)}`;
}

function foreign(target: ConnectionTarget): NestctlError {
  return new NestctlError(
    `The server ${addressOf(target)} is no replica of this database: it belongs to another cluster.`,
    {
      kind: 'conflict',
      code: 'replica_foreign',
      hint: 'The context names the wrong server; nothing was read from it. --server primary goes without.',
      next: 'nestctl context check',
    },
  );
}

function promoted(target: ConnectionTarget): NestctlError {
  return new NestctlError(`The server ${addressOf(target)} is no replica any more: it was promoted.`, {
    kind: 'conflict',
    code: 'replica_promoted',
    hint: 'Either it is the primary now and the context must say so, or two servers take writes.',
    next: 'nestctl context check',
  });
}

function otherTimeline(target: ConnectionTarget, its: number, ours: number): NestctlError {
  return new NestctlError(
    `The replica ${addressOf(target)} was last seen on timeline ${its}, and the primary is on ${ours}: they may have parted.`,
    {
      kind: 'conflict',
      code: 'replica_other_timeline',
      hint: 'After a failover it says so until its next restart point; otherwise it follows another server.',
    },
  );
}

function behind(target: ConnectionTarget, bytes: number, age: number | null, patience: number): NestctlError {
  const since = age === null ? '' : `, and the newest change it has is ${Math.round(age)} s old`;
  return new NestctlError(
    `The replica ${addressOf(target)} is ${bytes} bytes behind after ${patience / 1000} s${since}.`,
    {
      kind: 'conflict',
      code: 'replica_behind',
      hint: 'What it shows may be out of date, so nothing was read from it. --server primary goes without.',
    },
  );
}
