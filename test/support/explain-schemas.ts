import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { explainAsRole, type RoleWish } from '../../src/access/index.js';
import { type Connection, connect } from '../../src/platform/database/connection.js';
import { createTestDatabase, type TestDatabase } from './database.js';
import { randomPolicies, randomRow } from './model/policy-fuzz.js';
import { type Random, seededRandom, testScale, testSeed } from './model/random.js';
import { open } from './model/sessions.js';

const seed = testSeed();
const suffix = randomBytes(4).toString('hex');
const role = (name: string) => `explain_${name}_${suffix}`;
const [alice, bob, carol, dave, staff, outsider, bypasser] = [
  'alice',
  'bob',
  'carol',
  'dave',
  'staff',
  'outsider',
  'bypasser',
].map(role) as [string, string, string, string, string, string, string];
const ROLES = [alice, bob, carol, dave];

let database: TestDatabase;
let superuser: pg.Client;
let connection: Connection;
/** Denials for which no missing fact was found: policies that contradict themselves have none. */
let riddles = 0;

/** What the database does with a statement as a role: whether it touched or gave a row; undefined for any other error. */
async function decided(statement: string, { role, claims }: RoleWish): Promise<boolean | undefined> {
  await superuser.query('begin');
  try {
    await superuser.query(`select set_config('request.jwt.claims', $1, true)`, [
      claims === undefined ? '' : JSON.stringify(claims),
    ]);
    await superuser.query(`set local role ${role}`);
    return ((await superuser.query(statement)).rowCount ?? 0) > 0;
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === '42501') return false;
    return error instanceof pg.DatabaseError && error.code?.startsWith('23') ? true : undefined;
  } finally {
    await superuser.query('rollback');
  }
}

/** The statement that tries what is asked. Without `reads` it names no column. */
function statementOf({ table, command, row, values = {}, reads = command !== 'insert' }: RoleWish): string {
  const literal = (value: unknown) => (value === null ? 'null' : pg.escapeLiteral(String(value)));
  const where = reads && row !== undefined ? ` where id = ${literal(row)}` : '';
  const set = Object.entries(values).map(([column, value]) => `${column} = ${literal(value)}`);
  switch (command) {
    case 'select':
      return `select 1 from ${table}${where}`;
    case 'delete':
      return `delete from ${table}${where}`;
    case 'update':
      return `update ${table} set ${set.join(', ')}${where}`;
    default:
      return `insert into ${table} (${Object.keys(values).join(', ')}) values (${Object.values(values).map(literal).join(', ')})${reads ? ' returning id' : ''}`;
  }
}

/** Asks both and says where they differ. */
async function agree(wish: RoleWish): Promise<'allowed' | 'denied'> {
  const truth = await decided(statementOf(wish), wish);
  const explained = await explainAsRole(connection, wish);
  const policies = await superuser.query(
    'select policyname, permissive, roles, cmd, qual, with_check from pg_policies where format($1, schemaname, tablename) = $2',
    ['%I.%I', wish.table],
  );
  const shown = () =>
    `seed ${seed}: ${JSON.stringify({ wish, truth, explained, policies: policies.rows }, null, 1)}`;
  expect(truth, shown()).toBeDefined();
  expect(explained.verdict, shown()).toBe(truth === true ? 'allowed' : 'denied');
  // What is said to be missing is never nothing, and never what is there already.
  if (explained.verdict === 'allowed') expect(explained.missing, shown()).toEqual([]);
  else if (explained.missing.length === 0) riddles++;
  return explained.verdict as 'allowed' | 'denied';
}

async function agreeOn(cases: number, make: () => RoleWish): Promise<Record<string, number>> {
  const counted: Record<string, number> = { allowed: 0, denied: 0 };
  for (let done = 0; done < cases; done++) {
    const verdict = await agree(make());
    counted[verdict] = (counted[verdict] ?? 0) + 1;
  }
  return counted;
}

const commandOf = (random: Random) => random.weighted({ select: 3, insert: 3, update: 4, delete: 2 });

/** The tests that ask explain and the database about a part of 1,500 random cases of schemas that are not ours, times NESTCTL_TEST_SCALE. */
export function explainAgreesOnSchemas(part: number): void {
  const scale = part * testScale();
  describe(`explain agrees with the database on other schemas, NESTCTL_TEST_SEED=${seed}`, () => {
    beforeAll(async () => {
      process.stdout.write(`explain agrees on other schemas: NESTCTL_TEST_SEED=${seed}\n`);
      database = await createTestDatabase({ template: 'template0' });
      superuser = await open(database.superuser);
      connection = await connect(database.superuser);
      await superuser.query(`
    create role ${staff}; create role ${bypasser} bypassrls; create role ${outsider};
    ${ROLES.map((one) => `create role ${one}`).join(';')};
    grant ${staff} to ${carol}`);
    });

    afterAll(async () => {
      await connection?.close();
      await superuser?.query(`drop owned by ${[...ROLES, staff, bypasser, outsider].join(', ')} cascade`);
      await superuser?.query(`drop role ${[...ROLES, staff, bypasser, outsider].join(', ')}`);
      await superuser?.end();
      await database?.drop();
    });

    test('on random policies: permissive and restrictive, for any command and role, with and without WITH CHECK', async () => {
      const random = seededRandom(seed);
      await superuser.query(`
      create schema fuzz; grant usage on schema fuzz to public;
      create table fuzz.aux (k int, v boolean); insert into fuzz.aux values (1, true), (2, false), (3, null), (4, true);
      grant select on fuzz.aux to public;
      create schema hidden;
      create function hidden.even(int) returns boolean language sql stable return $1 % 2 = 0;
      create function hidden.list(int) returns int[] language sql stable security definer return array[$1, $1 + 1]`);
      const counted: Record<string, number> = {};
      const tables = Math.ceil(24 * scale);
      for (let at = 0; at < tables; at++) {
        const table = `fuzz.t${at}`;
        const row = randomRow(random, ROLES);
        await superuser.query(`
        create table ${table} (id int primary key, a int, b int, c text, owner name, flag boolean);
        alter table ${table} enable row level security; grant all on ${table} to public;
        ${randomPolicies(random, table, [...ROLES, staff]).join(';')}`);
        await superuser.query(`insert into ${table} values ($1, $2, $3, $4, $5, $6)`, Object.values(row));
        const found = await agreeOn(25, () => {
          const command = commandOf(random);
          const { id: _id, ...changed } = randomRow(random, ROLES);
          const values =
            command === 'insert' ? { id: 2, ...changed } : command === 'update' ? changed : undefined;
          return {
            table,
            command,
            role: random.pick(ROLES),
            claims: random.chance(0.7) ? { team: random.pick(["x'é AND", 'y']) } : undefined,
            row: command === 'insert' ? undefined : '1',
            values,
            // One row a table, so that a statement without WHERE is about that row.
            reads: command === 'select' || random.chance(0.6),
          };
        });
        for (const [verdict, count] of Object.entries(found))
          counted[verdict] = (counted[verdict] ?? 0) + count;
      }
      process.stdout.write(`explain agrees on random policies: ${JSON.stringify({ ...counted, riddles })}\n`);
      // Of a few tables all may happen to have restrictive policies only.
      const least = scale < 1 ? 0 : tables * 3;
      expect(counted.allowed).toBeGreaterThan(least);
      expect(counted.denied).toBeGreaterThan(least);
      // A table whose policies contradict themselves is one riddle many times.
      expect(riddles).toBeLessThan((counted.denied as number) / 20 + (scale < 1 ? 25 : 0));
    }, 900_000);

    test('where rows have an owner column', async () => {
      const random = seededRandom(seed + 1);
      await superuser.query(`
      create schema notes; grant usage on schema notes to public;
      create table notes.notes (id int primary key, owner name default current_user, shared boolean, body text);
      alter table notes.notes enable row level security; grant select, insert, update, delete on notes.notes to public;
      create policy see on notes.notes for select using (owner = current_user or shared);
      create policy make on notes.notes for insert with check (owner = current_user);
      create policy change on notes.notes for update using (owner = current_user);
      create policy drop on notes.notes for delete to ${staff} using (shared is not true);
      insert into notes.notes select i, (array['${ROLES.join("','")}'])[1 + i % 4], (array[true, false, null])[1 + i % 3], 'note' from generate_series(1, 24) i`);
      const counted = await agreeOn(Math.ceil(300 * scale), () => {
        const command = commandOf(random);
        const owner = random.pick(ROLES);
        return {
          table: 'notes.notes',
          command,
          role: random.pick(ROLES),
          row: command === 'insert' ? undefined : String(random.between(1, 24)),
          values:
            command === 'insert'
              ? { id: 100, ...(random.chance(0.5) ? { owner } : {}), body: 'x' }
              : command === 'update'
                ? random.pick([{ body: 'y' }, { owner }, { shared: true }])
                : undefined,
          reads: command === 'insert' ? random.chance(0.5) : true,
        };
      });
      expect(Math.min(counted.allowed as number, counted.denied as number)).toBeGreaterThan(20 * scale);
    }, 900_000);

    test('where a claim names the tenant, under restrictive policies and a helper nobody may name', async () => {
      const random = seededRandom(seed + 2);
      await superuser.query(`
      create schema vault;
      create function vault.tenant() returns text language sql stable security definer
        return (nullif(current_setting('request.jwt.claims', true), '')::json ->> 'tenant');
      create schema shop; grant usage on schema shop to public;
      create table shop.orders (id int primary key, tenant text, amount int, locked boolean not null default false, state text default 'new');
      alter table shop.orders enable row level security; grant select, insert, update, delete on shop.orders to public;
      create policy tenant on shop.orders using (tenant = (select vault.tenant()));
      create policy unlocked on shop.orders as restrictive for update using (not locked) with check (amount <= 100);
      create policy kept on shop.orders as restrictive for delete using (case state when 'new' then true else false end);
      create policy aal on shop.orders as restrictive to ${bob}, ${staff}
        using ((select current_setting('request.jwt.claims', true)::json ->> 'aal') = 'aal2');
      insert into shop.orders select i, (array['north', 'south'])[1 + i % 2], i * 10, i % 3 = 0, (array['new', 'paid'])[1 + i % 2] from generate_series(1, 20) i`);
      const counted = await agreeOn(Math.ceil(300 * scale), () => {
        const command = commandOf(random);
        const tenant = random.pick(['north', 'south']);
        return {
          table: 'shop.orders',
          command,
          role: random.pick(ROLES),
          claims: { tenant: random.pick(['north', 'south', 'south']), aal: random.pick(['aal1', 'aal2']) },
          row: command === 'insert' ? undefined : String(random.between(1, 20)),
          values:
            command === 'insert'
              ? { id: 100, tenant, amount: 5 }
              : command === 'update'
                ? random.pick([{ amount: random.pick([50, 150]) }, { tenant }])
                : undefined,
          reads: command === 'insert' ? random.chance(0.5) : true,
        };
      });
      expect(Math.min(counted.allowed as number, counted.denied as number)).toBeGreaterThan(20 * scale);
    }, 900_000);

    test('where membership is found through other tables, which have policies themselves', async () => {
      const random = seededRandom(seed + 3);
      const people = [1, 2, 3, 4];
      await superuser.query(`
      create schema team; grant usage on schema team to public;
      create function team.me() returns int language sql stable return (nullif(current_setting('request.jwt.claims', true), '')::json ->> 'sub')::int;
      create table team.members (team int, person int, level int, until date, primary key (team, person));
      create table team.docs (id int primary key, team int, author int, min_level int, public boolean default false);
      alter table team.members enable row level security; alter table team.docs enable row level security;
      grant select on team.members to public; grant select, insert, update, delete on team.docs to public;
      create policy own on team.members for select using (person = team.me());
      create policy member on team.docs for select using (public or exists (
        select from team.members m where m.team = docs.team and m.person = team.me() and m.level >= docs.min_level and (m.until is null or m.until > current_date)));
      create policy author on team.docs for all using (author = team.me() and team in (select m.team from team.members m where m.level > 1))
        with check (author = team.me() and exists (select from team.members m where m.team = docs.team and m.level >= 2));
      insert into team.members select t, p, 1 + (t * p) % 3, case when p % 3 = 0 then date '2020-01-01' end
        from generate_series(1, 4) t, generate_series(1, 4) p where (t + p) % 4 <> 0;
      insert into team.docs select i, 1 + i % 4, 1 + i % 3, 1 + i % 3, i % 7 = 0 from generate_series(1, 30) i`);
      const counted = await agreeOn(Math.ceil(300 * scale), () => {
        const command = commandOf(random);
        return {
          table: 'team.docs',
          command,
          role: random.pick(ROLES),
          claims: random.chance(0.95) ? { sub: random.pick(people) } : undefined,
          row: command === 'insert' ? undefined : String(random.between(1, 30)),
          values:
            command === 'insert'
              ? { id: 100, team: random.pick(people), author: random.pick(people), min_level: 1 }
              : command === 'update'
                ? random.pick([{ team: random.pick(people) }, { min_level: 2 }])
                : undefined,
          reads: command === 'insert' ? random.chance(0.5) : true,
        };
      });
      expect(Math.min(counted.allowed as number, counted.denied as number)).toBeGreaterThan(20 * scale);
    }, 900_000);

    test('as the rowsecurity regression of PostgreSQL has it', async () => {
      // src/test/regress/sql/rowsecurity.sql: the same tables, rows and policies, under names of roles of our own.
      await superuser.query(`
      create schema regress; grant usage on schema regress to public;
      create table regress.uaccount (pguser name primary key, seclv int); grant select on regress.uaccount to public;
      insert into regress.uaccount values ('${alice}', 99), ('${bob}', 1), ('${carol}', 2), ('${dave}', 3);
      create table regress.document (id int primary key, cid int, dlevel int not null, dauthor name, dtitle text);
      grant all on regress.document to public; alter table regress.document owner to ${alice};
      insert into regress.document values (1, 11, 1, '${bob}'), (2, 11, 2, '${bob}'), (3, 22, 2, '${bob}'), (4, 44, 1, '${bob}'),
        (5, 44, 2, '${bob}'), (6, 22, 1, '${carol}'), (7, 33, 2, '${carol}'), (8, 44, 1, '${carol}'), (9, 22, 1, '${dave}'), (10, 33, 2, '${dave}');
      alter table regress.document enable row level security;
      create policy p1 on regress.document as permissive using (dlevel <= (select seclv from regress.uaccount where pguser = current_user));
      create policy p2r on regress.document as restrictive to ${dave} using (cid <> 44 and cid < 50);
      create policy p1r on regress.document as restrictive to ${dave} using (cid <> 44)`);
      const table = 'regress.document';
      const seen = async (role: string) => {
        const ids: number[] = [];
        for (let id = 1; id <= 10; id++)
          if ((await agree({ table, command: 'select', role, row: String(id) })) === 'allowed') ids.push(id);
        return ids;
      };
      expect(await seen(bob)).toEqual([1, 4, 6, 8, 9]);
      expect(await seen(carol)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      expect(await seen(dave)).toEqual([1, 2, 3, 6, 7, 9, 10]);
      const insert = (cid: number): RoleWish => ({
        table,
        command: 'insert',
        role: dave,
        values: { id: 100, cid, dlevel: 1, dauthor: dave },
      });
      expect(await agree(insert(44))).toBe('denied');
      expect(await agree(insert(55))).toBe('denied');
      expect((await explainAsRole(connection, insert(55))).missing.map(({ is }) => is)).toEqual([
        'not so: cid < 50',
      ]);
      expect(await agree(insert(33))).toBe('allowed');
      // The owner goes past them until they are forced, and so does who is a member of the owner; BYPASSRLS always.
      for (const [role, forced] of [
        [alice, 'allowed'],
        [outsider, 'denied'],
        [bypasser, 'allowed'],
      ] as const) {
        expect(await agree({ table, command: 'select', role, row: '5' }), role).toBe(forced);
      }
      await superuser.query(`grant ${alice} to ${outsider}`);
      expect(await agree({ table, command: 'select', role: outsider, row: '5' })).toBe('allowed');
      await superuser.query(
        `alter table ${table} force row level security; update regress.uaccount set seclv = 0 where pguser = '${alice}'`,
      );
      for (const [role, forced] of [
        [alice, 'denied'],
        [outsider, 'denied'],
        [bypasser, 'allowed'],
        [database.superuser.user, 'allowed'],
      ] as const) {
        expect(
          await agree({ table, command: 'select', role: `"${role}"`.replaceAll('"', ''), row: '5' }),
          role,
        ).toBe(forced);
      }

      // RETURNING asks the policies for SELECT as well, of the new row too; a command without a policy passes nothing.
      await superuser.query(`
      create table regress.r2 (id int primary key); insert into regress.r2 values (10);
      alter table regress.r2 enable row level security; grant all on regress.r2 to public;
      create policy p1 on regress.r2 for select using (id < 20);
      create policy p2 on regress.r2 for update using (id < 20) with check (true);
      create policy p3 on regress.r2 for insert with check (true)`);
      const r2 = { table: 'regress.r2', role: bob } as const;
      expect(await agree({ ...r2, command: 'update', row: '10', values: { id: 30 }, reads: false })).toBe(
        'allowed',
      );
      expect(await agree({ ...r2, command: 'update', row: '10', values: { id: 30 }, reads: true })).toBe(
        'denied',
      );
      expect(await agree({ ...r2, command: 'insert', values: { id: 30 }, reads: false })).toBe('allowed');
      expect(await agree({ ...r2, command: 'insert', values: { id: 30 }, reads: true })).toBe('denied');
      expect(await agree({ ...r2, command: 'delete', row: '10' })).toBe('denied');
      // Restrictive policies alone let nothing pass, and rights of columns come before any policy.
      await superuser.query(`
      drop policy p1 on regress.r2; create policy p1 on regress.r2 as restrictive for select using (true);
      create table regress.columns (id int primary key, open text, closed text); insert into regress.columns values (1);
      grant select (id, open), update (open), insert (id, open) on regress.columns to ${bob}`);
      expect(await agree({ ...r2, command: 'select', row: '10' })).toBe('denied');
      const columns = { table: 'regress.columns', role: bob } as const;
      expect(await agree({ ...columns, command: 'select', row: '1' })).toBe('allowed');
      expect(await agree({ ...columns, command: 'update', row: '1', values: { open: 'x' } })).toBe('allowed');
      expect(await agree({ ...columns, command: 'update', row: '1', values: { closed: 'x' } })).toBe(
        'denied',
      );
      expect(await agree({ ...columns, command: 'insert', values: { id: 2, closed: 'x' } })).toBe('denied');
      expect(await agree({ ...columns, command: 'delete', row: '1' })).toBe('denied');
      expect(await agree({ ...columns, role: carol, command: 'select', row: '1' })).toBe('denied');
    }, 900_000);

    test('what cannot be evaluated is unknown, and never a pass; nothing is left behind', async () => {
      await superuser.query(`
      create schema odd; grant usage on schema odd to public; create table odd.t (id int primary key, n int, secret text);
      insert into odd.t values (1, 0, 'the secret of row one'); grant all on odd.t to public; alter table odd.t enable row level security;
      create policy p on odd.t using (10 / n > 1 and secret::int > 0)`);
      const explained = await explainAsRole(connection, {
        table: 'odd.t',
        command: 'update',
        role: bob,
        row: '1',
      });
      expect(explained.verdict).toBe('unknown');
      expect(JSON.stringify(explained)).toContain('22012');
      expect(JSON.stringify(explained)).not.toContain('the secret');
      const { rows } = await superuser.query(
        `select count(*)::int as left from pg_proc where proname like 'explain\\_%'`,
      );
      expect(rows[0].left).toBe(0);
      await expect(
        explainAsRole(connection, { table: 'odd.t', command: 'select', role: bob, row: '2' }),
      ).rejects.toMatchObject({ code: 'row_missing' });
    });
  });
}
