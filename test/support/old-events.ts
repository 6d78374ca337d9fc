import { type Connection, withConnection } from '../../src/platform/database/connection.js';
import type { TestDatabase } from './database.js';

/**
 * Makes events that lie above a number look as if they had been written in another month, with the leaves that they
 * would have had then: nobody can wait a year. To be called before they are sealed.
 */
export async function datedBack(database: TestDatabase, month: string, where = 'true'): Promise<number> {
  await withConnection(database.owner, (owner) =>
    owner.query('select audit.add_partitions($1::date, 1)', [month]),
  );
  return await withConnection(database.superuser, async (superuser) => {
    await superuser.query(`set session_replication_role = 'replica'`);
    const moved = await superuser.queryResult(
      `update audit.events set occurred_at = $1::date + time '12:00' + (occurred_at - now()) + interval '2 days' where ${where}`,
      [month],
    );
    await superuser.query(`update audit.events e set leaf = audit.leaf_of(e) where leaf <> audit.leaf_of(e)`);
    return moved.rowCount ?? 0;
  });
}

/** An operator's duty granted long enough ago to approve. */
export async function seniors(superuser: Connection, login: string): Promise<void> {
  await superuser.query(
    `update ops.operators set registered_at = now() - interval '3 days' where login = $1`,
    [login],
  );
  await superuser.query(
    `update ops.operator_duties set granted_at = now() - interval '3 days' where login = $1`,
    [login],
  );
}
