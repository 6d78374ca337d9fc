import { afterAll, beforeAll, expect, test } from 'vitest';
import { withConnection } from '../../src/platform/database/connection.js';
import { openSession, type Session } from '../../src/platform/database/session.js';
import { privacyJobs } from '../../src/privacy/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { makeOfficers, unguarded } from '../support/erasures.js';
import { asCompliance } from '../support/packages.js';
import { asService, makeFamily, type SmallFamily } from '../support/small-world.js';

let database: TestDatabase;
let sre: Session;
beforeAll(async () => {
  database = await createTestDatabase();
  sre = await openSession(await database.makeOperator('sre'), {
    ...{ duty: 'sre', reason: 'maintenance of this night', ticket: 'OPS-1' },
  });
});
afterAll(async () => {
  await sre?.close();
  await database?.drop();
});

const query = <Row extends object>(statement: string, values: unknown[] = []) =>
  withConnection(database.superuser, (connection) => connection.query<Row>(statement, values));

/** One row of each kind that began so long ago, and is over. */
async function rowsFrom({ id, child, core }: SmallFamily, ago: string): Promise<void> {
  const at = `now() - interval '${ago}'`;
  await asService(database, async (connection) => {
    for (const statement of [
      `insert into public.notification_logs (user_id, notification_type, channel, title, message, sent_at, created_at) values ('${core.id}', 'reorder', 'push', 'soon', 'words of ${ago}', ${at}, ${at})`,
      `insert into public.analytics_events (family_id, event_type, occurred_at) values ('${id}', 'opened', ${at})`,
      `insert into public.usage_analytics (family_id, child_id, period, period_start) values ('${id}', '${child}', 'day', (${at})::date)`,
      `insert into public.family_invitations (family_id, email, role, token_hash, status, created_at, expires_at) values ('${id}', 'aunt-${ago.replace(/\W/g, '')}@example.ca', 'professional', sha256('${id}${ago}'), 'expired', ${at} - interval '7 days', ${at})`,
      `insert into public.consent_records (user_id, consent_type, status, consent_version, granted_at, withdrawn_at) values ('${core.id}', 'marketing', 'withdrawn', '1', ${at} - interval '1 day', ${at})`,
      `insert into public.subscriptions (user_id, plan, status, province, started_at, ended_at) values ('${core.id}', 'family', 'canceled', 'QC', ${at} - interval '1 day', ${at})`,
    ])
      await connection.query(statement);
  });
}

const TABLES = [
  'analytics_events',
  'consent_records',
  'family_invitations',
  'notification_logs',
  'subscriptions',
  'usage_analytics',
];

const left = async ({ id, core }: SmallFamily) =>
  Object.fromEntries(
    await Promise.all(
      TABLES.map(async (table): Promise<[string, number]> => {
        const whose = ['analytics_events', 'usage_analytics', 'family_invitations'].includes(table);
        const rows = await query(
          `select from public.${table} where ${whose ? 'family_id' : 'user_id'} = '${whose ? id : core.id}'`,
        );
        return [table, rows.length];
      }),
    ),
  );

const each = (count: number) => Object.fromEntries(TABLES.map((table) => [table, count]));

async function run() {
  const job = privacyJobs.find(({ name }) => name === 'retention');
  if (job?.run === undefined) throw new Error('there is no such job');
  return await job.run({ session: sre, context: {} as never, signal: new AbortController().signal });
}

test('what is over its time goes, each kind at its own, and nothing before', async () => {
  const family = await makeFamily(database, { name: 'Ouellet' });
  for (const ago of ['100 days', '400 days', '800 days', '2600 days']) await rowsFrom(family, ago);
  expect(await left(family)).toEqual(each(4));
  const { outcome, counts } = await run();
  // 90 days, 1 year, 2 years and 7 years.
  const expected = {
    ...{ family_invitations: 0, notification_logs: 1, analytics_events: 2, usage_analytics: 2 },
    ...{ consent_records: 3, subscriptions: 3 },
  };
  expect(await left(family)).toEqual(expected);
  expect([outcome, counts]).toEqual([
    'done',
    {
      ...{ 'public.family_invitations': 4, 'public.notification_logs': 3, 'public.analytics_events': 2 },
      ...{ 'public.usage_analytics': 2, 'public.consent_records': 1, 'public.subscriptions': 1, held: 0 },
    },
  ]);
  expect((await run()).detail).toBe('no row is over their time');
  expect(await left(family)).toEqual(expected);
});

test('what has not ended stays, however old: a running subscription, a consent in force, an invitation that waits', async () => {
  const family = await makeFamily(database, { name: 'Gagnon' });
  await asService(database, async (connection) => {
    await connection.query(
      `insert into public.subscriptions (user_id, plan, status, province, started_at) values ($1, 'family', 'active', 'QC', now() - interval '9 years')`,
      [family.core.id],
    );
    await connection.query(
      `insert into public.consent_records (user_id, consent_type, status, consent_version, granted_at) values ($1, 'analytics', 'granted', '1', now() - interval '9 years')`,
      [family.core.id],
    );
    await connection.query(
      `insert into public.family_invitations (family_id, email, role, token_hash, created_at, expires_at) values ($1, 'late@example.ca', 'professional', sha256('x'), now() - interval '9 years', now() - interval '8 years')`,
      [family.id],
    );
  });
  await run();
  expect(await left(family)).toMatchObject({
    ...{ subscriptions: 1, consent_records: 1, family_invitations: 1 },
  });
});

test('a hold preserves it, of the person and of the families they are in, until it ends', async () => {
  const held = await makeFamily(database, { name: 'Roy' });
  const other = await makeFamily(database, { name: 'Lavoie' });
  await rowsFrom(held, '3000 days');
  await rowsFrom(other, '3000 days');
  const [officer] = await makeOfficers(database);
  const number = await asCompliance(officer, held.core.id, async (session) => {
    const { hold } = await session.one<{ hold: string }>(
      `select privacy.place_hold($1, null, null, 'litigation', 'a dispute', null, (now() + interval '90 days')::date) as hold`,
      [held.core.id],
    );
    return hold;
  });
  const { detail } = await run();
  expect(detail).toContain('6 more are preserved');
  expect([await left(held), await left(other)]).toEqual([each(1), each(0)]);
  await asCompliance(officer, held.core.id, (session) =>
    session.query('select privacy.release_hold($1)', [number]),
  );
  await run();
  expect(await left(held)).toEqual(each(0));
});

test('the log says which rows went, once and without what they held; it verifies, and the tables agree with it', async () => {
  const family = await makeFamily(database, { name: 'Morin' });
  await rowsFrom(family, '3000 days');
  await run();
  const events = await query<Record<string, unknown>>(
    `select e.table_name, e.record_id is not null as known, e.old_row is null as bare, audit.leaf_of(e) = e.leaf as sound
     from audit.events e where e.operation = 'DELETE' and (e.family_id = $1 or e.subject_user = $2) order by 1`,
    [family.id, family.core.id],
  );
  expect(events).toEqual(
    TABLES.map((table) => ({ table_name: `public.${table}`, known: true, bare: true, sound: true })),
  );
  const auditor = await openSession(await database.makeOperator('auditor'), { duty: 'auditor' });
  try {
    for (const table of TABLES) {
      const { faults } = await auditor.one<{ faults: number }>(
        `select (audit.coverage('public.${table}'::regclass)).faults::int as faults`,
      );
      expect([table, faults]).toEqual([table, 0]);
    }
  } finally {
    await auditor.close();
  }
});

test('batch by batch, each a transaction with its record', async () => {
  const family = await makeFamily(database, { name: 'Fortin' });
  await unguarded(database, (connection) =>
    connection.query(
      `insert into public.analytics_events (family_id, event_type, occurred_at) select $1, 'opened', now() - interval '3 years' from generate_series(1, 25)`,
      [family.id],
    ),
  );
  const batches = [];
  for (let at = 0; at < 4; at += 1)
    batches.push(
      (await sre.one<{ n: number }>(`select ops.retain_batch('public.analytics_events', 10) as n`)).n,
    );
  expect(batches).toEqual([10, 10, 5, 0]);
  const [record] = await query<{ rows: number; xids: number }>(
    `select sum(rows)::int as rows, count(distinct xid)::int as xids from privacy.retention_batches where table_name = 'public.analytics_events' and rows in (10, 5)`,
  );
  expect(record).toEqual({ rows: 25, xids: 3 });
});

test('nobody else starts it, of no other table, and its rules are nobody’s to change', async () => {
  await expect(sre.query(`select ops.retain_batch('public.users', 10)`)).rejects.toThrow(/No rule/);
  const support = await openSession(await database.makeOperator('support'), { duty: 'support' });
  try {
    await expect(support.query(`select ops.retain_batch('public.analytics_events', 10)`)).rejects.toThrow();
  } finally {
    await support.close();
  }
  await expect(
    withConnection(database.owner, (owner) =>
      owner.query(`update privacy.retention_rules set begins_at = 'x.created_at'`),
    ),
  ).rejects.toThrow(/migration/);
});
