import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Connection } from '../../src/platform/database/connection.js';
import { newHome, openSealedLog, type SealedLog } from './sealed-log.js';

/** What a superuser does with every trigger out of the way. */
export async function attack(superuser: Connection, ...statements: readonly string[]): Promise<void> {
  await superuser.query('set session_replication_role = replica');
  try {
    for (const statement of statements) await superuser.query(statement);
  } finally {
    await superuser.query('reset session_replication_role');
  }
}

/** Forgets the whole seal, as if nothing had ever been sealed; the log keeps its name. */
export const UNSEAL = [
  'delete from audit.checkpoints',
  'delete from audit.tiles',
  'delete from audit.seal_marks',
  `update audit.tree set size = 0, watermark = '0'`,
];

/** Cuts everything beyond the first leaves off, events included, as if it had never been. */
export const cutTo = (leaves: number, watermark: string): string[] => [
  `delete from audit.events where xid >= '${watermark}'`,
  `delete from audit.checkpoints where size > ${leaves}`,
  `delete from audit.tiles where level = 0 and number > ${leaves} / 256`,
  `update audit.tiles set hashes = substr(hashes, 1, ${leaves % 256} * 32), entries = substr(entries, 1, ${leaves % 256} * 30)
   where level = 0 and number = ${leaves} / 256`,
  `update audit.tree set size = ${leaves}, watermark = '${watermark}'`,
];

/** Another console of the same context with the same key, which has seen nothing yet. */
export async function freshConsole(log: SealedLog): Promise<SealedLog> {
  const home = newHome();
  cpSync(join(log.home, 'contexts'), join(home, 'contexts'), { recursive: true });
  rmSync(join(home, 'contexts', 'test', 'signing', 'audit-checkpoints.json'), { force: true });
  return await openSealedLog(log.database, log.operator, home);
}
