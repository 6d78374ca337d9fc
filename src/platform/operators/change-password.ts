import pg from 'pg';
import type { Connection } from '../database/connection.js';
import { makeVerifier } from './make-verifier.js';

/** Gives the connection's own login another password. Only its verifier travels. */
export async function changePassword(connection: Connection, password: string): Promise<{ login: string }> {
  const login = connection.target.user;
  await connection.query(
    `alter role ${pg.escapeIdentifier(login)} password ${pg.escapeLiteral(makeVerifier(password))}`,
  );
  return { login };
}
