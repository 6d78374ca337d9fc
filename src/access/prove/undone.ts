import type { Connection } from '../../platform/database/connection.js';

/** Work in the running transaction that is undone whatever comes of it, with the locks that it took. */
export async function undone<T>(connection: Connection, work: () => Promise<T>): Promise<T> {
  await connection.query('savepoint undone');
  try {
    return await work();
  } finally {
    await connection.query('rollback to savepoint undone');
  }
}
