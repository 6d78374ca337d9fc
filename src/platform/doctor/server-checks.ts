import type { Connection } from '../database/connection.js';
import { isLoopback } from '../database/target.js';
import { type Finding, finding } from './finding.js';

const OLDEST = 15;
const NEWEST = 18;

/** Version and state of the server. */
export async function checkServer(connection: Connection): Promise<Finding[]> {
  const { version, replica } = await connection.one<{ version: string; replica: boolean }>(
    `select current_setting('server_version') as version, pg_is_in_recovery() as replica`,
  );
  const major = Number.parseInt(version, 10);
  const supported = major >= OLDEST && major <= NEWEST;
  return [
    finding(
      'server version',
      supported ? 'ok' : 'error',
      `PostgreSQL ${version}${supported ? '' : `: ${OLDEST} to ${NEWEST} are supported`}`,
    ),
    finding(
      'server role',
      replica ? 'warning' : 'ok',
      replica ? 'a replica: it takes no writes and opens no access' : 'primary',
    ),
  ];
}

/** Whether what travels is encrypted. */
export async function checkTls(connection: Connection): Promise<Finding[]> {
  const { host } = connection.target;
  const tls = await connection.one<{ ssl: boolean; version: string | null }>(
    'select ssl, version from pg_stat_ssl where pid = pg_backend_pid()',
  );
  if (tls.ssl) return [finding('TLS', 'ok', `${tls.version}`)];
  if (isLoopback(host)) return [finding('TLS', 'ok', 'not needed: nothing leaves this machine')];
  return [finding('TLS', 'error', `the connection to ${host} is not encrypted`, { object: host })];
}

/** Whether WAL is archived, which recovery to a point in time stands on. */
export async function checkArchiving(connection: Connection): Promise<Finding[]> {
  const archive = await connection.one<{
    mode: string;
    archived: string;
    last_archived: Date | null;
    failing: boolean;
    last_failed: string | null;
  }>(`
    select current_setting('archive_mode') as mode, archived_count as archived, last_archived_time as last_archived,
      last_failed_time > coalesce(last_archived_time, '-infinity') as failing, last_failed_wal as last_failed
    from pg_stat_archiver`);
  if (archive.mode === 'off') {
    return [
      finding('archiving', 'error', 'archive_mode is off: there is no recovery to a point in time', {
        object: 'archive_mode',
      }),
    ];
  }
  if (archive.failing) {
    return [
      finding('archiving', 'error', `archiving fails at ${archive.last_failed}: WAL piles up on the server`, {
        object: 'archive_command',
      }),
    ];
  }
  const since = archive.last_archived === null ? 'none yet' : `last ${archive.last_archived.toISOString()}`;
  return [finding('archiving', 'ok', `${archive.archived} segments, ${since}`)];
}
