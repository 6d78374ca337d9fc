import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withConnection } from '../../src/platform/database/connection.js';
import { openSession, type Session } from '../../src/platform/database/session.js';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import { fileIdle } from '../../src/privacy/retention/file-idle.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import {
  approveErasure,
  begin,
  eraseAll,
  letTimePass,
  makeOfficers,
  schedule,
  unguarded,
} from '../support/erasures.js';
import { asCompliance } from '../support/packages.js';

let database: TestDatabase;
let officer: ConnectionTarget;
let second: ConnectionTarget;
let admin: Session;
beforeAll(async () => {
  database = await createTestDatabase();
  [officer, second] = await makeOfficers(database);
  // One login that holds both duties, as maintenance wants.
  await withConnection(database.superuser, (connection) =>
    connection.query(`set session_replication_role = replica;
      insert into ops.operator_duties (login, duty, granted_by) values ('${officer.user}', 'sre', 'camille.roy');
      grant nestsync_sre to ${officer.user} with inherit false`),
  );
  admin = await openSession(officer, { duty: 'sre', reason: 'maintenance of this night', ticket: 'OPS-1' });
});
afterAll(async () => {
  await admin?.close();
  await database?.drop();
});

/** An account, last used and made so long ago. */
async function account(ago: string, more: Readonly<Record<string, string>> = {}): Promise<string> {
  const id = randomUUID();
  const columns = {
    ...{ status: `'active'`, last_login_at: `now() - interval '${ago}'`, display_name: `'Nobody'` },
    ...more,
  };
  await unguarded(database, (connection) =>
    connection.query(
      `insert into public.users (id, email, created_at, privacy_policy_accepted_at, terms_of_service_accepted_at, ${Object.keys(columns).join(', ')})
       values ($1, $2, now() - interval '10 years', now(), now(), ${Object.values(columns).join(', ')})`,
      [id, `idle-${id}@example.ca`],
    ),
  );
  return id;
}

const requestOf = (person: string) =>
  withConnection(database.superuser, (connection) =>
    connection.query<{ number: string; regime: string; requester: string; state: string }>(
      'select number, regime, requester, state from privacy.requests where user_id = $1',
      [person],
    ),
  );
const run = () => fileIdle(admin, new AbortController().signal);

test('only accounts whose time is over are filed, once, and what is held or unknown is told', async () => {
  const over = await account('4 years');
  const quebec = await account('4 years', { province: `'QC'` });
  const unconfirmed = await account('4 years', { status: `'pending_verification'`, last_login_at: 'null' });
  const held = await account('4 years');
  const others = await Promise.all([
    account('35 months'),
    account('4 years', { retention_date: 'current_date + 2' }),
    account('4 years', { last_login_at: 'null' }),
    account('4 years', { status: `'pending_deletion'` }),
    account('4 years').then(async (id) => {
      await unguarded(database, (connection) =>
        connection.query(
          `insert into public.subscriptions (user_id, plan, status, province) values ($1, 'family', 'past_due', 'QC')`,
          [id],
        ),
      );
      return id;
    }),
  ]);
  await asCompliance(officer, held, (session) =>
    session.query(`select privacy.place_hold($1, null, null, 'litigation', 'M', 'C-1', current_date + 90)`, [
      held,
    ]),
  );
  expect(await run()).toMatchObject({
    outcome: 'finding',
    counts: { due: 0, filed: 3, held: 1, unknown: 1 },
  });
  const filed = { requester: 'organization', state: 'open' };
  expect(await requestOf(over)).toMatchObject([{ ...filed, regime: 'pipeda' }]);
  expect(await requestOf(quebec)).toMatchObject([{ ...filed, regime: 'law25' }]);
  expect(await requestOf(unconfirmed)).toMatchObject([filed]);
  for (const id of [held, ...others]) expect(await requestOf(id), id).toEqual([]);
  const again = await run();
  expect([again.outcome, again.counts?.filed]).toEqual(['finding', 3]);
  expect(again.detail).toMatch(/3 wait to be scheduled.*nobody knows.*1 more are held/);
  expect(await requestOf(over)).toHaveLength(1);
});

test('nobody files another account so by hand, nor asks for anything else in our name', async () => {
  const used = await account('2 years');
  const over = await account('4 years');
  await asCompliance(officer, over, async (session) => {
    const file = (id: string, kind: string, more: object = {}) =>
      session.query('select privacy.open_request($1::jsonb)', [
        JSON.stringify({
          ...{
            regime: 'pipeda',
            kind,
            subject_kind: 'user',
            user_id: id,
            requester: 'organization',
            asks: 'go',
          },
          ...{
            channel: 'own_motion',
            received_at: '2026-01-05T15:00:00Z',
            zone: 'America/Toronto',
            language: 'en',
          },
          ...{
            limit_on: '2026-02-04',
            due_on: '2026-02-04',
            due_before: '2026-02-05T05:00:00Z',
            recourse_until: '2026-08-04',
          },
          ...more,
        }),
      ]);
    await expect(file(used, 'deletion')).rejects.toMatchObject({
      message: expect.stringContaining('time is over'),
    });
    await expect(file(over, 'access')).rejects.toThrow();
    await expect(file(over, 'deletion', { channel: 'mail' })).rejects.toThrow();
    await expect(file(over, 'deletion', { requester_name: 'Somebody' })).rejects.toThrow();
    await file(over, 'deletion');
  });
});

test('it goes the way of any other request; whoever signs in again stops it', async () => {
  const [gone, back] = [await account('4 years'), await account('5 years')];
  await run();
  const [[going], [staying]] = [await requestOf(gone), await requestOf(back)];
  for (const [person, request] of [
    [gone, going],
    [back, staying],
  ] as const)
    await asCompliance(officer, person, async (session) => {
      const number = request?.number as string;
      await expect(schedule(session, number)).rejects.toThrow();
      await approveErasure(session, second, number);
      if (person === back) {
        await unguarded(database, (connection) =>
          connection.query('update public.users set last_login_at = now() where id = $1', [back]),
        );
        await expect(schedule(session, number)).rejects.toMatchObject({
          message: expect.stringContaining('time is not over'),
        });
        return;
      }
      await schedule(session, number);
      await letTimePass(database, number);
      await begin(session, number);
      await eraseAll(session, number);
    });
  const emails = await withConnection(database.superuser, (connection) =>
    connection.query<{ email: string }>('select email from public.users where id = any ($1) order by email', [
      [gone, back],
    ]),
  );
  expect(emails.filter(({ email }) => email.includes('@example.ca'))).toEqual([
    { email: `idle-${back}@example.ca` },
  ]);
});

test('without the duty compliance it tells what there is', async () => {
  const { counts: before } = await run();
  await account('4 years');
  const sre = await openSession(await database.makeOperator('sre'), {
    ...{ duty: 'sre', reason: 'maintenance of this night', ticket: 'OPS-1' },
  });
  try {
    const result = await fileIdle(sre, new AbortController().signal);
    expect(result).toMatchObject({ outcome: 'finding', counts: { due: Number(before?.due) + 1 } });
    expect(result.detail).toContain('does not hold the duty compliance');
  } finally {
    await sre.close();
  }
});
