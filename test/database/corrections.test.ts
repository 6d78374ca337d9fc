import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { withConnection } from '../../src/platform/database/connection.js';
import type { Duty } from '../../src/platform/database/duties.js';
import { openSession, type Session } from '../../src/platform/database/session.js';
import {
  type CorrectionWish,
  correct,
  openRequest,
  planCorrection,
  planNotice,
  planOpening,
  planStep,
  type RequestWish,
  recordNotice,
  type StepWish,
  showRequest,
  takeStep,
} from '../../src/privacy/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { asService, makeFamily, type SmallFamily } from '../support/small-world.js';

const REASON = 'a test of corrections';

let database: TestDatabase;
let officer: Session;
let family: SmallFamily;
let other: SmallFamily;

const sessionOf = async (duty: Duty) =>
  await openSession(await database.makeOperator(duty), { duty, reason: REASON });
const grant = (scope: { family?: string; user?: string }, session = officer) =>
  session.query(`select ops.open_access('read', $3, 'PRV-1', 60, $1, $2)`, [
    scope.family,
    scope.user,
    REASON,
  ]);

beforeAll(async () => {
  database = await createTestDatabase();
  officer = await sessionOf('compliance');
  other = await makeFamily(database, { name: 'Roy' });
});
beforeEach(async () => {
  family = await makeFamily(database, { name: 'Tremblay', notes: 'wet' });
  await asService(database, async (service) => {
    await service.query(`update public.users set first_name = 'Marie', last_name = 'Roi' where id = $1`, [
      family.gran.id,
    ]);
  });
  await grant({ user: family.gran.id });
});
afterAll(async () => {
  await officer?.close();
  await database?.drop();
});

const VERIFIED: StepWish = { verb: 'verify-identity', method: 'signed_in', passed: true };
const fulfilled = (): StepWish => ({ verb: 'fulfil', told: 'it is corrected', answered_at: new Date() });
const step = async (number: string, wish: StepWish) =>
  await takeStep(officer, await planStep(officer, number, () => wish));
async function request(more: Partial<RequestWish> = {}, verified = true): Promise<string> {
  const { number } = await openRequest(
    officer,
    await planOpening(officer, {
      ...{ regime: 'pipeda', kind: 'correction', asks: 'my name is Roy', channel: 'mail', requester: 'self' },
      subject: { kind: 'user', id: family.gran.id },
      received: () => new Date(),
      ...more,
    }),
  );
  if (verified) await step(number, VERIFIED);
  return number;
}
const wishOf = (number: string, more: Partial<CorrectionWish> = {}): CorrectionWish => ({
  ...{ number, table: 'public.users', row: family.gran.id, column: 'last_name', how: { amend: 'Roy' } },
  ...more,
});
const planned = (number: string, more: Partial<CorrectionWish> = {}) =>
  planCorrection(officer, wishOf(number, more));
const lastName = async (id = family.gran.id) =>
  await asService(database, async (service) => {
    const [row] = await service.query<{ last_name: string | null }>(
      `select last_name from public.users where id = $1`,
      [id],
    );
    return row?.last_name;
  });

test('a value is amended, logged with its reason, and whoever has it is told before the request is fulfilled', async () => {
  const number = await request();
  const plan = await planned(number);
  expect(plan).toMatchObject({ outcome: 'amended', was: 'Roi', becomes: 'Roy', recipients: ['payments'] });
  expect(await lastName()).toBe('Roi');
  expect(await correct(officer, plan)).toMatchObject({ outcome: 'amended', recipients: ['payments'] });
  expect(await lastName()).toBe('Roy');
  const [event] = await withConnection(database.owner, (owner) =>
    owner.query<{ reason: string; new_name: string; old_name: string }>(
      `select reason, new_row ->> 'last_name' as new_name, old_row ->> 'last_name' as old_name
       from audit.events where table_name = 'public.users' and record_id = $1 order by id desc limit 1`,
      [family.gran.id],
    ),
  );
  expect(event).toEqual({ reason: REASON, new_name: 'Roy', old_name: 'Roi' });
  await expect(planned(number)).rejects.toMatchObject({ code: 'nothing_to_correct' });

  await expect(step(number, fulfilled())).rejects.toMatchObject({
    message: expect.stringContaining('ayments must be told of it first'),
    next: `nestctl request notify ${number} --recipient payments`,
  });
  expect((await showRequest(officer, number)).next).toBe(
    `nestctl request notify ${number} --recipient payments`,
  );
  await expect(planNotice(officer, number, { recipient: 'sms' })).rejects.toMatchObject({
    code: 'nobody_to_tell',
    hint: 'These do: payments.',
  });
  await recordNotice(officer, await planNotice(officer, number, { recipient: 'payments' }));
  expect(await step(number, fulfilled())).toMatchObject({ state: 'fulfilled' });
  expect((await showRequest(officer, number)).steps.map((one) => one.step)).toEqual([
    'opened',
    'identity_checked',
    'amended',
    'notified',
    'fulfilled',
  ]);
});

test('what stays is noted with the disagreement; who is not told has a reason', async () => {
  const number = await request();
  await expect(step(number, fulfilled())).rejects.toMatchObject({
    next: `nestctl request correct ${number}`,
  });
  const plan = await planned(number, { how: { annotate: 'my name was never Roi' } });
  expect(plan).toMatchObject({ outcome: 'annotated', was: 'Roi', becomes: 'Roi' });
  await correct(officer, plan);
  expect(await lastName()).toBe('Roi');
  const notices = await recordNotice(
    officer,
    await planNotice(officer, number, { recipient: 'payments', why_not: 'nothing was ever charged' }),
  );
  expect(notices).toEqual([{ recipient: 'payments', told_on: null, why_not: 'nothing was ever charged' }]);
  expect(await step(number, fulfilled())).toMatchObject({ state: 'fulfilled' });
});

test('nobody else’s row, no key, no inference, no other request, no unverified one, and nothing without a grant', async () => {
  const number = await request();
  const refused = async (more: Partial<CorrectionWish>, message: RegExp) =>
    await expect(planned(number, more)).rejects.toThrow(message);
  await refused({ row: other.gran.id }, /o row .* is of this person/);
  await refused({ row: family.core.id }, /o row .* is of this person/);
  await refused({ column: 'id' }, /is not of this person|tells rows apart/);
  await refused({ column: 'email' }, /tells rows apart/);
  await refused({ column: 'no_such' }, /here is no column/);
  await refused({ table: 'public.no_such' }, /here is no column/);
  await refused({ table: 'privacy.requests', column: 'asks' }, /o row|is not of this person/);
  await refused({ table: 'public.children', row: family.child, column: 'name' }, /is not of this person/);
  await refused({ table: 'public.families', row: family.id, column: 'name' }, /is not of this person/);
  await refused({ column: 'last_login_ip', how: { amend: 'no address' } }, /hat is no value|is not of this/);
  await refused({ table: `public.users; drop table public.users; --` }, /here is no column/);
  const access = await request({ kind: 'access' });
  await expect(planned(access)).rejects.toMatchObject({ code: 'not_a_correction' });
  const unverified = await request({ kind: 'correction', duplicate_of: number }, false);
  await expect(planned(unverified)).rejects.toMatchObject({ code: 'identity_not_verified' });

  const stranger = await sessionOf('compliance');
  const byHand = (session: Session, was = 'Roi', of = number) =>
    session.query(
      `select privacy.correct($1, (select xmin::text from privacy.requests where number = $1), 'public.users', $2, 'last_name', 'amended', $3, 'Roy', null)`,
      [of, family.gran.id, was],
    );
  await expect(byHand(stranger)).rejects.toThrow(/o live access grant/);
  await expect(byHand(officer, 'Roi', unverified)).rejects.toThrow(/before the identity is verified/);
  await expect(byHand(officer, 'Roi', access)).rejects.toThrow(/not for a correction/);
  await expect(byHand(officer, 'Ray')).rejects.toThrow(/has changed since/);
  await stranger.close();
  for (const duty of ['support', 'sre', 'auditor', 'admin'] as const) {
    const session = await sessionOf(duty);
    await expect(byHand(session)).rejects.toThrow(/may not do this/);
    await session.close();
  }
  expect(await lastName()).toBe('Roi');
});

test('a child’s row is corrected for the child, of no other child, and keeps to its rules', async () => {
  await grant({ family: family.id });
  const number = await request(
    {
      subject: { kind: 'child', id: family.child, family: family.id },
      ...{ requester: 'representative', requester_name: 'Me Roy', language: 'fr' },
    },
    false,
  );
  await step(number, { ...VERIFIED, authority: 'mandate' } as StepWish);
  const child = (more: Partial<CorrectionWish> = {}) =>
    planned(number, {
      table: 'public.children',
      row: family.child,
      column: 'name',
      how: { amend: 'Léo' },
      ...more,
    });
  await expect(child({ row: other.child })).rejects.toThrow(/o row .* is of this person/);
  await expect(child({ column: 'date_of_birth', how: { amend: '2025-02-30' } })).rejects.toThrow(
    /hat is no value/,
  );
  const plan = await child();
  expect(plan.was).toBe('Léa');
  await correct(officer, plan);
  expect(
    await asService(database, async (service) => {
      const rows = await service.query<{ name: string }>(
        'select name from public.children where id = any ($1)',
        [[family.child, other.child]],
      );
      return rows.map(({ name }) => name).sort();
    }),
  ).toEqual(['Léa', 'Léo']);
});

test('what was corrected never changes, but that its words are taken out', async () => {
  const number = await request();
  const { id } = await correct(
    officer,
    await planned(number, { how: { amend: null, note: 'no last name' } }),
  );
  expect(await lastName()).toBeNull();
  await withConnection(database.owner, async (owner) => {
    for (const set of [`outcome = 'annotated'`, `note = 'another'`, `recipients = '{}'`])
      await expect(owner.query(`update privacy.corrections set ${set} where id = $1`, [id])).rejects.toThrow(
        /never changes/,
      );
    await expect(owner.query('delete from privacy.corrections')).rejects.toThrow();
    await owner.query('update privacy.corrections set note = null, reason = null where id = $1', [id]);
    await expect(
      owner.query(`update privacy.corrections set note = 'again' where id = $1`, [id]),
    ).rejects.toThrow(/never changes/);
    await expect(owner.query(`delete from privacy.recipient_columns`)).rejects.toThrow();
  });
});
