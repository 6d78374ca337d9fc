import { withConnection } from '../../src/platform/database/connection.js';
import { OWNER } from '../../src/platform/local/identities.js';
import type { TestDatabase } from './database.js';

let copies = 0;

/** What a database is at one moment, to which it can be put back: what a restore does, without its time. */
export interface Backup {
  /** Whoever is connected is thrown out. Can be done again. */
  restore(): Promise<void>;
  drop(): Promise<void>;
}

export async function backUp(database: TestDatabase): Promise<Backup> {
  copies += 1;
  const kept = `${database.name}_kept_${copies}`;
  const onServer = (...statements: readonly string[]) =>
    withConnection({ ...database.superuser, database: 'postgres' }, async (connection) => {
      for (const statement of statements) await connection.query(statement);
    });
  await onServer(`create database ${kept} template ${database.name} owner ${OWNER}`);
  return {
    restore: () =>
      onServer(
        `drop database ${database.name} with (force)`,
        `create database ${database.name} template ${kept} owner ${OWNER}`,
      ),
    drop: () => onServer(`drop database if exists ${kept} with (force)`),
  };
}
