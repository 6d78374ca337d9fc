import { randomUUID } from 'node:crypto';
import { type Connection, connect } from '../../platform/database/connection.js';
import { type ConnectionTarget, isLoopback } from '../../platform/database/target.js';
import { NestctlError } from '../../platform/errors.js';
import { SERVICE } from '../../platform/local/identities.js';
import { type Batch, makeBatch } from './batch.js';
import { Calendar } from './calendar.js';
import { Loader } from './load-rows.js';
import { ZONES } from './places.js';

export interface SeedOptions {
  /** The context's connection; the work is done under the login of the app's own services on the same server. */
  readonly target: ConnectionTarget;
  readonly families: number;
  /** Days of usage, up to now. */
  readonly days: number;
  /** The same seed makes the same families. */
  readonly seed: number;
  /** Stands beside each change in the audit log; made when absent. */
  readonly request?: string | undefined;
  /** The end of the usage; the present when absent. */
  readonly now?: Date | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: SeedProgress) => void) | undefined;
}

export interface SeedProgress {
  readonly families: number;
  readonly usage_logs: number;
}

export interface SeedReport extends SeedProgress {
  readonly days: number;
  readonly seed: number;
  /** Number of the first family within the seed: more than 1 where an earlier run was continued. */
  readonly first: number;
  /** Rows by table. */
  readonly rows: Readonly<Record<string, number>>;
}

/** Logs a batch: enough to keep the server busy, few enough that memory stays small and an interruption loses little. */
const BATCH_LOGS = 40_000;
const LOGS_A_DAY = 10;

/**
 * Adds fictitious Canadian families to a local database, in batches of whole families, each in one transaction;
 * the next batch is made while the server works on one. A run after another, or after an interrupted one, goes
 * on behind it: no address is made twice.
 *
 * Throws `not_local` for a context that is not local, `seed_running` while another run is at work, and
 * `interrupted` after the batch it was in has been undone.
 */
export async function seedFamilies(options: SeedOptions): Promise<SeedReport> {
  const { days, seed } = options;
  const now = (options.now ?? new Date()).getTime();
  const connection = await openAsService(options);
  try {
    const loader = new Loader(connection);
    const first = await firstFreeNumber(connection, seed);
    const end = first + options.families;
    const size = Math.max(1, Math.min(500, Math.floor(BATCH_LOGS / (days * LOGS_A_DAY))));
    const calendar = await Calendar.load(connection, ZONES, { now, days });
    const plan = { seed, days, now, calendar };
    const make = (from: number) => makeBatch({ ...plan, from, families: Math.min(size, end - from) });

    const rows: Record<string, number> = {};
    const done = () => ({ families: rows.families ?? 0, usage_logs: rows.usage_logs ?? 0 });
    let next: Batch | undefined = make(first);
    while (next !== undefined) {
      const batch: Batch = next;
      const from: number = first + done().families + batch.families;
      next = undefined;
      await connection.transaction(async () => {
        for (const load of batch.loads) {
          if (options.signal?.aborted) throw interrupted(done().families);
          const more = load.table === 'usage_logs' && from < end;
          await loader.load(load, () => {
            if (more) next = make(from);
          });
        }
      });
      for (const [table, count] of Object.entries(batch.rows)) rows[table] = (rows[table] ?? 0) + count;
      options.onProgress?.(done());
    }
    return { ...done(), days, seed, first, rows };
  } finally {
    await connection.close();
  }
}

async function openAsService({ target, request }: SeedOptions): Promise<Connection> {
  if (target.context?.kind !== 'local' || !isLoopback(target.host)) {
    throw new NestctlError(
      `Fictitious families are only for the embedded database, not for ${target.host}.`,
      {
        kind: 'conflict',
        code: 'not_local',
        next: 'nestctl local seed --context local',
      },
    );
  }
  const connection = await connect(
    { ...target, user: SERVICE },
    {
      settings: {
        role: 'service_role',
        search_path: 'pg_catalog, public, pg_temp',
        'nestsync.reason': 'fictitious families for trying nestctl',
        'nestsync.request': request ?? randomUUID(),
      },
    },
  );
  const [lock] = await connection.query<{ free: boolean }>(
    `select pg_try_advisory_lock(hashtextextended('nestctl local seed', 0)) as free`,
  );
  if (lock?.free) return connection;
  await connection.close();
  throw new NestctlError('Another `nestctl local seed` is at work on this database.', {
    kind: 'conflict',
    code: 'seed_running',
    hint: 'Wait until it is done.',
  });
}

/** Behind every family and every address of this seed that is still there. */
async function firstFreeNumber(connection: Connection, seed: number): Promise<number> {
  const { last } = await connection.one<{ last: number }>(
    `select greatest(
       (select max((settings #>> '{seed,number}')::integer) from public.families where settings #>> '{seed,seed}' = $1),
       (select max(substring(email from '-(\\d+)[a-z]@example\\.ca$')::integer) from public.users
        where email ~ ('\\.' || $1 || '-\\d+[a-z]@example\\.ca$')),
       0) as last`,
    [String(seed)],
  );
  return last + 1;
}

function interrupted(families: number): NestctlError {
  return new NestctlError('Interrupted.', {
    kind: 'interrupted',
    hint: `${families} families were added whole, and nothing of any other. Run it again to add more.`,
  });
}
