import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { withConnection } from '../../src/platform/database/connection.js';
import type { Duty } from '../../src/platform/database/duties.js';
import { openSession, type Session } from '../../src/platform/database/session.js';
import {
  closeComplaint,
  openRequest,
  planClosing,
  planComplaint,
  planOpening,
  planStep,
  type RequestWish,
  recordComplaint,
  type StepWish,
  showRequest,
  takeStep,
} from '../../src/privacy/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { seniors } from '../support/old-events.js';
import { makeFamily, type SmallFamily } from '../support/small-world.js';

const DAY = 86_400_000;

let database: TestDatabase;
let officer: Session;
let approver: Session;
let family: SmallFamily;

const sessionOf = async (duty: Duty, reason: string | undefined = 'a test of complaints') => {
  const target = await database.makeOperator(duty);
  await withConnection(database.superuser, (superuser) => seniors(superuser, target.user));
  return await openSession(target, { duty, reason });
};

beforeAll(async () => {
  database = await createTestDatabase();
  officer = await sessionOf('compliance');
  approver = await sessionOf('compliance');
});
beforeEach(async () => {
  family = await makeFamily(database, { name: 'Tremblay' });
  await officer.query(`select ops.open_access('read', 'a test of complaints', 'PRV-1', 60, null, $1)`, [
    family.gran.id,
  ]);
});
afterAll(async () => {
  await officer?.close();
  await approver?.close();
  await database?.drop();
});

const opened = async (kind: RequestWish['kind'], received: Date = new Date(Date.now() - 10 * DAY)) =>
  await openRequest(
    officer,
    await planOpening(officer, {
      ...{ regime: 'pipeda', kind, asks: 'all of it', channel: 'mail', requester: 'self' },
      subject: { kind: 'user', id: family.gran.id },
      received: () => received,
    }),
  );
const step = async (number: string, wish: StepWish) =>
  await takeStep(officer, await planStep(officer, number, () => wish));
const VERIFIED: StepWish = { verb: 'verify-identity', method: 'signed_in', passed: true };
const fulfil = async (number: string) => {
  await step(number, VERIFIED);
  await step(number, { verb: 'fulfil', told: 'a package', answered_at: new Date() });
};
const REFUSED: StepWish = {
  ...{ verb: 'refuse', code: 'no_match', told: 'nothing is held', recourse_told: true },
  answered_at: new Date(),
};
const complain = async (number: string, body: 'commissioner' | 'cai' | 'court' | 'organization') =>
  await recordComplaint(officer, await planComplaint(officer, { number, body }));
const holds = async (person = family.gran.id, families: readonly string[] = []) =>
  (
    await officer.query<{ number: string; why: string; until: string | null }>(
      'select h.number, h.why, h.until from privacy.holds($1, $2) h',
      [person, families],
    )
  ).map(({ number, why, until }) => [number, why, until]);

/** As privacy erases somebody: approved, then in the transaction that uses the approval up. */
async function erase(person: string, families: readonly string[] = []): Promise<void> {
  const plan = { request: `PR-${randomUUID()}`, person, families };
  const { id } = await officer.one<{ id: string }>(
    `select id from ops.request_approval('erasure', $1, 'a request for erasure', 'PRIV-1')`,
    [plan],
  );
  await approver.query(`select ops.decide_approval($1, 'granted', 'checked the identity')`, [id]);
  await officer.transaction(async () => {
    await officer.query(`select e.events from ops.use_approval('erasure', $1) u, audit.erase_subject(u) e`, [
      plan,
    ]);
  });
}

test('what somebody asks to see is held until it is answered in time, and a refusal holds it until nobody can be asked', async () => {
  const { number } = await opened('access');
  expect(await holds()).toEqual([[number, 'request', null]]);
  expect(await holds(family.core.id)).toEqual([]);
  await expect(erase(family.gran.id)).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining(`equest ${number} holds what would be erased`),
    next: `nestctl request show ${number}`,
  });
  await fulfil(number);
  expect(await holds()).toEqual([]);
  await erase(family.gran.id);

  family = await makeFamily(database, { name: 'Roy' });
  await officer.query(`select ops.open_access('read', 'a test of complaints', 'PRV-1', 60, null, $1)`, [
    family.gran.id,
  ]);
  const refused = await opened('correction');
  const { recourse_until } = await step(refused.number, REFUSED);
  expect(await holds()).toEqual([[refused.number, 'recourse', recourse_until]]);
  await expect(erase(family.gran.id)).rejects.toMatchObject({
    message: expect.stringContaining(String(recourse_until)),
  });
});

test('what is asked to be deleted is held by no request, but by a complaint', async () => {
  const { number } = await opened('deletion');
  expect(await holds()).toEqual([]);
  await step(number, REFUSED);
  expect(await holds()).toEqual([]);
  await complain(number, 'commissioner');
  expect(await holds()).toEqual([[number, 'complaint', null]]);
  await expect(erase(family.gran.id)).rejects.toMatchObject({
    message: expect.stringContaining(`equest ${number} holds`),
  });
});

test('a complaint opens once a body, closes once, and holds for the year in which a court can be asked', async () => {
  const { number } = await opened('access');
  await fulfil(number);
  await complain(number, 'commissioner');
  await expect(complain(number, 'commissioner')).rejects.toMatchObject({ code: 'complaint_open' });
  await complain(number, 'organization');
  expect((await showRequest(officer, number)).holds).toEqual([{ why: 'complaint', until: null }]);
  const close = { number, body: 'commissioner', outcome: 'not_well_founded' } as const;
  await expect(planClosing(officer, { ...close, closed_on: '2020-01-01' })).rejects.toMatchObject({
    code: 'wrong_day',
  });
  await expect(planClosing(officer, { ...close, recourse_until: '2026-12-01' })).rejects.toMatchObject({
    code: 'recourse_too_early',
  });
  const plan = await planClosing(officer, close);
  expect(plan).toMatchObject({ recourse_to: 'the Federal Court', law: 'PIPEDA s. 14(2)' });
  const days = (Date.parse(plan.recourse_until as string) - Date.parse(plan.closed_on)) / DAY;
  expect(days).toBeGreaterThanOrEqual(365);
  expect(days).toBeLessThanOrEqual(369);
  const closed = await closeComplaint(officer, plan);
  expect(closed).toMatchObject({ outcome: 'not_well_founded', recourse_until: plan.recourse_until });
  await expect(closeComplaint(officer, plan)).rejects.toMatchObject({ kind: 'not_found' });
  await closeComplaint(
    officer,
    await planClosing(officer, { number, body: 'organization', outcome: 'resolved' }),
  );
  const file = await showRequest(officer, number);
  expect(file.holds).toEqual([{ why: 'complaint_recourse', until: plan.recourse_until }]);
  expect(file.complaints.map(({ body, outcome }) => [body, outcome])).toEqual([
    ['commissioner', 'not_well_founded'],
    ['organization', 'resolved'],
  ]);
});

test('the request of a child, or of an emergency contact, holds the family that holds their rows', async () => {
  await officer.query(`select ops.open_access('read', 'a test of complaints', 'PRV-1', 60, $1)`, [family.id]);
  const { number } = await openRequest(
    officer,
    await planOpening(officer, {
      ...{
        regime: 'pipeda',
        kind: 'access',
        asks: 'all of it',
        channel: 'mail',
        requester: 'representative',
      },
      subject: { kind: 'child', id: family.child, family: family.id },
      requester_name: 'Me Roy',
      language: 'fr',
      received: () => new Date(),
    }),
  );
  expect(await holds(family.core.id)).toEqual([]);
  expect(await holds(family.core.id, [family.id])).toEqual([[number, 'request', null]]);
  await expect(erase(family.core.id, [family.id])).rejects.toMatchObject({
    message: expect.stringContaining(`equest ${number} holds`),
  });
});

test('hand-written SQL opens no complaint under another duty, without a reason, or before the request, and changes none', async () => {
  const { number } = await opened('access');
  for (const duty of ['support', 'sre', 'auditor', 'admin'] as const) {
    const other = await sessionOf(duty);
    await expect(
      other.query(`select privacy.open_complaint($1, 'court', null, current_date)`, [number]),
    ).rejects.toThrow(/may not do this/);
    await other.close();
  }
  const silent = await sessionOf('compliance', '');
  await expect(
    silent.query(`select privacy.open_complaint($1, 'court', null, current_date)`, [number]),
  ).rejects.toThrow();
  await silent.close();
  for (const day of ['2020-01-01', '2999-01-01'])
    await expect(
      officer.query(`select privacy.open_complaint($1, 'court', null, $2)`, [number, day]),
    ).rejects.toMatchObject({ message: expect.stringContaining('between the receipt') });
  const { id } = await complain(number, 'commissioner');
  const closing = (until: string | null) =>
    officer.query(
      `select privacy.close_complaint($1, 'commissioner', 'resolved', (now() at time zone r.zone)::date, $2) from privacy.requests r where r.number = $1`,
      [number, until],
    );
  await expect(closing(null)).rejects.toThrow(/complaints_recourse/);
  await expect(closing('2026-12-31')).rejects.toThrow(/complaints_recourse/);
  await withConnection(database.owner, async (owner) => {
    for (const set of [
      `body = 'cai'`,
      `made_on = made_on - 1`,
      `user_id = null`,
      `reason = 'another reason'`,
    ])
      await expect(
        owner.query(`update privacy.complaints set ${set} where id = $1`, [id]),
      ).rejects.toMatchObject({ message: expect.stringContaining('never changes') });
    await expect(owner.query('delete from privacy.complaints')).rejects.toThrow();
    await expect(owner.query('truncate privacy.complaints')).rejects.toThrow();
    // What may name somebody goes with an erasure.
    await owner.query('update privacy.complaints set reason = null, reference = null where id = $1', [id]);
  });
});
