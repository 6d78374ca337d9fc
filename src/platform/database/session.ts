import { randomUUID } from 'node:crypto';
import { NestctlError } from '../errors.js';
import { type Connection, type ConnectOptions, connect } from './connection.js';
import { type Duty, dutyRole } from './duties.js';
import { openPool, type PoolOptions } from './pool.js';
import type { ConnectionTarget } from './target.js';

export { DUTIES, type Duty, dutyRole } from './duties.js';

export interface SessionPurpose {
  readonly duty: Duty;
  readonly reason?: string | undefined;
  readonly ticket?: string | undefined;
  /** Ties together what one command did in the audit log; made when absent. */
  readonly request?: string | undefined;
}

/** A staff session: an operator's connection that has taken on one duty and says why. */
export interface Session extends Connection {
  readonly duty: Duty;
  /** UUID, also in every audit event of this session. */
  readonly request: string;
}

/**
 * Connects as the target's operator, takes on the duty and states reason and ticket for the audit log.
 * Throws `duty_not_held` where the operator is not a member of the duty, `not_migrated` where it does not exist.
 */
export async function openSession(
  target: ConnectionTarget,
  purpose: SessionPurpose,
  options: Omit<ConnectOptions, 'settings'> = {},
): Promise<Session> {
  const request = purpose.request ?? randomUUID();
  const settings = sessionSettings(purpose, request);
  const connection = await connect(target, { ...options, settings }).catch((error: unknown) => {
    throw dutyError(error, target, purpose.duty);
  });
  return Object.assign(connection, { duty: purpose.duty, request });
}

/** What makes a connection a staff session. */
function sessionSettings(purpose: SessionPurpose, request: string): Record<string, string> {
  return {
    // pg_temp last, and by name: else a temporary table could stand in for a real one.
    search_path: 'pg_catalog, public, pg_temp',
    'nestsync.request': request,
    ...(purpose.reason === undefined ? {} : { 'nestsync.reason': purpose.reason }),
    ...(purpose.ticket === undefined ? {} : { 'nestsync.ticket': purpose.ticket }),
    role: dutyRole(purpose.duty),
  };
}

/** Staff sessions of one operator, duty and purpose, for what is done side by side. */
export interface SessionPool {
  readonly duty: Duty;
  readonly request: string;
  readonly target: ConnectionTarget;
  /** Work in a session of its own, which is clean again before anybody else gets it. */
  use<T>(work: (session: Session) => Promise<T>, abandon?: AbortSignal): Promise<T>;
  close(): Promise<void>;
}

/** As `openSession`, for several sessions; the first is opened at once, so that what is wrong is told here. */
export async function openSessionPool(
  target: ConnectionTarget,
  purpose: SessionPurpose,
  options: Omit<PoolOptions, 'settings'> = {},
): Promise<SessionPool> {
  const request = purpose.request ?? randomUUID();
  const { duty } = purpose;
  const pool = await openPool(target, { ...options, settings: sessionSettings(purpose, request) });
  try {
    await pool.use(async () => undefined);
  } catch (error) {
    await pool.close();
    throw dutyError(error, target, duty);
  }
  return {
    duty,
    request,
    target,
    use: (work, abandon) =>
      pool.use((connection) => work(Object.assign(connection, { duty, request })), abandon),
    close: () => pool.close(),
  };
}

function dutyError(error: unknown, target: ConnectionTarget, duty: Duty): unknown {
  if (!(error instanceof NestctlError)) return error;
  if (error.code === 'permission_denied') {
    return new NestctlError(`${target.user} does not hold the duty "${duty}".`, {
      kind: 'not_allowed',
      code: 'duty_not_held',
      hint: 'Choose another with --duty, or ask an admin to assign it.',
      next: 'nestctl doctor',
      cause: error,
    });
  }
  // set_config('role', …) of a role that does not exist.
  if (error.code === 'invalid_parameter') {
    return new NestctlError(`The server has no role ${dutyRole(duty)}: the database was not migrated.`, {
      kind: 'conflict',
      code: 'not_migrated',
      next: 'nestctl db migrate',
      cause: error,
    });
  }
  return error;
}
