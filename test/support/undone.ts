import pg from 'pg';
import { type LogReport, verifyLog } from '../../src/audit/index.js';
import { type Connection, connect } from '../../src/platform/database/connection.js';
import { dutyRole, type Session } from '../../src/platform/database/session.js';
import type { SealedLog } from './sealed-log.js';

/** Tries what a superuser can do to a sealed log, and takes it back: any statement at all, and no copy of a database. */
export interface Undone {
  /** What `verify` says once `act` has run with every trigger out of the way. */
  tell(act: (superuser: Connection) => Promise<void>): Promise<LogReport>;
  close(): Promise<void>;
}

/**
 * The act and the verifier share one transaction, which is rolled back: the verifier is the operator there, under the
 * same duty and row security as in a session of its own.
 */
export async function undone(log: SealedLog): Promise<Undone> {
  const connection = await connect(log.database.superuser);
  return {
    tell: async (act) => {
      await connection.query('begin');
      try {
        await connection.query('set local session_replication_role = replica');
        await act(connection);
        await connection.query(`set local session_replication_role = origin; set constraints all immediate`);
        await connection.query(`set local session authorization ${pg.escapeIdentifier(log.operator.user)}`);
        await connection.query(`set local role ${dutyRole('auditor')}`);
        await connection.query(
          `select set_config('nestsync.reason', 'tests of sealing the log', true), set_config('nestsync.request', 'undone', true)`,
        );
        return await verifyLog(within(connection), log.evidence);
      } finally {
        await connection.query('rollback');
        await connection.query('reset session authorization; reset role');
      }
    },
    close: () => connection.close(),
  };
}

/** The connection as a staff session whose transaction is the one it is in. */
function within(connection: Connection): Session {
  const session: Session = Object.assign(Object.create(connection) as Connection, {
    duty: 'auditor' as const,
    request: 'undone',
    transaction: async <T>(work: () => Promise<T>) => await work(),
  });
  // Its private fields are those of the connection itself.
  for (const name of ['query', 'one', 'queryResult'] as const)
    Object.assign(session, { [name]: connection[name].bind(connection) });
  return session;
}
