import { randomUUID } from 'node:crypto';
import { type Connection, withConnection } from '../../../src/platform/database/connection.js';
import type { TestDatabase } from '../../support/database.js';
import { fill, withDatabase } from './databases.js';
import type { Bench } from './figure.js';

/** A database with so many families of two members each, and a break-glass session of the first operator. */
export async function withFamilies<T>(
  bench: Bench,
  count: number,
  work: (database: TestDatabase) => Promise<T>,
): Promise<T> {
  return await withDatabase(bench, async (database) => {
    bench.say(`making ${count.toLocaleString('en-CA')} families`);
    await fill(database, (connection) => makeFamilies(connection, count));
    await withConnection(database.superuser, (connection) => connection.query('vacuum analyze'));
    await withConnection(
      database.operators[0],
      (connection) =>
        connection.query(`select ops.open_access('break_glass', 'measuring the list', 'BENCH-1', 30)`),
      { settings: { role: 'nestsync_admin', 'nestsync.request': randomUUID() } },
    );
    return await work(database);
  });
}

async function makeFamilies(connection: Connection, count: number): Promise<void> {
  const statements = [
    `insert into public.users (id, email, display_name, last_name, status, province)
     select md5('user ' || n)::uuid, 'person' || n || '@example.ca', 'Person ' || n, 'Last ' || n, 'active', 'ON' from generate_series(1, 2 * $1::integer) n`,
    `insert into public.families (id, name, province, created_by)
     select md5('family ' || n)::uuid, (array['Tremblay', 'Singh', 'MacDonald', 'Roy'])[1 + n % 4] || ' ' || md5(n::text), 'ON', md5('user ' || 2 * n)::uuid
     from generate_series(1, $1::integer) n`,
    `insert into public.family_members (family_id, user_id, role)
     select md5('family ' || (n + 1) / 2)::uuid, md5('user ' || n)::uuid, 'family_core' from generate_series(1, 2 * $1::integer) n`,
  ];
  for (const statement of statements) await connection.query(statement, [count]);
}
