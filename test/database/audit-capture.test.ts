import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { from } from 'pg-copy-streams';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Connection, connect, withConnection } from '../../src/platform/database/connection.js';
import { AuditOracle } from '../support/audit-oracle.js';
import { FAMILY, PERSON, TABLE_ROWS } from '../support/audit-rows.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

let database: TestDatabase;
let owner: Connection;
let oracle: AuditOracle;

beforeAll(async () => {
  database = await createTestDatabase();
  owner = await connect(database.owner);
  oracle = await AuditOracle.over(owner);
});
afterAll(async () => {
  await owner?.close();
  await database?.drop();
});

const run = (...statements: string[]) =>
  oracle.watch(async () => {
    for (const statement of statements) await owner.query(statement);
  });

const tally = (events: readonly { operation: string; table_name: string }[]) => {
  const counts: Record<string, number> = {};
  for (const { operation, table_name } of events) {
    const name = `${operation} ${table_name}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
};

/** Tables that no event is written for, and why. */
const NOT_CAPTURED: Readonly<Record<string, string>> = {
  'ops.migrations': "the migrator's own, written by DDL work that the snapshots show",
  'ops.migration_lock': "the migrator's own, holds no facts",
  'ops.migration_runs': 'is itself a record of what the migrator did',
  'ops.catalogue_snapshots': 'is itself a record of the catalogue',
  'privacy.erasure_steps': 'how far an erasure has come, which its batches are the record of',
  'privacy.decisions': 'says what captured rows say, until it stands in the ledger',
  'privacy.erasure_identifiers': 'holds what is being erased, for as long as it is looked for',
  ...Object.fromEntries(
    [
      'categories',
      'purposes',
      'retentions',
      'obligations',
      'subjects',
      'paths',
      'column_answers',
      'naming_columns',
      'retention_rules',
      'recipients',
      'recipient_columns',
      'consent_types',
      'consent_purposes',
    ].map((name) => [`privacy.${name}`, 'changes only by migration, which is recorded with its checksum']),
  ),
};

describe('which tables are captured', () => {
  it('all of public, private, ops and privacy, but for named exceptions', async () => {
    const others = await owner.query<{ name: string }>(`
      select n.nspname || '.' || c.relname as name
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname in ('public', 'private', 'ops', 'privacy') and c.relkind in ('r', 'p')
        and not exists (select from audit.captured_tables t where t.table_name = c.oid)`);
    for (const { name } of others) expect(NOT_CAPTURED).toHaveProperty([name]);
  });

  it('each of them has a row here that is inserted, changed and deleted', () => {
    expect(oracle.tables.map(({ name }) => name)).toEqual(Object.keys(TABLE_ROWS).sort());
  });
});

describe('a statement about one row of each table', () => {
  const names = Object.keys(TABLE_ROWS);
  // The owner is an operator once the row in ops.operators is there, so it must say why.
  beforeAll(() => owner.query(`select set_config('nestsync.reason', 'test of the capture', false)`));

  it.each(names)('insert into %s', async (name) => {
    const events = await run(TABLE_ROWS[name]?.insert ?? '');
    expect(tally(events)).toEqual({ [`INSERT ${name}`]: 1 });
  });

  it.each(names.filter((name) => TABLE_ROWS[name]?.update))('update of %s', async (name) => {
    const events = await run(TABLE_ROWS[name]?.update ?? '');
    expect(tally(events)).toEqual({ [`UPDATE ${name}`]: 1 });
  });

  it.each(names)('truncate of %s is refused', async (name) => {
    await expect(owner.query(`truncate ${name} cascade`)).rejects.toThrow(/TRUNCATE|refused|never/);
  });

  it.each(names.filter((name) => TABLE_ROWS[name]?.delete).reverse())('delete from %s', async (name) => {
    const events = await run(TABLE_ROWS[name]?.delete ?? '');
    expect(tally(events)).toEqual({ [`DELETE ${name}`]: 1 });
  });

  it.each([
    'ops.access_grants',
    'ops.directory_lookups',
    'ops.access_explanations',
    'ops.access_diagnoses',
    'ops.impersonations',
    'ops.maintenance_runs',
  ])('delete from %s is refused', async (name) => {
    await expect(run(`delete from ${name}`)).rejects.toThrow(/never deleted/);
  });

  it('never lets a redacted value into the log', async () => {
    const [found] = await owner.query(
      `select from audit.events e where e::text ~ 'secret|deadbeef|pm_other|another,token' limit 1`,
    );
    expect(found).toBeUndefined();
  });
});

describe('the forms of a statement', () => {
  const CHILDREN = `insert into public.children (family_id, name, date_of_birth)
    select f.id, 'Enfant ' || i, '2025-01-01' from public.families f, generate_series(1, 300) i`;

  beforeAll(async () => {
    for (const table of ['public.users', 'public.families'])
      await owner.query(TABLE_ROWS[table]?.insert ?? '');
  });

  it('many rows at once', async () => {
    expect(tally(await run(CHILDREN))).toEqual({ 'INSERT public.children': 300 });
    expect(tally(await run(`update public.children set gender = 'girl' where name like '%7%'`))).toEqual({
      'UPDATE public.children': 57,
    });
    expect(tally(await run(`delete from public.children where name like '%7%'`))).toEqual({
      'DELETE public.children': 57,
    });
  });

  it('COPY', async () => {
    const rows = Array.from({ length: 200 }, (_, i) => `${FAMILY}\tCopié\\\\${i}\t2025-03-0${(i % 9) + 1}\n`);
    // Row security refuses COPY to a plain owner, so somebody whom it does not bind loads them.
    const events = await oracle.watch(() =>
      withConnection(database.superuser, ({ client }) =>
        pipeline(
          Readable.from(rows),
          client.query(from('copy public.children (family_id, name, date_of_birth) from stdin')),
        ),
      ),
    );
    expect(tally(events)).toEqual({ 'INSERT public.children': 200 });
  });

  it('a statement that meets no row leaves none', async () => {
    const events = await run(
      `update public.children set name = 'x' where false`,
      `delete from public.children where name = 'nobody'`,
      `insert into public.children (family_id, name, date_of_birth) select '${FAMILY}', 'x', now() where false`,
    );
    expect(events).toEqual([]);
  });

  it('INSERT … ON CONFLICT, both halves', async () => {
    const insert = `insert into public.users (id, email) values
      ('${PERSON}', 'zoe@nestsync.example'), ('20000000-0000-4000-8000-000000000002', 'two@nestsync.example')
      on conflict (id) do`;
    expect(tally(await run(`${insert} update set phone_number = '+1 514 555 0100'`))).toEqual({
      'INSERT public.users': 1,
      'UPDATE public.users': 1,
    });
    expect(await run(`${insert} nothing`)).toEqual([]);
  });

  it('MERGE with insert, update and delete', async () => {
    const events = await run(`
      merge into public.users u
      using (values ('zoe@nestsync.example'), ('two@nestsync.example'), ('three@nestsync.example')) v (email) on u.email = v.email
      when matched and u.email like 'two%' then delete
      when matched then update set display_name = 'Zoé'
      when not matched then insert (email) values (v.email)`);
    expect(tally(events)).toEqual({
      'DELETE public.users': 1,
      'UPDATE public.users': 1,
      'INSERT public.users': 1,
    });
  });

  it('a data-modifying CTE that writes to two tables and twice to one', async () => {
    const events = await run(`
      with moved as (update public.children set gender = 'boy' where name = 'Enfant 1' returning family_id, id),
        marked as (update public.families set description = 'with a boy' returning id),
        born as (insert into public.children (family_id, name, date_of_birth) select family_id, 'Né', '2026-01-01' from moved returning id)
      update public.children set gender = 'other' where name = 'Enfant 2'`);
    expect(tally(events)).toEqual({
      'UPDATE public.children': 2,
      'INSERT public.children': 1,
      'UPDATE public.families': 1,
    });
  });

  it('SET NULL and CASCADE: deleting items, then a child, then the family', async () => {
    await run(
      ...['Enfant 1', 'Enfant 2'].map(
        (
          name,
        ) => `insert into public.inventory_items (family_id, child_id, product_type, quantity_total, quantity_remaining)
          select family_id, id, 'wipes', 5, 5 from public.children, generate_series(1, 3) where name = '${name}'`,
      ),
      `insert into public.usage_logs (family_id, child_id, inventory_item_id, usage_type)
         select i.family_id, i.child_id, i.id, 'wipe_use' from public.inventory_items i, generate_series(1, 4)`,
      `insert into public.emergency_profiles (family_id, child_id, contact_name) select family_id, id, 'Mamie' from public.children where name = 'Enfant 2'`,
    );
    const items = await run(
      `delete from public.inventory_items using public.children c where child_id = c.id and c.name = 'Enfant 1'`,
    );
    expect(tally(items)).toEqual({ 'DELETE public.inventory_items': 3, 'UPDATE public.usage_logs': 12 });
    expect(items.find(({ operation }) => operation === 'UPDATE')?.changed_columns).toEqual([
      'inventory_item_id',
      'updated_at',
    ]);
    const child = await run(`delete from public.children where name = 'Enfant 2'`);
    expect(tally(child)).toEqual({
      'DELETE public.children': 1,
      'DELETE public.emergency_profiles': 1,
      'UPDATE public.inventory_items': 3,
      'DELETE public.usage_logs': 12,
    });
    const family = await run('delete from public.families');
    expect(tally(family)).toMatchObject({
      'DELETE public.families': 1,
      'DELETE public.inventory_items': 3,
      'DELETE public.usage_logs': 12,
    });
  });

  it('what is rolled back, whole or to a savepoint, leaves none', async () => {
    const insert = (name: string) => `insert into public.families (name) values ('${name}')`;
    const events = await run(
      'begin',
      insert('gone'),
      'rollback',
      'begin',
      insert('stays'),
      'savepoint one',
      insert('gone too'),
      `update public.families set name = 'changed'`,
      'rollback to one',
      insert('stays as well'),
      'commit',
    );
    expect(events.map(({ new_row }) => JSON.parse(new_row ?? '').name)).toEqual(['stays', 'stays as well']);
  });

  it('refuses to change a key, and says so', async () => {
    await expect(run(`update public.families set id = gen_random_uuid()`)).rejects.toThrow(/key of a row/);
    await expect(run(`update ops.duty_permissions set resource = 'x' || resource`)).rejects.toThrow(
      /changed its key/,
    );
  });

  it('sees a change between values that are equal but do not look so', async () => {
    await run(
      `insert into public.users (id, email) values ('20000000-0000-4000-8000-000000000009', 'nine@nestsync.example')`,
      `insert into public.families (id, name, settings) values ('${FAMILY}', 'Égal', '{"a": 1.0}')`,
      `insert into public.children (family_id, name, date_of_birth) values ('${FAMILY}', 'E', '2025-01-01')`,
      `insert into public.usage_logs (family_id, child_id, usage_type, time_since_last_change) select family_id, id, 'wipe_use', '1 day' from public.children where name = 'E'`,
    );
    // The oracle compares what JSON.parse makes of them, so this one is looked at here.
    await owner.query(`update public.families set settings = '{"a": 1.00}' where id = '${FAMILY}'`);
    const changed = await owner.query(
      `select changed_columns, old_row::text, new_row::text from audit.events order by id desc limit 1`,
    );
    expect(changed).toMatchObject([
      {
        changed_columns: ['settings', 'updated_at'],
        old_row: expect.stringContaining('"settings":{"a": 1.0}'),
        new_row: expect.stringContaining('"settings":{"a": 1.00}'),
      },
    ]);
    const [interval] = await run(`update public.usage_logs set time_since_last_change = '24 hours'`);
    expect(interval?.changed_columns).toEqual(['time_since_last_change', 'updated_at']);
  });
});
