import type pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import { scramVerifier } from '../../src/platform/local/scram.js';
import type { TestDatabase } from '../support/database.js';
import { open } from '../support/model/sessions.js';
import { SPREAD, type SystemServer, startSystem } from '../support/servers.js';

const WHY = 'a new colleague starts today';
const PASSWORD = 'correct-horse-battery';

describe.each(SPREAD)('$title', ({ version, kind }) => {
  let server: SystemServer;
  let database: TestDatabase;
  let superuser: pg.Client;
  const clients: pg.Client[] = [];
  let counter = 0;

  beforeAll(async () => {
    server = await startSystem({ version, kind });
    database = await server.migratedDatabase();
    superuser = await open(database.superuser);
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.end().catch(() => undefined)));
  });
  afterAll(async () => {
    await superuser?.end();
    await database?.drop();
    await server?.stop();
  });

  const session = async (target: ConnectionTarget, role?: string) => {
    const client = await open(target);
    client.on('error', () => undefined);
    clients.push(client);
    if (role !== undefined) await client.query(`set role ${role}`);
    return client;
  };
  const login = () => `person.${++counter}`;
  const asPerson = (user: string, on = database) => ({ ...on.superuser, user, password: PASSWORD });

  /** Camille asks and does it, dev approves, each in a session of their own. */
  const approved = async <T>(
    name: string,
    args: readonly unknown[],
    extra: readonly unknown[] = [],
    on = database,
  ) => {
    const [first, second] = [
      await session(on.operators[0], 'nestsync_admin'),
      await session(on.operators[1], 'nestsync_admin'),
    ];
    const params = (list: readonly unknown[]) => list.map((_, at) => `$${at + 1}`).join(', ');
    const plan = await first.query<{ plan: object }>(`select ops.plan_${name}(${params(args)}) as plan`, [
      ...args,
    ]);
    const { rows } = await first.query<{ id: string }>(
      'select id from ops.request_approval($1, $2, $3, $4)',
      ['operator', plan.rows[0]?.plan, WHY, 'HR-7'],
    );
    await second.query(`select ops.decide_approval($1, 'granted', 'spoken with them')`, [rows[0]?.id]);
    const all = [...args, ...extra];
    const done = await first.query<{ done: T }>(`select ops.${name}(${params(all)}) as done`, all);
    return done.rows[0]?.done as T;
  };

  const add = (user: string, duties: readonly string[], until: string | null = null, on = database) =>
    approved<{ login_made: boolean; remaining: string[] }>(
      'add_operator',
      [user, 'Jo Tremblay', `${user}@nestsync.example`, duties, until],
      [scramVerifier(PASSWORD)],
      on,
    );

  const roleOf = async (user: string) => {
    const { rows } = await superuser.query(
      `select rolcanlogin, rolinherit, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication,
         array(select m.roleid::regrole::text from pg_auth_members m where m.member = r.oid order by 1) as member_of
       from pg_roles r where rolname = $1`,
      [user],
    );
    return rows[0];
  };
  const HARMLESS = {
    rolsuper: false,
    rolbypassrls: false,
    rolcreaterole: false,
    rolcreatedb: false,
    rolreplication: false,
  };

  test('an operator is made with a login that inherits nothing, and works under the duty at once', async () => {
    const user = login();
    const done = await add(user, ['sre', 'support']);
    expect(done).toMatchObject({ login_made: true, remaining: [] });
    expect(await roleOf(user)).toEqual({
      ...HARMLESS,
      rolcanlogin: true,
      rolinherit: false,
      member_of: ['nestsync_sre', 'nestsync_support'],
    });
    const person = await session(asPerson(user));
    await expect(person.query('select * from ops.operators')).rejects.toMatchObject({ code: '42501' });
    await person.query('set role nestsync_support');
    expect((await person.query('select login from ops.operators')).rows).toEqual([{ login: user }]);
    await expect(person.query('set role nestsync_admin')).rejects.toMatchObject({ code: '42501' });
    const { rows } = await superuser.query(
      `select session_login, duty, reason, ticket from audit.events where table_name = 'ops.operators' and record_key is not null
         and new_row::jsonb ->> 'login' = $1`,
      [user],
    );
    expect(rows).toEqual([{ session_login: 'camille.roy', duty: 'admin', reason: WHY, ticket: 'HR-7' }]);
  });

  test('an admin may act as a person too, or is told which grant is missing', async () => {
    const user = login();
    const { remaining } = await add(user, ['admin']);
    const own = kind === 'supabase' && version >= 16;
    expect(remaining).toEqual(own ? [`grant authenticated to "${user}"`] : []);
    for (const statement of remaining) await superuser.query(statement);
    expect((await roleOf(user)).member_of).toEqual(['authenticated', 'nestsync_admin']);
  });

  test('a login of the provider’s is registered as it is, made NOINHERIT where the owner may', async () => {
    const user = login();
    await superuser.query(`create role "${user}" login noinherit password '${PASSWORD}'`);
    const done = await approved<{ login_made: boolean }>('add_operator', [
      user,
      'Jo Tremblay',
      'jo@nestsync.example',
      ['support'],
      null,
    ]);
    expect(done).toMatchObject({ login_made: false });
    const person = await session(asPerson(user), 'nestsync_support');
    expect((await person.query('select login from ops.operators')).rowCount).toBe(1);
  });

  test('revoked: no login, no duty, no open grant, no session; and back again only as a new operator', async () => {
    const user = login();
    await add(user, ['support', 'admin']);
    const person = await session(asPerson(user), 'nestsync_support');
    await person.query(`select ops.open_access('directory', 'caller lost their phone', 'SUP-1', 30)`);
    const done = await approved<{ grants_closed: number; elsewhere: string[]; remaining: string[] }>(
      'revoke_operator',
      [user],
    );
    expect(done).toMatchObject({ grants_closed: 1, elsewhere: [], remaining: [] });
    expect(await roleOf(user)).toEqual({ ...HARMLESS, rolcanlogin: false, rolinherit: false, member_of: [] });
    // The session that was open sees nothing already, and is ended now.
    expect(
      (await person.query('select * from ops.access_grants')).rows.filter((g) => g.closed_at === null),
    ).toEqual([]);
    await expect(
      person.query(`select ops.open_access('directory', 'caller lost their phone', 'SUP-1', 30)`),
    ).rejects.toMatchObject({ code: 'NS004' });
    const admin = await session(database.operators[0], 'nestsync_admin');
    await admin.query(`set nestsync.reason = 'ending their sessions'`);
    expect((await admin.query('select * from ops.end_sessions($1)', [user])).rows).toEqual([
      { ended: 1, remaining: 0 },
    ]);
    await expect(person.query('select 1')).rejects.toThrow();
    await expect(open(asPerson(user))).rejects.toMatchObject({ code: '28000' });
    // What was borrowed to end it was given back.
    const { rows: lent } = await superuser.query(
      `select pg_has_role($1, $2, 'usage') as usage, pg_has_role($1, $2, $3) as set`,
      [server.owner, user, version >= 16 ? 'set' : 'member'],
    );
    expect(lent).toEqual([{ usage: false, set: false }]);

    await add(user, ['support']);
    await session(asPerson(user), 'nestsync_support');
    const { rows } = await superuser.query(
      `select registered_at > now() - interval '1 minute' as fresh, revoked_at from ops.operators where login = $1`,
      [user],
    );
    expect(rows).toEqual([{ fresh: true, revoked_at: null }]);
  });

  test('what the owner may not do to a login of somebody else’s is said, and the register ends it all the same', async () => {
    const user = login();
    await superuser.query(`create role "${user}" login noinherit password '${PASSWORD}'`);
    await superuser.query(`grant nestsync_support to "${user}"`);
    await approved('add_operator', [user, 'Jo Tremblay', 'jo@nestsync.example', ['support'], null]);
    const person = await session(asPerson(user), 'nestsync_support');
    const done = await approved<{ remaining: string[] }>('revoke_operator', [user]);
    if (version === 15) expect(done.remaining).toEqual([]);
    else {
      expect(done.remaining[0]).toBe(`alter role "${user}" nologin`);
      expect(done.remaining).toHaveLength(2);
    }
    await expect(
      person.query(`select ops.open_access('directory', 'caller lost their phone', 'SUP-1', 30)`),
    ).rejects.toMatchObject({ code: 'NS004' });
    const admin = await session(database.operators[0], 'nestsync_admin');
    const { rows } = await admin.query('select * from ops.end_sessions($1)', [user]);
    expect(rows).toEqual([version === 15 ? { ended: 1, remaining: 0 } : { ended: 0, remaining: 1 }]);
    for (const statement of done.remaining) await superuser.query(statement);
    expect(await roleOf(user)).toMatchObject({ rolcanlogin: false, member_of: [] });
  });

  test('duties are given and taken, with an end; the auditor’s always has one', async () => {
    const user = login();
    await add(user, ['support']);
    await expect(approved('add_duty', [user, 'auditor', null])).rejects.toMatchObject({ code: 'NS007' });
    await expect(approved('add_duty', [user, 'auditor', '2020-01-01'])).rejects.toMatchObject({
      code: 'NS007',
    });
    const until = new Date(Date.now() + 86_400_000);
    await approved('add_duty', [user, 'auditor', until]);
    await expect(approved('add_duty', [user, 'auditor', until])).rejects.toMatchObject({ code: 'NS005' });
    await session(asPerson(user), 'nestsync_auditor');
    await approved('remove_duty', [user, 'support']);
    const person = await session(asPerson(user));
    await expect(person.query('set role nestsync_support')).rejects.toMatchObject({ code: '42501' });
    await expect(approved('remove_duty', [user, 'support'])).rejects.toMatchObject({ code: 'NS005' });
    expect((await roleOf(user)).member_of).toEqual(['nestsync_auditor']);
  });

  test('nobody raises themselves, and no change passes without its own approval', async () => {
    const user = login();
    const admin = await session(database.operators[0], 'nestsync_admin');
    for (const call of [
      `plan_add_duty('camille.roy', 'compliance')`,
      `add_duty('camille.roy', 'compliance')`,
      `plan_add_operator('camille.roy', 'Camille', 'c@nestsync.example', '{admin}')`,
    ]) {
      await expect(admin.query(`select ops.${call}`), call).rejects.toMatchObject({ code: 'NS004' });
    }
    for (const call of [
      `add_operator('${user}', 'Jo Tremblay', 'jo@nestsync.example', '{support}')`,
      `revoke_operator('dev.singh')`,
      `remove_duty('dev.singh', 'sre')`,
    ]) {
      await expect(admin.query(`select ops.${call}`), call).rejects.toMatchObject({ code: 'NS008' });
    }
    for (const duty of ['support', 'compliance', 'sre', 'auditor']) {
      const other = await session(database.operators[0], `nestsync_${duty}`);
      await expect(other.query(`select ops.revoke_operator('dev.singh')`), duty).rejects.toMatchObject({
        code: '42501',
      });
    }
    await add(user, ['support']);
    await expect(
      admin.query(`select ops.add_operator($1, 'Jo Tremblay', 'jo@nestsync.example', '{support,admin}')`, [
        login(),
      ]),
    ).rejects.toMatchObject({ code: 'NS008' });
  });

  test('no role that is or can do more becomes an operator, and no password travels as such', async () => {
    const admin = await session(database.operators[0], 'nestsync_admin');
    const user = login();
    const plan = (name: string) =>
      admin.query(`select ops.plan_add_operator($1, 'Jo Tremblay', 'jo@nestsync.example', '{support}')`, [
        name,
      ]);
    for (const name of [
      'postgres',
      'nestsync_admin',
      'pg_read_all_data',
      'authenticated',
      'Jo',
      `jo"; drop`,
      '',
    ]) {
      await expect(plan(name), name).rejects.toMatchObject({ code: 'NS007' });
    }
    for (const attributes of [
      'bypassrls login',
      'createrole login',
      'superuser login',
      'replication login',
      'nologin',
    ]) {
      await superuser.query(`create role "${user}" ${attributes}`);
      await expect(plan(user), attributes).rejects.toMatchObject({ code: 'NS005' });
      await superuser.query(`drop role "${user}"`);
    }
    await superuser.query(`create role "${user}" login; grant service_role to "${user}"`);
    await expect(plan(user)).rejects.toMatchObject({ code: 'NS005' });
    await expect(plan(server.app), server.app).rejects.toMatchObject({ code: 'NS007' });
    await expect(
      approved(
        'add_operator',
        [login(), 'Jo Tremblay', 'jo@nestsync.example', ['support'], null],
        ['in-the-clear'],
      ),
    ).rejects.toMatchObject({ code: 'NS007' });
  });

  test('two databases share the login, and revoking in one leaves the other as it was', async () => {
    const other = await server.migratedDatabase();
    try {
      const user = login();
      await add(user, ['support']);
      const added = await approved<{ login_made: boolean }>(
        'add_operator',
        [user, 'Jo Tremblay', `${user}@nestsync.example`, ['support', 'sre'], null],
        [],
        other,
      );
      expect(added).toMatchObject({ login_made: false });
      const done = await approved<{ elsewhere: string[] }>('revoke_operator', [user]);
      expect(done.elsewhere).toEqual([other.name]);
      const there = await session(asPerson(user, other), 'nestsync_support');
      await there.query(`select ops.open_access('directory', 'caller lost their phone', 'SUP-1', 30)`);
      const here = await session(asPerson(user), 'nestsync_support');
      await expect(
        here.query(`select ops.open_access('directory', 'caller lost their phone', 'SUP-1', 30)`),
      ).rejects.toMatchObject({ code: 'NS004' });
      // Only the sessions of this database end.
      const admin = await session(database.operators[0], 'nestsync_admin');
      const { rows } = await admin.query<{ ended: number }>('select * from ops.end_sessions($1)', [user]);
      expect(rows[0]?.ended).toBe(1);
      await there.query('select 1');
      await expect(here.query('select 1')).rejects.toThrow();

      await approved('revoke_operator', [user], [], other);
      expect(await roleOf(user)).toMatchObject({ rolcanlogin: false, member_of: [] });
    } finally {
      await Promise.all(clients.splice(0).map((client) => client.end().catch(() => undefined)));
      await other.drop();
    }
  });
});
