import type { Context } from '../platform/config/contexts.js';
import type { Session, SessionPool } from '../platform/database/session.js';
import { NestctlError } from '../platform/errors.js';
import type { JobResult, MaintenanceJob } from '../platform/maintenance/index.js';
import { systemError } from '../platform/system-errors.js';

/** What came of a job that was tried. */
export interface Attempt {
  readonly outcome: JobResult['outcome'] | 'failed';
  readonly detail: string;
  readonly counts: Readonly<Record<string, number | string>>;
  readonly error_code: string | null;
}

/** How long a job that was told to stop may take to do so, milliseconds. */
const GRACE = 3_000;

/**
 * Runs one job in a session of its own, within its time; beyond that, or when interrupted, its statement is
 * cancelled on the server. Its failure is an outcome, not an error.
 */
export async function runJob(
  supervisor: Session,
  pool: SessionPool,
  job: MaintenanceJob,
  { context, signal }: { readonly context: Context; readonly signal: AbortSignal },
): Promise<Attempt> {
  const { run } = job;
  if (run === undefined) throw new Error(`${job.name} has nothing to run`);
  const stop = new AbortController();
  const abandon = new AbortController();
  let why: Attempt | undefined;
  const halt = (reason: Attempt) => {
    why ??= reason;
    stop.abort();
    setTimeout(() => abandon.abort(), GRACE).unref();
  };
  const interrupt = () => halt(failure('interrupted', 'It was interrupted.'));
  const timer = setTimeout(
    () => halt(failure('job_timeout', `It took longer than its ${Math.round(job.limit / 60_000)} minutes.`)),
    job.limit,
  );
  signal.addEventListener('abort', interrupt, { once: true });
  try {
    const result = await pool.use(async (session) => {
      const { pid } = await session.one<{ pid: number }>('select pg_backend_pid() as pid');
      let cancelled: Promise<void> | undefined;
      const cancel = () => {
        cancelled = cancelStatement(supervisor, pid);
      };
      stop.signal.addEventListener('abort', cancel, { once: true });
      try {
        return await run({ session, context, signal: stop.signal });
      } finally {
        stop.signal.removeEventListener('abort', cancel);
        // Else the supervisor's next statement falls into the transaction without its duty.
        await cancelled;
      }
    }, abandon.signal);
    return why ?? { counts: {}, ...result, error_code: null };
  } catch (error) {
    return why ?? failureOf(error);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', interrupt);
  }
}

/** A login may cancel its own sessions; the duty that it took may not. */
async function cancelStatement(supervisor: Session, pid: number): Promise<void> {
  const cancel = async () => {
    await supervisor.query('set local role none');
    await supervisor.query('select pg_cancel_backend($1)', [pid]);
  };
  await supervisor.transaction(cancel).catch(() => undefined);
}

function failureOf(error: unknown): Attempt {
  const known = error instanceof NestctlError ? error : systemError(error);
  if (known !== undefined) return failure(known.code, known.message);
  // Its message may hold anything.
  return failure('defect', `nestctl itself failed (${error instanceof Error ? error.name : typeof error}).`);
}

function failure(error_code: string, detail: string): Attempt {
  return { outcome: 'failed', detail, counts: {}, error_code };
}
