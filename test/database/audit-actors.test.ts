import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Connection, connect, withConnection } from '../../src/platform/database/connection.js';
import { openSession, type SessionPurpose } from '../../src/platform/database/session.js';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import type { AuditEvent } from '../support/audit-leaf.js';
import { AuditOracle } from '../support/audit-oracle.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

let database: TestDatabase;
let owner: Connection;
let oracle: AuditOracle;
const [person, family, child] = [randomUUID(), randomUUID(), randomUUID()];

beforeAll(async () => {
  database = await createTestDatabase();
  owner = await connect(database.owner);
  oracle = await AuditOracle.over(owner);
  await owner.query(
    `insert into public.users (id, email, status) values ($1, 'zoe@nestsync.example', 'active')`,
    [person],
  );
  await owner.query(`insert into public.families (id, name) values ($1, 'Roy')`, [family]);
  await owner.query(
    `insert into public.family_members (family_id, user_id, role) values ($1, $2, 'family_core')`,
    [family, person],
  );
  await owner.query(
    `insert into public.children (family_id, id, name, date_of_birth) values ($1, $2, 'Léo', '2025-01-01')`,
    [family, child],
  );
});
afterAll(async () => {
  await owner?.close();
  await database?.drop();
});

const who = ({ session_login, duty, app_user, reason, ticket, request_id, table_name }: AuditEvent) => ({
  session_login,
  duty,
  app_user,
  reason,
  ticket,
  request_id,
  table_name,
});
const nobody = { duty: null, app_user: null, reason: null, ticket: null, request_id: null };

const asMember = (target: ConnectionTarget, sub: string, work: (session: Connection) => Promise<unknown>) =>
  withConnection(target, async (session) => {
    await session.query('set role authenticated');
    await session.query(`select set_config('request.jwt.claims', $1, false)`, [JSON.stringify({ sub })]);
    await work(session);
  });

const RENAME = `update public.families set name = name || '.' where id = '${family}'`;

describe('members, services and the owner', () => {
  it('a member through the app login: the person, no duty', async () => {
    const events = await oracle.watch(() =>
      asMember(database.app, person, (session) =>
        session.query(
          `insert into public.usage_logs (family_id, child_id, usage_type, created_by) values ($1, $2, 'wipe_use', $3)`,
          [family, child, person],
        ),
      ),
    );
    expect(events.map(who)).toEqual([
      { ...nobody, session_login: database.app.user, app_user: person, table_name: 'public.usage_logs' },
    ]);
    expect(events[0]).toMatchObject({ family_id: family, named_new: [null, person] });
  });

  it('a request id that the application gives ties its events together', async () => {
    const request = randomUUID();
    const events = await oracle.watch(() =>
      asMember(database.app, person, async (session) => {
        await session.query(`select set_config('nestsync.request', $1, false)`, [request]);
        await session.query(RENAME);
        await session.query(`update public.children set gender = 'boy'`);
      }),
    );
    expect(events.map(({ request_id, table_name }) => [request_id, table_name])).toEqual([
      [request, 'public.families'],
      [request, 'public.children'],
    ]);
    expect(new Set(events.map(({ xid }) => xid)).size).toBe(2);
  });

  it('the service role: its login, no person', async () => {
    const events = await oracle.watch(() =>
      withConnection(database.service, async (session) => {
        await session.query('set role service_role');
        await session.query(`select set_config('request.jwt.claims', $1, false)`, [
          JSON.stringify({ sub: person }),
        ]);
        await session.query(RENAME);
      }),
    );
    expect(events.map(who)).toEqual([
      { ...nobody, session_login: database.service.user, table_name: 'public.families' },
    ]);
  });

  it('the owner: its login, whatever role or claims it sets', async () => {
    const events = await oracle.watch(() =>
      withConnection(database.owner, async (session) => {
        await session.query(`select set_config('request.jwt.claims', $1, false)`, [
          JSON.stringify({ sub: person }),
        ]);
        await session.query(RENAME);
      }),
    );
    expect(events.map(who)).toEqual([
      { ...nobody, session_login: database.owner.user, table_name: 'public.families' },
    ]);
  });
});

describe('operators', () => {
  let operator: ConnectionTarget;
  beforeEach(async () => {
    operator = await database.makeOperator('support', 'admin', 'sre');
  });

  const session = async (purpose: SessionPurpose, work: (session: Connection) => Promise<unknown>) => {
    const one = await openSession(operator, purpose);
    try {
      await work(one);
    } finally {
      await one.close();
    }
  };
  const open = (
    kind: string,
    reason: string,
    ticket: string,
    scope: { family?: string; user?: string } = {},
  ) =>
    session({ duty: 'admin' }, (one) =>
      one.query('select ops.open_access($1, $2, $3, 20, $4, $5)', [
        kind,
        reason,
        ticket,
        scope.family,
        scope.user,
      ]),
    );

  it('opening access is itself an event, with the reason that was given', async () => {
    const request = randomUUID();
    const events = await oracle.watch(() =>
      session({ duty: 'support', request }, (one) =>
        one.query(`select ops.open_access('read', 'caller cannot log in', 'SUP-7', 20, $1)`, [family]),
      ),
    );
    expect(events.map(who)).toEqual([
      {
        session_login: operator.user,
        duty: 'support',
        app_user: null,
        reason: 'caller cannot log in',
        ticket: 'SUP-7',
        request_id: request,
        table_name: 'ops.access_grants',
      },
    ]);
    expect(events[0]).toMatchObject({ category: 'access', family_id: family });
  });

  it('duty, reason, ticket and request of the session', async () => {
    await open('read', 'merge of two families', 'SUP-8', { family });
    const request = randomUUID();
    const events = await oracle.watch(() =>
      session({ duty: 'admin', reason: 'typing error in the name', ticket: 'SUP-9', request }, (one) =>
        one.query(RENAME),
      ),
    );
    expect(events.map(who)).toEqual([
      {
        session_login: operator.user,
        duty: 'admin',
        app_user: null,
        reason: 'typing error in the name',
        ticket: 'SUP-9',
        request_id: request,
        table_name: 'public.families',
      },
    ]);
  });

  it('without a reason of its own the session has that of its live grant', async () => {
    await open('read', 'merge of two families', 'SUP-8', { family });
    const events = await oracle.watch(() => session({ duty: 'admin' }, (one) => one.query(RENAME)));
    expect(events).toMatchObject([{ duty: 'admin', reason: 'merge of two families', ticket: 'SUP-8' }]);
  });

  it('with two live grants of different reasons it must say which', async () => {
    await open('read', 'merge of two families', 'SUP-8', { family });
    await open('read', 'another matter entirely', 'SUP-10', { user: person });
    await expect(oracle.watch(() => session({ duty: 'admin' }, (one) => one.query(RENAME)))).rejects.toThrow(
      /Several access grants/,
    );
    const events = await oracle.watch(() =>
      session({ duty: 'admin', reason: 'merge of two families', ticket: 'SUP-8' }, (one) =>
        one.query(RENAME),
      ),
    );
    expect(events).toMatchObject([{ ticket: 'SUP-8' }]);
  });

  it('a directory session lends its reason to no change', async () => {
    await open('directory', 'looking for a caller', 'SUP-11');
    await expect(
      oracle.watch(() =>
        session({ duty: 'admin' }, (one) =>
          one.query('insert into public.families (name) values ($1)', ['x']),
        ),
      ),
    ).rejects.toThrow(/without a reason|no reason|row/);
  });

  it('without any reason nothing is changed', async () => {
    await expect(
      oracle.watch(() => session({ duty: 'sre' }, (one) => one.query('select ops.refresh_analytics()'))),
    ).rejects.toThrow(/changes nothing without a reason/);
    await expect(
      oracle.watch(() =>
        session({ duty: 'sre', reason: '  \t ' }, (one) => one.query('select ops.refresh_analytics()')),
      ),
    ).rejects.toThrow(/changes nothing without a reason/);
    const events = await oracle.watch(() =>
      session({ duty: 'sre', reason: 'weekly report' }, (one) => one.query('select ops.refresh_analytics()')),
    );
    expect(events).toMatchObject([
      { duty: 'sre', reason: 'weekly report', ticket: null, table_name: 'ops.analytics_refreshes' },
    ]);
  });

  it('impersonating: person, operator and duty together, with or without a reason of the session', async () => {
    await open('impersonation', 'shows the error to us', 'SUP-12', { user: person });
    const lent = await oracle.watch(() => asMember(operator, person, (one) => one.query(RENAME)));
    const said = await oracle.watch(() =>
      asMember(operator, person, async (one) => {
        await one.query(`select set_config('nestsync.reason', 'tries the mended form', false)`);
        await one.query(RENAME);
      }),
    );
    const acting = { session_login: operator.user, duty: 'admin', app_user: person, family_id: family };
    expect(lent).toMatchObject([{ ...acting, reason: 'shows the error to us', ticket: 'SUP-12' }]);
    expect(said).toMatchObject([{ ...acting, reason: 'tries the mended form', ticket: null }]);
  });
});
