import type pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { open } from '../support/model/sessions.js';
import { makeFamily } from '../support/small-world.js';

let database: TestDatabase;
let superuser: pg.Client;
const clients: pg.Client[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  superuser = await open(database.superuser);
  await makeFamily(database, { name: 'Tremblay' });
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.end()));
});
afterAll(async () => {
  await superuser?.end();
  await database?.drop();
});

async function under(target: ConnectionTarget, duty = 'admin'): Promise<pg.Client> {
  const client = await open(target);
  clients.push(client);
  await client.query(`set role nestsync_${duty}`);
  return client;
}

/** An admin of the test's own, so that no test's grants are another's. */
async function admin(old = true): Promise<{ client: pg.Client; target: ConnectionTarget }> {
  const target = await database.makeOperator('admin');
  if (old) {
    await superuser.query(
      `update ops.operators set registered_at = now() - interval '3 days' where login = $1`,
      [target.user],
    );
    await superuser.query(
      `update ops.operator_duties set granted_at = now() - interval '3 days' where login = $1`,
      [target.user],
    );
  }
  return { client: await under(target), target };
}

const ALONE = `select id, expires_at - clock_timestamp() > interval '29 minutes' as half_an_hour
  from ops.open_access('break_glass', 'nobody else answers and it burns', 'INC-1', 30)`;

const families = async (client: pg.Client) => (await client.query('select id from public.families')).rowCount;

describe('breaking the glass alone', () => {
  test('opens everything for 30 minutes, alerts who listens, and waits for a review', async () => {
    const { client, target } = await admin();
    const heard: pg.Notification[] = [];
    const listener = await open(database.operators[1]);
    clients.push(listener);
    listener.on('notification', (one) => heard.push(one));
    await listener.query('listen nestsync_alerts');
    expect(await families(client)).toBe(0);

    const { rows } = await client.query<{ id: string }>(ALONE);
    expect(rows).toEqual([{ id: expect.any(String), half_an_hour: true }]);
    expect(await families(client)).toBe(1);
    await listener.query('select 1');
    expect(heard.map(({ payload }) => JSON.parse(payload ?? ''))).toEqual([
      {
        alert: 'break_glass',
        grant: rows[0]?.id,
        operator: target.user,
        ticket: 'INC-1',
        until: expect.any(String),
        approved: false,
      },
    ]);
    const { rows: record } = await superuser.query(
      `select g.review_due_at - g.opened_at as due, e.session_login, e.duty, e.reason, e.ticket
       from ops.access_grants g join audit.events e on e.record_id = g.id where g.id = $1`,
      [rows[0]?.id],
    );
    expect(record).toMatchObject([
      {
        session_login: target.user,
        duty: 'admin',
        reason: 'nobody else answers and it burns',
        ticket: 'INC-1',
      },
    ]);
    expect(Math.round(record[0].due.hours ?? 0) + 24 * record[0].due.days).toBeGreaterThanOrEqual(71);
  });

  test('lasts no longer, and takes the duty admin', async () => {
    const { client } = await admin();
    for (const minutes of [0, 31, 60]) {
      await expect(
        client.query(`select ops.open_access('break_glass', 'nobody else answers', 'INC-1', ${minutes})`),
      ).rejects.toMatchObject({ code: 'NS007' });
    }
    for (const duty of ['support', 'compliance'] as const) {
      const other = await under(await database.makeOperator(duty), duty);
      await expect(other.query(ALONE)).rejects.toMatchObject({ code: 'NS004' });
      await expect(other.query('select ops.break_glass(30)')).rejects.toMatchObject({ code: '42501' });
    }
  });
});

describe('breaking the glass with an approval', () => {
  const request = (client: pg.Client, minutes: number) =>
    client.query<{ id: string }>(
      `select id from ops.request_approval('break_glass', ops.plan_break_glass($1), 'the provider is down', 'INC-2')`,
      [minutes],
    );
  const grant = async (id: string | undefined) => {
    const second = await under(database.operators[1]);
    await second.query(`select ops.decide_approval($1, 'granted', 'yes, go ahead please')`, [id]);
  };

  test('opens everything for up to 60 minutes, once, for the reason that was approved, and needs no review', async () => {
    const { client } = await admin();
    await expect(client.query('select ops.break_glass(60)')).rejects.toMatchObject({ code: 'NS008' });
    const { rows } = await request(client, 60);
    await expect(client.query('select ops.break_glass(60)')).rejects.toMatchObject({ code: 'NS008' });
    await grant(rows[0]?.id);
    await expect(client.query('select ops.break_glass(59)')).rejects.toMatchObject({ code: 'NS008' });
    const opened = await client.query<{ id: string }>('select id from ops.break_glass(60)');
    expect(await families(client)).toBe(1);
    await expect(client.query('select ops.break_glass(60)')).rejects.toMatchObject({ code: 'NS005' });
    const { rows: record } = await superuser.query(
      `select approval_id, review_due_at, reason, ticket, expires_at - opened_at > interval '59 minutes' as long
       from ops.access_grants where id = $1`,
      [opened.rows[0]?.id],
    );
    expect(record).toEqual([
      {
        approval_id: rows[0]?.id,
        review_due_at: null,
        reason: 'the provider is down',
        ticket: 'INC-2',
        long: true,
      },
    ]);
  });

  test('never opens more than an hour, in the transaction that opens it nothing', async () => {
    const { client } = await admin();
    await expect(client.query('select ops.plan_break_glass(61)')).rejects.toMatchObject({ code: 'NS007' });
    const { rows } = await client.query<{ id: string }>(
      `select id from ops.request_approval('break_glass', '{"do": "break the glass", "scope": "everything", "minutes": 480}',
         'the provider is down', 'INC-2')`,
    );
    await grant(rows[0]?.id);
    await expect(client.query('select ops.break_glass(480)')).rejects.toMatchObject({ code: 'NS007' });
    await grant((await request(client, 5)).rows[0]?.id);
    await client.query('begin');
    await client.query('select ops.break_glass(5)');
    expect(await families(client)).toBe(0);
    await client.query('commit');
    expect(await families(client)).toBe(1);
  });
});

describe('the review afterwards', () => {
  const review = (
    client: pg.Client,
    id: string,
    verdict = 'justified',
    note = 'spoken with them, all is well',
  ) => client.query('select * from ops.review_access($1, $2, $3)', [id, verdict, note]);
  const broken = async () => {
    const { client, target } = await admin();
    const { rows } = await client.query<{ id: string }>(ALONE);
    return { client, target, id: rows[0]?.id ?? '' };
  };

  test('is signed by somebody else once it has ended, and stays', async () => {
    const { client, target, id } = await broken();
    const second = await under(database.operators[1]);
    await expect(review(second, id)).rejects.toMatchObject({ code: 'NS005' });
    await client.query('select ops.close_access($1)', [id]);
    await expect(review(client, id)).rejects.toMatchObject({ code: 'NS004', message: /own/ });
    await expect(review(second, id, 'fine')).rejects.toMatchObject({ code: 'NS007' });
    await expect(review(second, id, 'justified', 'ok')).rejects.toMatchObject({ code: 'NS001' });
    expect((await review(second, id, 'not_justified')).rows).toMatchObject([
      { grant_id: id, operator: target.user, reviewer: 'dev.singh', duty: 'admin', verdict: 'not_justified' },
    ]);
    await expect(review(second, id)).rejects.toMatchObject({ code: 'NS005' });
    const { rows } = await superuser.query(
      `select session_login, duty, ticket from audit.events where table_name = 'ops.access_reviews' and new_row::jsonb ->> 'grant_id' = $1`,
      [id],
    );
    expect(rows).toEqual([{ session_login: 'dev.singh', duty: 'admin', ticket: 'INC-1' }]);
    const owner = await open(database.owner);
    clients.push(owner);
    for (const statement of [
      `update ops.access_reviews set verdict = 'justified'`,
      'delete from ops.access_reviews',
      'truncate ops.access_reviews',
      `insert into ops.access_reviews (grant_id, operator, reviewer, duty, verdict, note, reviewed_at)
         values ('${id}', 'x', 'dev.singh', 'admin', 'justified', 'a long enough note', now())`,
    ]) {
      await expect(owner.query(statement), statement).rejects.toMatchObject({ code: 'NS004' });
    }
    // The reviewed one sees the verdict, another operator of another duty nothing.
    expect((await client.query('select verdict from ops.access_reviews')).rows).toContainEqual({
      verdict: 'not_justified',
    });
    const support = await under(await database.makeOperator('support'), 'support');
    expect((await support.query('select verdict from ops.access_reviews')).rowCount).toBe(0);
  });

  test('is refused to fresh operators and to other duties, and is of nothing else', async () => {
    const { client, id } = await broken();
    await client.query('select ops.close_access($1)', [id]);
    const fresh = await admin(false);
    await expect(review(fresh.client, id)).rejects.toMatchObject({ code: 'NS004' });
    for (const duty of ['support', 'compliance', 'sre']) {
      await expect(review(await under(database.operators[1], duty), id), duty).rejects.toMatchObject({
        code: '42501',
      });
    }
    const { rows } = await client.query<{ id: string }>(
      `select id from ops.open_access('directory', 'caller lost their phone', 'SUP-1', 5)`,
    );
    const second = await under(database.operators[1], 'auditor');
    await expect(review(second, rows[0]?.id ?? '')).rejects.toMatchObject({ code: 'NS006' });
    await review(second, id);
  });
});
