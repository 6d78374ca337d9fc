import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { Connection } from '../../src/platform/database/connection.js';
import { newHome, openSealedLog, type SealedLog, sealedLog } from './sealed-log.js';

export interface Victim extends SealedLog {
  /** An event in the middle of what is sealed: the number of a family's. */
  readonly event: string;
}

/** A log of a test with a few hundred events, sealed twice, that verifies. */
export async function victim(): Promise<Victim> {
  const log = await sealedLog();
  onTestFinished(() => log.close());
  await log.superuser.query(
    `insert into public.families (name) select 'F' || n from generate_series(1, 300) n`,
  );
  await log.seal();
  await log.write('Roy', 'Tremblay', 'Gagnon');
  await log.seal();
  expect((await log.verify()).verdict).toBe('intact');
  const { id } = await log.superuser.one<{ id: string }>(
    `select id::text from audit.events where new_row ->> 'name' = 'Tremblay'`,
  );
  return { ...log, event: id };
}

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
  'delete from audit.family_chains',
  'delete from audit.seal_marks',
  `update audit.tree set size = 0, watermark = '0'`,
];

/** Cuts everything beyond the first leaves off, events included, as if it had never been. */
export const cutTo = (leaves: number, watermark: string): string[] => [
  `delete from audit.events where xid >= '${watermark}'`,
  `delete from audit.checkpoints where size > ${leaves}`,
  `delete from audit.tiles where level = 0 and number > ${leaves} / 256`,
  `update audit.tiles set hashes = substr(hashes, 1, ${leaves % 256} * 32), entries = substr(entries, 1, ${leaves % 256} * 30), families = substr(families, 1, ${leaves % 256} * 4)
   where level = 0 and number = ${leaves} / 256`,
  `update audit.family_chains set count = 0, head = decode(repeat('00', 32), 'hex')`,
  `select audit.extend_chains(0, ${leaves})`,
  'delete from audit.family_chains where count = 0',
  `update audit.tree set size = ${leaves}, watermark = '${watermark}'`,
];

/** Another console of the same context with the same key, which has seen nothing yet. */
export async function freshConsole(log: SealedLog): Promise<SealedLog> {
  const home = newHome();
  cpSync(join(log.home, 'contexts'), join(home, 'contexts'), { recursive: true });
  rmSync(join(home, 'contexts', 'test', 'signing', 'audit-checkpoints.json'), { force: true });
  return await openSealedLog(log.database, log.operator, home);
}
