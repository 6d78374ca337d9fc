import type { Connection } from '../database/connection.js';

export interface Timeouts {
  /** Longest wait for a lock inside a transaction, milliseconds. */
  readonly lock: number;
  /** The same outside one, where waiting holds up nobody: concurrent builds wait for old transactions. */
  readonly concurrentLock: number;
}

/**
 * Puts the session into one known state, whatever the login's, the database's or the migration before set: a
 * migration must mean the same everywhere. Nothing is found without naming its schema.
 */
export async function settleSession(connection: Connection, lockTimeout: number): Promise<void> {
  await connection.client.query(`
    reset role;
    reset all;
    set search_path = '';
    set lock_timeout = ${lockTimeout};
    set statement_timeout = 0;
    set idle_in_transaction_session_timeout = 0;
    set client_min_messages = warning;
    set default_transaction_isolation = 'read committed';
    set default_transaction_read_only = off;
    set timezone = 'UTC';
    set datestyle = 'ISO, YMD';
    select set_config('client_connection_check_interval', '2s', false)
      where version() ~* 'linux|darwin|freebsd';
    select set_config('transaction_timeout', '0', false)
      where current_setting('server_version_num')::int >= 170000;`);
}
