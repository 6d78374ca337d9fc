import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { planWriteAsPerson, readAsPerson, writeAsPerson } from '../../src/access/index.js';
import { withConnection } from '../../src/platform/database/connection.js';
import { openSession, type Session } from '../../src/platform/database/session.js';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { open } from '../support/model/sessions.js';
import { outcomeCode } from '../support/outcome-code.js';
import { asService, makeFamily, type SmallFamily } from '../support/small-world.js';

const WHY = { reason: 'she says the log is empty', ticket: 'SUP-77' };

let database: TestDatabase;
let family: SmallFamily;
let other: SmallFamily;
let admin: ConnectionTarget;
let session: Session;

beforeAll(async () => {
  database = await createTestDatabase();
  family = await makeFamily(database, { name: 'Tremblay' });
  other = await makeFamily(database, { name: 'Gagnon' });
  admin = await database.makeOperator('admin', 'support');
  session = await openSession(admin, { duty: 'admin', ...WHY });
});
afterAll(async () => {
  await session?.close();
  await database?.drop();
});

const read = (statement: string, user = family.gran.id, limit = 50) =>
  readAsPerson(session, { user, statement, limit }, WHY);
const plan = (statement: string, rows = 1, user = family.core.id, outward = false) =>
  planWriteAsPerson(session, { user, statement, rows, outward }, WHY);
const children = (id: string) =>
  asService(database, (service) =>
    service.query<{ name: string }>('select name from public.children where family_id = $1 order by 1', [id]),
  );

describe('reading as a person', () => {
  test('gives what the database would give them, and nothing of other families', async () => {
    const mine = await read('select family_id, name from children');
    expect(mine).toMatchObject({ columns: ['family_id', 'name'], rows: [[family.id, 'Léa']], more: false });
    expect((await read('select count(*) from usage_logs')).rows).toEqual([['1']]);
    // An extended member sees no invitation.
    expect((await read('table family_invitations')).rows).toEqual([]);
    expect((await read('select 1 as a, 2 as a')).columns).toEqual(['a', 'a_2']);
    expect(await read('values (1), (2), (3)', family.gran.id, 2)).toMatchObject({
      rows: [[1], [2]],
      more: true,
    });
  });

  test('takes one query and nothing that could leave the person', async () => {
    for (const statement of [
      'reset role',
      'set role nestsync_admin',
      'commit',
      'rollback; select 1',
      'select 1; reset role',
      'do $$ begin end $$',
      `copy (select 1) to program 'id'`,
      'create temp table t as select 1',
      'select 1 into temp t',
      'explain analyze select 1',
      'call nothing()',
      'with gone as (delete from children returning *) select * from gone',
      'select $1',
      '',
      'this is no sql',
    ]) {
      expect([statement, await outcomeCode(read(statement))]).toEqual([statement, 'invalid_statement']);
    }
    for (const call of [
      `set_config('role', 'nestsync_admin', true)`,
      `pg_catalog."set_config"('request.jwt.claims', '{}', true)`,
      `query_to_xml('reset role', true, true, '')`,
      'pg_sleep(10)',
      'pg_terminate_backend(1)',
      `pg_notify('a', 'b')`,
      'pg_advisory_lock(1)',
      `nextval('audit.events_id_seq')`,
    ]) {
      expect([call, await outcomeCode(read(`select ${call}`))]).toEqual([call, 'volatile_function']);
    }
    expect(await outcomeCode(read(`update children set name = 'x'`))).toBe('would_write');
    expect(await outcomeCode(read('select * from children for update'))).toBe('would_write');
    expect(await outcomeCode(read('select * from emergency_profile'))).toBe('invalid_statement');
    expect(await outcomeCode(read('select * from ops.operators'))).toBe('person_may_not');
    expect(await outcomeCode(read(`select private.member_families('usage:read')`))).toBe('person_may_not');
  });

  test('is on record before it runs, under the operator and the person, also where it fails', async () => {
    await read(`select name from children where name = 'Léa'`);
    await outcomeCode(read('select * from ops.access_grants'));
    const events = await withConnection(database.superuser, (superuser) =>
      superuser.query<Record<string, unknown>>(
        `select v.session_login, v.duty, v.app_user, v.subject_user, v.ticket, v.new_row ->> 'statement' as statement
         from audit.events v where v.table_name = 'ops.impersonations' and v.session_login = $1 order by v.id desc limit 2`,
        [admin.user],
      ),
    );
    const common = {
      session_login: admin.user,
      duty: 'admin',
      app_user: family.gran.id,
      subject_user: family.gran.id,
      ticket: WHY.ticket,
    };
    expect(events).toEqual([
      { ...common, statement: 'select * from ops.access_grants' },
      { ...common, statement: `select name from children where name = 'Léa'` },
    ]);
  });

  test('needs a reason, and the duty admin', async () => {
    const bare = await openSession(await database.makeOperator('admin'), { duty: 'admin' });
    expect(
      await outcomeCode(readAsPerson(bare, { user: family.gran.id, statement: 'select 1', limit: 1 }, {})),
    ).toBe('no_grant');
    await bare.close();
    const support = await openSession(await database.makeOperator('support'), { duty: 'support', ...WHY });
    expect(
      await outcomeCode(
        readAsPerson(support, { user: family.gran.id, statement: 'select 1', limit: 1 }, WHY),
      ),
    ).toBe('duty_not_allowed');
    await support.close();
  });
});

describe('the database itself', () => {
  /** As `readAsPerson` begins, and then whatever gets past a parser. */
  async function inside(work: (client: pg.Client) => Promise<void>): Promise<void> {
    await read('select 1');
    const client = await open(admin);
    await client.query('set role nestsync_admin');
    await client.query('begin');
    await client.query(
      `select set_config('request.jwt.claims', $1, true), set_config('role', 'authenticated', true)`,
      [JSON.stringify({ sub: family.gran.id, role: 'authenticated' })],
    );
    try {
      await work(client);
    } finally {
      await client.query('rollback');
      await client.end();
    }
  }
  const seen = async (client: pg.Client, table = 'children') => {
    await client.query('savepoint s');
    const rows = await client.query(`select * from public.${table}`).then(
      (result) => result.rows.length,
      (error: pg.DatabaseError) => error.code,
    );
    await client.query('rollback to savepoint s');
    return rows;
  };

  test('gives nothing to whoever leaves the person: neither without a role nor as somebody else', async () => {
    await inside(async (client) => {
      expect(await seen(client)).toBe(1);
      await client.query('reset role');
      expect(await seen(client)).toBe('42501');
      await client.query('set local role nestsync_admin');
      // An impersonation grant is no grant to read as staff.
      expect(await seen(client, 'family_members')).toBe(0);
      await client.query('set local role authenticated');
      await client.query(`select set_config('request.jwt.claims', $1, true)`, [
        JSON.stringify({ sub: other.gran.id, role: 'authenticated' }),
      ]);
      expect(await seen(client)).toBe(0);
      await client.query(`select set_config('request.jwt.claims', $1, true)`, [
        JSON.stringify({ sub: family.gran.id, role: 'service_role' }),
      ]);
      expect(await seen(client)).toBe(1);
      await expect(client.query('set local role service_role')).rejects.toThrow(/permission denied/);
    });
  });

  test('a reading transaction cannot be turned into a writing one', async () => {
    const client = await open(admin);
    await client.query('begin read only');
    await client.query('select 1');
    await expect(client.query(`select set_config('transaction_read_only', 'off', true)`)).rejects.toThrow(
      /read-write/,
    );
    await client.query('rollback');
    await client.end();
  });

  test('records no statement without a live grant for that person', async () => {
    const fresh = await open(await database.makeOperator('admin'));
    await fresh.query('set role nestsync_admin');
    const refusals = [
      `select ops.impersonate('${family.gran.id}', 'select 1', false)`,
      `select ops.changeable_rows('${family.gran.id}', 'public.children', 'delete')`,
    ];
    for (const statement of refusals)
      await expect(fresh.query(statement)).rejects.toMatchObject({ code: 'NS002' });
    await fresh.end();
  });
});

describe('writing as a person', () => {
  test('shows what would be touched, changes nothing before it is applied, and is on record as both', async () => {
    const before = await children(family.id);
    const shown = await plan(`update children set name = 'Zoé' where name = 'Léa'`);
    expect(shown).toMatchObject({ command: 'update', changeable: 1, rows: 1, outward: [] });
    expect(shown.touched).toEqual([{ table: 'public.children', operation: 'update', rows: 1 }]);
    expect(await children(family.id)).toEqual(before);
    await writeAsPerson(session, shown);
    expect(await children(family.id)).toEqual([{ name: 'Zoé' }]);
    expect(await children(other.id)).toEqual([{ name: 'Léa' }]);
    const [event] = await withConnection(database.superuser, (superuser) =>
      superuser.query(
        `select session_login, app_user, duty, reason, ticket from audit.events where table_name = 'public.children' order by id desc limit 1`,
      ),
    );
    expect(event).toEqual({ session_login: admin.user, app_user: family.core.id, duty: 'admin', ...WHY });
    await asService(database, (service) =>
      service.query(`update public.children set name = 'Léa' where family_id = $1`, [family.id]),
    );
  });

  test('touches nothing beyond the person, and refuses more rows than were allowed', async () => {
    await asService(database, async (service) => {
      for (let at = 0; at < 30; at++)
        await service.query(
          `insert into public.usage_logs (family_id, child_id, usage_type) values ($1, $2, 'wipe_use')`,
          [family.id, family.child],
        );
    });
    const all = await outcomeCode(plan('delete from usage_logs'));
    expect(all).toBe('too_many_rows');
    const wide = await plan('delete from usage_logs', 100);
    // All of their own family, and none of the other's.
    expect(wide).toMatchObject({ rows: 31, changeable: 31 });
    expect(await outcomeCode(plan('delete from usage_logs', 30))).toBe('too_many_rows');
    const gran = await plan('delete from usage_logs', 100, family.gran.id);
    expect(gran).toMatchObject({ rows: 0, changeable: 0 });
    const logs = await asService(database, (service) =>
      service.query('select from public.usage_logs where family_id = $1', [family.id]),
    );
    expect(logs).toHaveLength(31);
  });

  test('counts what cascades and triggers touch too', async () => {
    const shown = await plan('delete from children', 200);
    expect(shown.rows).toBe(1);
    expect(shown.touched.find(({ table }) => table === 'public.usage_logs')?.rows ?? 0).toBeGreaterThan(0);
    expect(await outcomeCode(plan('delete from children', 1))).toBe('too_many_rows');
  });

  test('refuses where it would now touch other than was shown', async () => {
    const shown = await plan(`update usage_logs set notes = 'x' where usage_type = 'wipe_use'`, 100);
    await asService(database, (service) =>
      service.query(
        `insert into public.usage_logs (family_id, child_id, usage_type) values ($1, $2, 'wipe_use')`,
        [family.id, family.child],
      ),
    );
    expect(await outcomeCode(writeAsPerson(session, shown))).toBe('changed_meanwhile');
    const changed = await asService(database, (service) =>
      service.query(`select from public.usage_logs where notes = 'x'`),
    );
    expect(changed).toEqual([]);
  });

  test('waits for no lock of others for long', async () => {
    const holder = await open(database.service);
    await holder.query('set role service_role');
    await holder.query('begin');
    await holder.query('select from public.children where family_id = $1 for update', [family.id]);
    const began = Date.now();
    expect(await outcomeCode(plan(`update children set name = 'x'`))).toBe('lock_timeout');
    expect(Date.now() - began).toBeLessThan(10_000);
    await holder.query('rollback');
    await holder.end();
  });

  test('names triggers that call out first, and does not even try those that no rollback takes back', async () => {
    await withConnection(database.owner, async (owner) => {
      await owner.query(`create function private.call_out() returns trigger language plpgsql as
        $$ begin perform dblink_exec('host=elsewhere', 'select 1'); return null; end $$`);
      await owner.query(`create function private.tell() returns trigger language plpgsql as
        $$ begin perform pg_notify('somebody', 'changed'); return null; end $$`);
      await owner.query(
        'create trigger children_tell after update on public.children for each row execute function private.tell()',
      );
      await owner.query(
        'create trigger logs_call_out after delete on public.usage_logs for each row execute function private.call_out()',
      );
    });
    const told = await plan(`update children set name = 'Zoé'`);
    expect(told.outward).toEqual([
      expect.objectContaining({ trigger: 'children_tell', by: 'notify', undone: true }),
    ]);
    expect(await outcomeCode(plan(`delete from usage_logs where notes = 'none'`))).toBe('calls_out');
    // By the way of a foreign key, too.
    expect(await outcomeCode(plan('delete from children', 200))).toBe('calls_out');
    expect(
      await outcomeCode(plan(`delete from usage_logs where notes = 'none'`, 1, family.core.id, true)),
    ).toBe('ok');
  });

  test('takes one table at a time', async () => {
    expect(await outcomeCode(plan('select 1'))).toBe('invalid_statement');
    expect(await outcomeCode(plan('truncate children'))).toBe('invalid_statement');
    expect(
      await outcomeCode(
        plan(`with c as (update children set name = 'x' returning *) delete from usage_logs`),
      ),
    ).toBe('invalid_statement');
    expect(await outcomeCode(plan(`update children set name = set_config('role', 'none', true)`))).toBe(
      'volatile_function',
    );
    const born = (id: string) =>
      `insert into children (family_id, name, date_of_birth) values ('${id}', 'Max', '2026-01-01')`;
    expect(await outcomeCode(plan(born(family.id), 1, family.gran.id))).toBe('person_may_not');
    expect(await outcomeCode(plan(born(other.id)))).toBe('person_may_not');
    expect(await plan(born(family.id))).toMatchObject({ changeable: null, rows: 1 });
  });
});
