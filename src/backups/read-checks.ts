import type { Context } from '../platform/config/contexts.js';
import { residencyPolicy } from '../platform/config/services.js';
import type { Connection } from '../platform/database/connection.js';
import type { Finding } from '../platform/doctor/finding.js';
import { NestctlError } from '../platform/errors.js';
import { checkBackups } from './check-backups.js';
import { openEngine } from './engine.js';
import { type LiveLog, readLiveLog } from './live-log.js';

/** The database did not answer; everything else of a check goes on without it. */
const SILENT = new Set([
  ...['server_unreachable', 'connection_lost', 'too_many_connections', 'server_starting', 'server_down'],
  ...['database_missing', 'password_missing', 'wrong_password'],
]);

/** Checks the backups of a context. `ask`: lends a connection to the live database, or fails. */
export async function readChecks(
  context: Context,
  ask: <R>(work: (connection: Connection) => Promise<R>) => Promise<R>,
  now: Date = new Date(),
): Promise<readonly Finding[]> {
  const engine = await openEngine(context);
  const [catalogue, live] = await Promise.all([
    engine.catalogue(),
    ask(readLiveLog).catch((error: unknown): LiveLog | undefined => {
      if (error instanceof NestctlError && SILENT.has(error.code)) return undefined;
      throw error;
    }),
  ]);
  return checkBackups(catalogue, { now, live, residency: residencyPolicy(context) });
}
