import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Connection, withConnection } from '../../src/platform/database/connection.js';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

/**
 * Definer functions run as the owner. Temporary types are looked up before built-in ones unless the search path
 * names pg_temp, so a domain called uuid would have its CHECK run as the owner.
 */
const SHADOWED = [
  'uuid',
  'text',
  'json',
  'jsonb',
  'bytea',
  'int4',
  'int8',
  'bool',
  'timestamptz',
  'date',
  'interval',
  'xid8',
  'regclass',
];

let database: TestDatabase;
const person = randomUUID();

beforeAll(async () => {
  database = await createTestDatabase();
  await withConnection(database.owner, (owner) =>
    owner.query(
      `insert into public.users (id, email, status) values ($1, 'zoe@nestsync.example', 'active')`,
      [person],
    ),
  );
});
afterAll(() => database?.drop());

const shadowTypes = async (session: Connection) => {
  await session.query(`create function pg_temp.trap() returns pg_catalog.bool language plpgsql as $$
    begin raise exception 'trapped as %', current_user; end $$`);
  for (const type of SHADOWED) {
    await session.query(
      `create domain pg_temp.${type} as pg_catalog.${type} constraint ${type}_trap check (pg_temp.trap())`,
    );
  }
};

const inHostileSession = <T>(target: ConnectionTarget, work: (session: Connection) => Promise<T>) =>
  withConnection(target, async (session) => {
    await shadowTypes(session);
    return work(session);
  });

describe('a session that made temporary types with the names of built-in ones', () => {
  it('is answered as a member as if they were not there, and what it writes is captured', async () => {
    const events = await inHostileSession(database.app, async (session) => {
      await session.query('set role authenticated');
      await session.query(`select set_config('request.jwt.claims', $1, false)`, [
        JSON.stringify({ sub: person }),
      ]);
      await session.query(`insert into public.families (id, name, created_by) values ($1, 'Roy', $2)`, [
        randomUUID(),
        person,
      ]);
      await session.query(`update public.families set name = 'Roy-Tremblay'`);
      const families = await session.query('select name from public.families');
      expect(families).toEqual([{ name: 'Roy-Tremblay' }]);
      return withConnection(database.owner, (owner) =>
        owner.query<{ operation: string; table_name: string }>(
          'select operation, table_name from audit.events where app_user = $1 order by id',
          [person],
        ),
      );
    });
    expect(events).toEqual([
      { operation: 'INSERT', table_name: 'public.family_members' },
      { operation: 'INSERT', table_name: 'public.families' },
      { operation: 'UPDATE', table_name: 'public.families' },
    ]);
  });

  it('opens and closes access as an operator as if they were not there', async () => {
    await inHostileSession(database.operators[0], async (session) => {
      await session.query('set role nestsync_support');
      const [grant] = await session.query<{ id: string }>(
        `select id from ops.open_access('directory', 'caller lost their phone', 'SUP-1', 10)`,
      );
      const [lookup] = await session.query<{ id: string }>(
        `select ops.look_up('person', 'email', 'zoe@nestsync.example') as id`,
      );
      const found = await session.query('select id from ops.directory_people($1)', [lookup?.id]);
      expect(found).toEqual([{ id: person }]);
      await session.query('select ops.close_access($1)', [grant?.id]);
    });
  });

  it('holds for every definer function, the sought path being pg_catalog with pg_temp last', async () => {
    const others = await withConnection(database.owner, (owner) =>
      owner.query(`
        select p.oid::regprocedure::text as function, p.proconfig::text as settings
        from pg_catalog.pg_proc p
        where p.pronamespace in ('public'::regnamespace, 'private'::regnamespace, 'audit'::regnamespace, 'ops'::regnamespace, 'privacy'::regnamespace)
          and p.prosecdef and not coalesce('search_path=pg_catalog, pg_temp' = any (p.proconfig), false)`),
    );
    expect(others).toEqual([]);
  });
});
