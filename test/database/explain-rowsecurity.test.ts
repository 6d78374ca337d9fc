import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { explainAsRole, type RoleWish } from '../../src/access/index.js';
import { type Connection, connect } from '../../src/platform/database/connection.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { open } from '../support/model/sessions.js';

/**
 * How policies combine, after PostgreSQL's own regression test (src/test/regress/sql/rowsecurity.sql): its tables and
 * policies, and for every row, role and command the database's answer beside that of explain.
 */
const suffix = randomBytes(4).toString('hex');
const [alice, bob, carol, dave, group1, group2, exempt] = [
  'alice',
  'bob',
  'carol',
  'dave',
  'group1',
  'group2',
  'exempt',
].map((name) => `rls_${name}_${suffix}`) as [string, string, string, string, string, string, string];
const PEOPLE = [alice, bob, carol, dave, exempt];

let database: TestDatabase;
let superuser: pg.Client;
let connection: Connection;

beforeAll(async () => {
  database = await createTestDatabase({ template: 'template0' });
  superuser = await open(database.superuser);
  connection = await connect(database.superuser);
  await superuser.query(`
    create role ${alice}; create role ${bob}; create role ${carol}; create role ${dave};
    create role ${group1}; create role ${group2}; create role ${exempt} bypassrls;
    grant ${group1} to ${bob}; grant ${group2} to ${carol};
    create schema rls; grant all on schema rls to public;
    create table rls.uaccount (pguser name primary key, seclv int);
    grant select on rls.uaccount to public;
    insert into rls.uaccount values ('${alice}', 99), ('${bob}', 1), ('${carol}', 2), ('${dave}', 3);
    create table rls.category (cid int primary key, cname text); grant all on rls.category to public;
    insert into rls.category values (11, 'novel'), (22, 'science fiction'), (33, 'technology'), (44, 'manga');`);
});
afterAll(async () => {
  await connection?.close();
  const roles = [...PEOPLE, group1, group2].join(', ');
  await superuser?.query(`drop owned by ${roles} cascade`);
  await superuser?.query(`drop role ${roles}`);
  await superuser?.end();
  await database?.drop();
});

async function decided(statement: string, role: string): Promise<boolean> {
  await superuser.query('begin');
  try {
    await superuser.query(`set local role ${role}`);
    return ((await superuser.query(statement)).rowCount ?? 0) > 0;
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === '42501') return false;
    throw error;
  } finally {
    await superuser.query('rollback');
  }
}

const literal = (value: unknown) => (value === null ? 'null' : pg.escapeLiteral(String(value)));

function statementOf({ table, command, row, values = {}, reads }: RoleWish): string {
  const where = ` where id = ${literal(row)}`;
  const back = reads === false ? '' : ' returning id';
  const set = Object.entries(values).map(([column, value]) => `${column} = ${literal(value)}`);
  const written = `(${Object.keys(values).join(', ')}) values (${Object.values(values).map(literal).join(', ')})`;
  return {
    select: `select 1 from ${table}${where}`,
    delete: `delete from ${table}${where}`,
    update: `update ${table} set ${set.join(', ')}${where}`,
    insert: `insert into ${table} ${written}${back}`,
  }[command];
}

type Try = Omit<RoleWish, 'table' | 'role'>;

/** Every row and value for every person: so many of both answers. */
async function agree(table: string, tries: readonly Try[], people: readonly string[] = PEOPLE) {
  const counted = { allowed: 0, denied: 0 };
  for (const role of people) {
    for (const one of tries) {
      const wish = { ...one, table, role };
      const truth = (await decided(statementOf(wish), role)) ? 'allowed' : 'denied';
      const { verdict, steps } = await explainAsRole(connection, wish);
      expect(verdict, JSON.stringify({ wish, steps }, null, 1)).toBe(truth);
      counted[truth]++;
    }
  }
  return counted;
}

const rows = (ids: readonly number[], ...commands: readonly Try[]) =>
  ids.flatMap((id) => commands.map((command) => ({ ...command, row: String(id) })));
const SELECT: Try = { command: 'select' };
const DELETE: Try = { command: 'delete' };
const update = (values: Record<string, unknown>): Try => ({ command: 'update', values });
const insert = (values: Record<string, unknown>, reads = false): Try => ({
  command: 'insert',
  values,
  reads,
});

describe("PostgreSQL's own row security regression test", () => {
  const IDS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
  beforeAll(() =>
    superuser.query(`
      create table rls.document (id int primary key, cid int, dlevel int not null, dauthor name, dtitle text);
      grant all on rls.document to public;
      insert into rls.document values (1, 11, 1, '${bob}', 'my first novel'), (2, 11, 2, '${bob}', 'my second novel'),
        (3, 22, 2, '${bob}', 'my science fiction'), (4, 44, 1, '${bob}', 'my first manga'), (5, 44, 2, '${bob}', 'my second manga'),
        (6, 22, 1, '${carol}', 'great science fiction'), (7, 33, 2, '${carol}', 'great technology book'),
        (8, 44, 1, '${carol}', 'great manga'), (9, 22, 1, '${dave}', 'awesome science fiction'), (10, 33, 2, '${dave}', 'awesome technology book');
      alter table rls.document enable row level security;
      create policy p1 on rls.document as permissive using (dlevel <= (select seclv from rls.uaccount where pguser = current_user));
      create policy p2r on rls.document as restrictive to ${dave} using (cid <> 44 and cid < 50);
      create policy p1r on rls.document as restrictive to ${dave} using (cid <> 44);`),
  );

  test('one permissive policy by a sub-select, and restrictive ones for one role', async () => {
    const counted = await agree('rls.document', [
      ...rows(IDS, SELECT, DELETE, update({ dtitle: 'x' }), update({ cid: 44 }), update({ dlevel: 3 })),
      insert({ id: 100, cid: 44, dlevel: 1, dauthor: dave }),
      insert({ id: 100, cid: 55, dlevel: 1, dauthor: dave }),
      insert({ id: 100, cid: 11, dlevel: 1, dauthor: dave }, true),
      insert({ id: 100, cid: 11, dlevel: 3, dauthor: dave }, true),
    ]);
    expect(Math.min(counted.allowed, counted.denied)).toBeGreaterThan(50);
  });

  test('a policy of another column in its place', async () => {
    await superuser.query('alter policy p1 on rls.document using (dauthor = current_user)');
    await agree('rls.document', [
      ...rows(IDS, SELECT, DELETE, update({ dtitle: 'x' }), update({ dauthor: carol })),
      insert({ id: 100, cid: 11, dlevel: 1, dauthor: carol }),
    ]);
  });

  test('one policy a command: UPDATE, DELETE and RETURNING ask the SELECT policy too', async () => {
    await superuser.query(`
      drop policy p1 on rls.document; drop policy p1r on rls.document; drop policy p2r on rls.document;
      create policy p1 on rls.document for select using (cid <> 33);
      create policy p2 on rls.document for insert with check (dauthor = current_user);
      create policy p3 on rls.document for update using (cid = (select cid from rls.category where cname = 'novel')) with check (dauthor = current_user);
      create policy p4 on rls.document for delete using (cid = (select cid from rls.category where cname = 'manga'))`);
    await agree('rls.document', [
      ...rows(IDS, SELECT, DELETE, update({ dtitle: 'x' }), update({ cid: 33 }), update({ dauthor: carol })),
      insert({ id: 100, cid: 33, dlevel: 1, dauthor: bob }),
      insert({ id: 100, cid: 33, dlevel: 1, dauthor: bob }, true),
      insert({ id: 100, cid: 11, dlevel: 1, dauthor: bob }, true),
    ]);
  });

  test('a policy without WITH CHECK checks with its USING, and one for ALL stands beside one for a command', async () => {
    await superuser.query(`
      create table rls.y1 (id int primary key, a int, b text); grant all on rls.y1 to public;
      insert into rls.y1 select x, x, md5(x::text) from generate_series(1, 12) x;
      alter table rls.y1 enable row level security;
      create policy p1 on rls.y1 for all using (a % 2 = 0);
      create policy p2 on rls.y1 for select using (a % 3 = 0);
      create policy p3 on rls.y1 for update using (a % 5 = 0) with check (a < 20)`);
    await agree(
      'rls.y1',
      [
        ...rows(
          [1, 2, 3, 4, 5, 6, 9, 10, 12],
          SELECT,
          DELETE,
          update({ b: 'x' }),
          update({ a: 7 }),
          update({ a: 30 }),
          update({ a: 33 }),
        ),
        insert({ id: 100, a: 1 }),
        insert({ id: 100, a: 2 }),
        insert({ id: 100, a: 3 }, true),
      ],
      [bob],
    );
  });

  test('policies of roles count for members of these', async () => {
    await superuser.query(`
      create table rls.z1 (id int primary key, b text); grant select, update on rls.z1 to ${group1}, ${group2}, ${exempt};
      insert into rls.z1 values (1, 'aba'), (2, 'bbb'), (3, 'ccc'), (4, 'dad');
      alter table rls.z1 enable row level security;
      create policy p1 on rls.z1 to ${group1} using (id % 2 = 0);
      create policy p2 on rls.z1 to ${group2} using (id % 2 = 1)`);
    await agree('rls.z1', rows([1, 2, 3, 4], SELECT, DELETE, update({ b: 'x' })), [
      ...PEOPLE,
      group1,
      group2,
    ]);
  });

  test('restrictive policies alone let nothing through', async () => {
    await superuser.query(`
      create table rls.r (id int primary key, b int); grant all on rls.r to public; insert into rls.r values (1, 1), (2, 2);
      alter table rls.r enable row level security;
      create policy r1 on rls.r as restrictive using (true)`);
    const counted = await agree(
      'rls.r',
      [...rows([1, 2], SELECT, DELETE, update({ b: 3 })), insert({ id: 3, b: 1 })],
      [bob],
    );
    expect(counted.allowed).toBe(0);
  });

  test('an owner is bound only where row security is forced; without any policy nothing is open', async () => {
    await superuser.query(`
      create table rls.r2 (id int primary key, b int); insert into rls.r2 values (10, 1), (20, 2);
      alter table rls.r2 owner to ${alice}; grant all on rls.r2 to public;
      alter table rls.r2 enable row level security;
      create policy p1 on rls.r2 for select using (true);
      create policy p2 on rls.r2 for update using (false);
      create policy p3 on rls.r2 for delete using (false);
      create policy p4 on rls.r2 for insert with check (false)`);
    const tries = [...rows([10, 20], SELECT, DELETE, update({ b: 3 })), insert({ id: 30, b: 1 })];
    const free = await agree('rls.r2', tries, [alice, bob]);
    await superuser.query('alter table rls.r2 force row level security');
    const bound = await agree('rls.r2', tries, [alice, bob]);
    expect(free.allowed).toBeGreaterThan(bound.allowed);
    await superuser.query(
      'drop policy p1 on rls.r2; drop policy p2 on rls.r2; drop policy p3 on rls.r2; drop policy p4 on rls.r2',
    );
    expect((await agree('rls.r2', tries, [alice, bob])).allowed).toBe(0);
  });
});
