import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LogReport, type Sealing, sealLog, verifyLog } from '../../src/audit/index.js';
import { createSigningKey, type Evidence } from '../../src/evidence/index.js';
import { type Connection, connect, withConnection } from '../../src/platform/database/connection.js';
import { openSession, type Session } from '../../src/platform/database/session.js';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import { createTestDatabase, type TestDatabase, type TestDatabaseOptions } from './database.js';
import { evidenceIn } from './evidence-context.js';

/** A database with a sealer, a verifier and whoever attacks it. */
export interface SealedLog {
  readonly database: TestDatabase;
  readonly evidence: Evidence;
  /** Where the console keeps its keys and what it has seen. */
  readonly home: string;
  readonly operator: ConnectionTarget;
  readonly sre: Session;
  readonly superuser: Connection;
  seal(batch?: number): Promise<Sealing>;
  verify(options?: Parameters<typeof verifyLog>[2]): Promise<LogReport>;
  /** `<kind> <event or object>` of each fault, sorted. */
  faults(options?: Parameters<typeof verifyLog>[2]): Promise<string[]>;
  /** Families with these names, each an event. */
  write(...names: string[]): Promise<void>;
  /** Lets go of the console; `close` drops the database too. */
  leave(): Promise<void>;
  close(): Promise<void>;
}

export async function sealedLog(options: TestDatabaseOptions = {}): Promise<SealedLog> {
  const database = await createTestDatabase(options);
  const operator = await database.makeOperator('sre');
  return await openSealedLog(database, operator, newHome());
}

/** A console's home with a signing key, as yet unused. */
export function newHome(): string {
  return mkdtempSync(join(tmpdir(), 'nestctl-seal-'));
}

export async function openSealedLog(
  database: TestDatabase,
  operator: ConnectionTarget,
  home: string,
): Promise<SealedLog> {
  const evidence = evidenceIn(home);
  await createSigningKey(evidence).catch((error: { code?: string }) => {
    if (error.code !== 'key_exists') throw error;
  });
  const sre = await openSession(operator, { duty: 'sre', reason: 'tests of sealing the log' });
  const superuser = await connect(database.superuser);
  const leave = async () => {
    await sre.close();
    await superuser.close();
    rmSync(home, { recursive: true, force: true });
  };
  const verify = (more?: Parameters<typeof verifyLog>[2]) => verifyLog(sre, evidence, more);
  return {
    database,
    evidence,
    home,
    operator,
    sre,
    superuser,
    verify,
    seal: (batch) => sealLog(sre, evidence, batch === undefined ? {} : { batch }),
    faults: async (more) => {
      const { faults } = await verify(more);
      return faults.map(({ kind, event, object }) => `${kind} ${event ?? object}`).sort();
    },
    write: async (...names) => {
      await withConnection(database.superuser, async (connection) => {
        for (const name of names)
          await connection.query('insert into public.families (name) values ($1)', [name]);
      });
    },
    leave,
    close: async () => {
      await leave();
      await database.drop();
    },
  };
}
