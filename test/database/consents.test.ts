import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { withConnection } from '../../src/platform/database/connection.js';
import { type Duty, openSession, type Session } from '../../src/platform/database/session.js';
import { consentHistory, planWithdrawal, showConsents, withdrawConsent } from '../../src/privacy/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { asService, makeFamily, type SmallFamily } from '../support/small-world.js';

let database: TestDatabase;
let compliance: Session;
let family: SmallFamily;
let person: string;

const PURPOSE = { reason: 'her letter of 20 November', ticket: 'PRIV-7' };

async function staff(duty: Duty, purpose: { reason?: string; ticket?: string } = PURPOSE): Promise<Session> {
  return await openSession(await database.makeOperator(duty), { duty, ...purpose });
}
const open = (session: Session, scope: { family?: string; user?: string }) =>
  session.query(`select ops.open_access('read', $3, $4, 10, $1, $2)`, [
    scope.family ?? null,
    scope.user ?? null,
    PURPOSE.reason,
    PURPOSE.ticket,
  ]);

beforeAll(async () => {
  database = await createTestDatabase();
});
beforeEach(async () => {
  family = await makeFamily(database, { name: 'Tremblay' });
  person = family.core.id;
  compliance = await staff('compliance');
  await open(compliance, { user: person });
  return () => compliance.close();
});
afterAll(() => database?.drop());

interface Given {
  readonly status?: string;
  readonly version?: string;
  readonly granted?: string | null;
  readonly withdrawn?: string | null;
  readonly expires?: string | null;
}
async function give(type: string, given: Given = {}): Promise<string> {
  const id = randomUUID();
  const {
    status = 'granted',
    version = '2026-01',
    granted = '2026-02-01',
    withdrawn = null,
    expires = null,
  } = given;
  await asService(database, (service) =>
    service.query(
      `insert into public.consent_records (user_id, id, consent_type, status, consent_version, granted_at, withdrawn_at, expires_at, consent_method)
       values ($1, $2, $3, $4, $5, $6, $7, $8, 'app')`,
      [person, id, type, status, version, granted, withdrawn, expires],
    ),
  );
  return id;
}
const set = (column: string, on: boolean) =>
  asService(database, (service) =>
    service.query(`update public.users set ${column} = $2 where id = $1`, [person, on]),
  );
const standing = async (type: string) => {
  const found = (await showConsents(compliance, person)).find((one) => one.type === type);
  if (found === undefined) throw new Error(type);
  return found;
};
const records = () =>
  asService(database, (service) =>
    service.query<{ id: string; status: string; withdrawn: boolean }>(
      'select id, status, withdrawn_at is not null as withdrawn from public.consent_records where user_id = $1 order by created_at',
      [person],
    ),
  );

describe('a consent', () => {
  test('stands as its newest record says, and an end that has passed ends it', async () => {
    await give('marketing', { granted: '2025-01-01' });
    await give('marketing', { status: 'denied', granted: null });
    await give('analytics', { status: 'withdrawn', granted: '2025-01-01', withdrawn: '2025-06-01' });
    await give('analytics', { granted: '2026-01-01', version: '2026-02' });
    await give('cookies', { granted: '2025-01-01', expires: '2025-02-01' });
    expect((await standing('marketing')).status).toBe('denied');
    expect(await standing('analytics')).toMatchObject({
      status: 'granted',
      version: '2026-02',
      setting: false,
    });
    expect((await standing('cookies')).status).toBe('expired');
    expect((await standing('child_data')).status).toBe('none');
    expect((await standing('notifications')).status).toBe('none');
  });

  test('has resting on it what the data map says', async () => {
    const map = await compliance.query<{ name: string }>(
      `select distinct table_name as name from privacy.column_answers where purpose = 'analytics' and whose <> 'operational' order by 1`,
    );
    const { rests } = await standing('analytics');
    expect(rests.map(({ table }) => table)).toEqual(map.map(({ name }) => name));
    expect(rests.find(({ table }) => table === 'public.analytics_events')?.columns).toContain('properties');
    expect((await standing('data_sharing')).rests).toEqual([]);
  });

  test('of every kind that a record can have says what follows', async () => {
    const known = (await showConsents(compliance, person)).map(({ type }) => type as string);
    const [check] = await compliance.query<{ definition: string }>(
      `select pg_get_constraintdef(oid) as definition from pg_constraint where conname = 'consent_records_type'`,
    );
    const kinds = [...(check?.definition ?? '').matchAll(/'([a-z_]+)'/g)].map(([, kind]) => kind as string);
    expect(known.sort()).toEqual([...kinds, 'notifications'].sort());
  });
});

describe('withdrawing', () => {
  test('marks every record that says granted, deletes none, and turns off what the application goes by', async () => {
    await give('analytics', { granted: '2025-01-01', version: '2025-06' });
    await give('analytics');
    await give('marketing');
    await set('analytics_consent', true);
    await set('marketing_consent', true);
    const plan = await planWithdrawal(compliance, person, { type: 'analytics', how: 'letter' });
    expect(plan.before).toMatchObject({ status: 'granted', setting: true });
    expect((await records()).map(({ status }) => status)).toEqual(['granted', 'granted', 'granted']);
    expect(await withdrawConsent(compliance, plan)).toMatchObject({ status: 'withdrawn', setting: false });
    expect((await records()).map(({ status }) => status)).toEqual(['withdrawn', 'withdrawn', 'granted']);
    expect(await standing('marketing')).toMatchObject({ status: 'granted', setting: true });
    await expect(
      planWithdrawal(compliance, person, { type: 'analytics', how: 'letter' }),
    ).rejects.toMatchObject({ code: 'no_change', exitCode: 6 });
  });

  test('turns off a setting that was left on when the record was withdrawn', async () => {
    await give('data_sharing', { status: 'withdrawn', withdrawn: '2026-03-01' });
    await set('data_sharing_consent', true);
    const plan = await planWithdrawal(compliance, person, { type: 'data_sharing', how: 'telephone' });
    expect(await withdrawConsent(compliance, plan)).toMatchObject({ status: 'withdrawn', setting: false });
    expect((await standing('data_sharing')).withdrawn_at).toEqual(new Date('2026-03-01T00:00Z'));
  });

  test('of notifications closes every channel and forgets the devices', async () => {
    await asService(database, (service) =>
      service.query(
        `insert into public.notification_preferences (user_id, sms_enabled, device_tokens, consented_at) values ($1, true, '{token}', '2026-01-05')`,
        [person],
      ),
    );
    const plan = await planWithdrawal(compliance, person, { type: 'notifications', how: 'e-mail' });
    expect(await withdrawConsent(compliance, plan)).toMatchObject({ status: 'none', setting: false });
    const settings = await asService(database, (service) =>
      service.one(
        'select push_enabled, email_enabled, sms_enabled, device_tokens from public.notification_preferences where user_id = $1',
        [person],
      ),
    );
    expect(settings).toEqual({
      push_enabled: false,
      email_enabled: false,
      sms_enabled: false,
      device_tokens: [],
    });
    const { turns } = await consentHistory(compliance, person);
    expect(turns.map(({ type, status, duty }) => [type, status, duty])).toEqual([
      ['notifications', 'granted', null],
      ['notifications', 'withdrawn', 'compliance'],
    ]);
  });

  test('is refused once the consent is another than was shown', async () => {
    await give('marketing');
    const plan = await planWithdrawal(compliance, person, { type: 'marketing', how: 'letter' });
    await give('marketing', { granted: '2026-05-01', version: '2026-03' });
    await expect(withdrawConsent(compliance, plan)).rejects.toMatchObject({ code: 'conflict' });
    expect((await records()).map(({ status }) => status)).toEqual(['granted', 'granted']);
  });

  test('is for compliance alone, with a grant for the person, a reason and a ticket', async () => {
    await give('marketing');
    const { seen } = await standing('marketing');
    const call = (session: Session) =>
      session.query('select privacy.withdraw_consent($1, $2, $3, $4)', [person, 'marketing', 'letter', seen]);
    for (const duty of ['support', 'admin'] as const) {
      const session = await staff(duty);
      await open(session, { user: person });
      await expect(call(session), duty).rejects.toMatchObject({ kind: 'not_allowed' });
      await expect(showConsents(session, person), duty).rejects.toMatchObject({ kind: 'not_allowed' });
      await session.close();
    }
    const forFamily = await staff('compliance');
    await open(forFamily, { family: family.id });
    await expect(call(forFamily)).rejects.toMatchObject({ code: 'no_grant' });
    await expect(showConsents(forFamily, person)).rejects.toMatchObject({ code: 'no_grant' });
    await expect(consentHistory(forFamily, person)).rejects.toMatchObject({ code: 'no_grant' });
    await forFamily.close();
    const silent = await staff('compliance', {});
    await open(silent, { user: person });
    await silent.query(
      `select set_config('nestsync.reason', '', false), set_config('nestsync.ticket', '', false)`,
    );
    await expect(call(silent)).rejects.toMatchObject({ code: 'reason_missing' });
    await silent.close();
    await expect(
      compliance.query(`update public.consent_records set status = 'withdrawn', withdrawn_at = now()`),
    ).rejects.toMatchObject({ code: 'permission_denied' });
    expect((await records()).map(({ status }) => status)).toEqual(['granted']);
  });
});

describe('the history of consents', () => {
  test('tells who gave what, in which version, when and how, and who withdrew it and why', async () => {
    const id = await give('marketing', { version: '2025-06' });
    await give('analytics', { status: 'withdrawn', granted: '2025-01-01', withdrawn: '2025-06-01' });
    await withConnection(database.app, async (app) => {
      await app.query('set role authenticated');
      await app.query(`select set_config('request.jwt.claims', $1, false)`, [
        JSON.stringify({ sub: person }),
      ]);
      await app.query(
        `insert into public.consent_records (user_id, consent_type, status, consent_version, granted_at, consent_method) values ($1, 'cookies', 'granted', '2026-01', '2026-03-01', 'app')`,
        [person],
      );
    });
    const plan = await planWithdrawal(compliance, person, { type: 'marketing', how: 'in_person' });
    await withdrawConsent(compliance, plan);
    const { turns, lacks } = await consentHistory(compliance, person);
    expect(lacks).toBeUndefined();
    expect(turns.map(({ type, status, version, method }) => [type, status, version, method])).toEqual([
      ['analytics', 'granted', '2026-01', 'app'],
      ['analytics', 'withdrawn', '2026-01', null],
      ['marketing', 'granted', '2025-06', 'app'],
      ['cookies', 'granted', '2026-01', 'app'],
      ['marketing', 'withdrawn', '2025-06', 'in_person'],
    ]);
    expect(turns[3]).toMatchObject({ by: 'person', at: new Date('2026-03-01T00:00Z') });
    expect(turns[2]).toMatchObject({ by: database.service.user, record: id, duty: null });
    expect(turns[4]).toMatchObject({ record: id, duty: 'compliance', ...PURPOSE });
  });

  test('is a reading of the log, and is on record', async () => {
    await give('marketing');
    await consentHistory(compliance, person);
    const readings = await withConnection(database.owner, (owner) =>
      owner.query(`select kind, duty from audit.readings where user_id = $1`, [person]),
    );
    expect(readings).toEqual([{ kind: 'history', duty: 'compliance' }]);
  });
});
