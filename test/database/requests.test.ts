import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { withConnection } from '../../src/platform/database/connection.js';
import type { Duty } from '../../src/platform/database/duties.js';
import { openSession, type Session } from '../../src/platform/database/session.js';
import {
  type DataRequest,
  listRequests,
  openRequest,
  planOpening,
  planStep,
  privacyJobs,
  type RequestWish,
  readRequest,
  type StepWish,
  showRequest,
  takeStep,
} from '../../src/privacy/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { makeFamily, type SmallFamily } from '../support/small-world.js';

const DAY = 86_400_000;
const REASON = 'a test of requests';

let database: TestDatabase;
let officer: Session;
let family: SmallFamily;

const sessionOf = async (duty: Duty, reason: string | undefined = REASON) =>
  await openSession(await database.makeOperator(duty), { duty, reason });

beforeAll(async () => {
  database = await createTestDatabase();
  officer = await sessionOf('compliance');
});
beforeEach(async () => {
  family = await makeFamily(database, { name: 'Tremblay' });
  await officer.query(`select ops.open_access('read', 'a test of requests', 'PRV-1', 60, null, $1)`, [
    family.gran.id,
  ]);
});
afterAll(async () => {
  await officer?.close();
  await database?.drop();
});

const daysAgo = (days: number) => new Date(Date.now() - days * DAY);
const wishOf = (more: Partial<RequestWish> = {}): RequestWish => ({
  regime: 'pipeda',
  kind: 'access',
  subject: { kind: 'user', id: family.gran.id },
  asks: 'all you hold about me',
  channel: 'email',
  requester: 'self',
  received: () => daysAgo(0),
  ...more,
});
const open = async (more: Partial<RequestWish> = {}, session = officer) =>
  await openRequest(session, await planOpening(session, wishOf(more)));
const step = async ({ number }: Pick<DataRequest, 'number'>, wish: StepWish, session = officer) =>
  await takeStep(session, await planStep(session, number, () => wish));
const PASSED: StepWish = {
  verb: 'verify-identity',
  method: 'document',
  document: 'passport',
  passed: true,
};
const failedCheck: StepWish = { verb: 'verify-identity', method: 'known_facts', passed: false };
const fulfilled = (): StepWish => ({
  verb: 'fulfil',
  told: 'a package of 12 tables',
  answered_at: new Date(),
});
const refused = (): StepWish => ({
  verb: 'refuse',
  code: 'no_match',
  told: 'nothing is held under that name',
  recourse_told: true,
  answered_at: new Date(),
});
const extension = (more: Partial<Extract<StepWish, { verb: 'extend' }>> = {}): StepWish => ({
  verb: 'extend',
  ground: 'consultation',
  days: 30,
  notice_at: new Date(),
  told: 'the other parent has to be asked',
  ...more,
});

describe('opening a request', () => {
  it('reckons its days where the person lives, and numbers it by the year of its receipt', async () => {
    // Late in the evening of the 30th in Toronto, and the next year in UTC already.
    const first = await open({ received: () => new Date('2025-12-31T04:30:00Z'), kind: 'correction' });
    const next = await open({ received: () => new Date('2026-01-01T04:59:00Z'), kind: 'deletion' });
    const later = await open({ received: () => new Date('2026-01-01T05:00:00Z'), kind: 'portability' });
    expect([first.number, next.number, later.number]).toEqual([
      'REQ-2025-0001',
      'REQ-2025-0002',
      'REQ-2026-0001',
    ]);
    expect([first.due_on, next.due_on, later.due_on]).toEqual(['2026-01-29', '2026-01-30', '2026-01-31']);
    expect(first).toMatchObject({ zone: 'America/Toronto', language: 'en', identity_verified_at: null });
    expect(first.due_before).toEqual(new Date('2026-01-30T05:00:00Z'));
    // Beyond their limits by now: silence was a refusal, with six months to complain.
    expect([first.state, first.recourse_until]).toEqual(['expired', '2026-07-29']);
  });

  it('is one row, one step and their events, with reason and subject', async () => {
    const { id, number } = await open();
    const events = await withConnection(database.owner, (owner) =>
      owner.query<{
        table_name: string;
        operation: string;
        reason: string;
        ticket: string;
        subject_user: string;
      }>(
        `select table_name, operation::text, reason, ticket, subject_user from audit.events where table_name ~ '^privacy[.]' and xid = (select xid from audit.events where record_id = $1) order by id`,
        [id],
      ),
    );
    const shared = { operation: 'INSERT', reason: REASON, ticket: number, subject_user: family.gran.id };
    expect(events).toEqual([
      { table_name: 'privacy.requests', ...shared },
      { table_name: 'privacy.request_steps', ...shared },
    ]);
  });

  it('refuses a second of the same kind and subject, before and in the database, unless it is said to be another', async () => {
    const first = await open();
    await expect(open()).rejects.toMatchObject({ code: 'duplicate_request', exitCode: 6 });
    const plan = await planOpening(officer, wishOf({ duplicate_of: first.number }));
    const { duplicate_of: _, ...blind } = plan.wish;
    await expect(openRequest(officer, { ...plan, wish: blind })).rejects.toMatchObject({
      exitCode: 6,
      hint: expect.stringContaining(`--duplicate-of ${first.number}`),
    });
    expect((await openRequest(officer, plan)).duplicate_of).toBe(first.number);
    await open({ kind: 'deletion' });
    await step(first, { verb: 'withdraw' });
    await expect(open({ duplicate_of: 'REQ-2026-9999' })).rejects.toMatchObject({ exitCode: 5 });
  });

  it('lets one of two through that are opened at the same moment', async () => {
    const other = await sessionOf('compliance');
    try {
      const plan = await planOpening(officer, wishOf({ kind: 'portability' }));
      const outcomes = await Promise.allSettled([openRequest(officer, plan), openRequest(other, plan)]);
      expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    } finally {
      await other.close();
    }
  });

  it('takes a child with whoever asks for it, an address, and nobody who is not there', async () => {
    const child = { kind: 'child', id: family.child, family: family.id } as const;
    const asked = await open({
      subject: child,
      requester: 'guardian',
      requester_name: 'Mum',
      language: 'fr',
    });
    expect(asked).toMatchObject({
      child_id: family.child,
      user_id: null,
      language: 'fr',
      requester: 'guardian',
    });
    await expect(open({ subject: child, kind: 'deletion', language: 'fr' })).rejects.toThrow(/requester/);
    await expect(open({ subject: child, kind: 'deletion', requester: 'guardian' })).rejects.toMatchObject({
      code: 'language_missing',
    });
    const address = { kind: 'address', email: `Oncle-${randomUUID()}@example.ca` } as const;
    const known = { zone: 'America/St_Johns', language: 'fr' } as const;
    const uncle = await open({ subject: address, ...known });
    expect(uncle).toMatchObject({ email: address.email, subject_kind: 'address' });
    await expect(
      open({ subject: { ...address, email: address.email.toUpperCase() }, ...known }),
    ).rejects.toMatchObject({ code: 'duplicate_request' });
    await expect(open({ subject: address, kind: 'deletion' })).rejects.toMatchObject({
      code: 'zone_missing',
    });
    await expect(open({ subject: { kind: 'user', id: randomUUID() } })).rejects.toMatchObject({
      exitCode: 5,
    });
    const contact = { kind: 'contact', id: randomUUID(), family: family.id } as const;
    await expect(open({ subject: contact, language: 'en' })).rejects.toMatchObject({ exitCode: 5 });
  });

  it('takes no days but those that the law counts', async () => {
    const { wish, ...plan } = await planOpening(officer, wishOf());
    const later = (day: unknown, days: number) =>
      new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY).toISOString().slice(0, 10);
    const lies: Record<string, unknown>[] = [
      { limit_on: later(wish.limit_on, 1), due_on: later(wish.due_on, 1) },
      { due_on: later(wish.limit_on, 4) },
      { due_on: later(wish.limit_on, -1) },
      { due_before: new Date((wish.due_before as Date).getTime() + DAY) },
      { recourse_until: later(wish.recourse_until, -1) },
      { recourse_until: null },
      { received_at: new Date(Date.now() + DAY) },
      { dated_on: later(plan.received_on, 1) },
      { zone: 'Mars/Olympus' },
      { regime: 'gdpr' },
      { asks: ' ' },
      { channel: 'pigeon' },
      { state: 'fulfilled' },
      { opened_by: 'somebody.else' },
      { user_id: null },
      { email: 'too@example.ca' },
    ];
    for (const lie of lies)
      await expect(
        openRequest(officer, { ...plan, wish: { ...wish, ...lie } }),
        JSON.stringify(lie),
      ).rejects.toThrow();
    expect(await listRequests(officer, { ended: true, user: family.gran.id, limit: 9 })).toMatchObject({
      requests: [],
    });
  });
});

describe('who handles requests', () => {
  it('is compliance alone, with a reason; the auditor reads; nobody else does either', async () => {
    const { number } = await open();
    const { wish } = await planOpening(officer, wishOf({ kind: 'deletion' }));
    for (const duty of ['support', 'sre', 'auditor', 'admin'] as const) {
      const session = await sessionOf(duty);
      await expect(
        session.query('select privacy.open_request($1)', [JSON.stringify(wish)]),
        duty,
      ).rejects.toMatchObject({ exitCode: 4 });
      const reading = readRequest(session, number);
      if (duty === 'auditor') expect((await reading).number).toBe(number);
      else await expect(reading, duty).rejects.toMatchObject({ exitCode: 4 });
      await session.close();
    }
    const silent = await sessionOf('compliance', '');
    await expect(
      silent.query('select privacy.open_request($1)', [JSON.stringify(wish)]),
    ).rejects.toMatchObject({ code: 'reason_missing' });
    await silent.close();
    for (const statement of [
      `insert into privacy.request_steps (request_id, number, step, state) select id, 9, 'fulfilled', 'fulfilled' from privacy.requests`,
      `update privacy.requests set state = 'fulfilled'`,
      'delete from privacy.request_steps',
      'select private.request_to_change(null, null)',
    ])
      await expect(officer.query(statement), statement).rejects.toMatchObject({ exitCode: 4 });
  });

  it('shows nothing to members of the family, nor to a login that is no operator', async () => {
    await open();
    await withConnection(await database.makeLogin('', 'nestsync_compliance'), async (session) => {
      await session.query('set role nestsync_compliance');
      expect(await session.query('select from privacy.requests')).toEqual([]);
    });
    await withConnection(database.app, async (app) => {
      await app.query('set role authenticated');
      await expect(app.query('select from privacy.requests')).rejects.toMatchObject({ exitCode: 4 });
    });
  });
});

describe('the state of a request', () => {
  it('goes from open over verification to its answer, and ends once', async () => {
    const request = await open();
    expect(request).toMatchObject({ state: 'open', state_reason: null });
    await expect(step(request, fulfilled())).rejects.toMatchObject({ code: 'identity_not_verified' });
    await expect(
      officer.query('select privacy.fulfil_request($1, $2, $3, now(), null)', [
        request.number,
        request.seen,
        'handed out',
      ]),
    ).rejects.toThrow(/before the identity is verified/);
    const consulted = await step(request, { verb: 'consult', party: 'other_member' });
    expect(consulted).toMatchObject({ state: 'in_progress', state_reason: 'need_user_verification' });
    expect(await step(request, PASSED)).toMatchObject({ state: 'in_progress', state_reason: null });
    await expect(step(request, PASSED)).rejects.toMatchObject({ code: 'identity_verified' });
    const done = await step(request, fulfilled());
    expect(done).toMatchObject({ state: 'fulfilled', recourse_until: null });
    for (const wish of [fulfilled(), refused(), extension(), { verb: 'withdraw' }] as const)
      await expect(step(request, wish)).rejects.toMatchObject({ code: 'request_ended' });
    await expect(
      officer.query('select privacy.withdraw_request($1, $2, null)', [done.number, done.seen]),
    ).rejects.toThrow(/has ended/);
    const { steps } = await showRequest(officer, request.number);
    expect(steps.map((one) => [one.number, one.step, one.state])).toEqual([
      [1, 'opened', 'open'],
      [2, 'consulted', 'in_progress'],
      [3, 'identity_checked', 'in_progress'],
      [4, 'fulfilled', 'fulfilled'],
    ]);
    expect(
      steps.every(
        ({ by, duty, reason }) => by === officer.target.user && duty === 'compliance' && reason === REASON,
      ),
    ).toBe(true);
  });

  it('cannot be made another than its steps say, nor its steps other than they were, by the owner either', async () => {
    const { id } = await step(await open(), PASSED);
    const ended = await step(await open({ kind: 'deletion' }), { verb: 'withdraw', told: 'settled' });
    await withConnection(database.owner, async (owner) => {
      for (const [statement, message] of [
        [
          `update privacy.requests set state = 'revoked', recourse_until = null where id = '${id}'`,
          /where its steps led/,
        ],
        [
          `update privacy.requests set extended_days = 30, limit_on = limit_on + 30, due_on = due_on + 30, due_before = due_before + interval '30 days', recourse_until = recourse_until + 30 where id = '${id}'`,
          /steps led|requests_/,
        ],
        [`update privacy.requests set kind = 'deletion' where id = '${id}'`, /never changes/],
        [
          `update privacy.requests set received_at = received_at - interval '1 hour' where id = '${id}'`,
          /never changes/,
        ],
        [`update privacy.requests set asks = 'something else' where id = '${id}'`, /never changes/],
        [`update privacy.requests set identity_verified_at = now() where id = '${ended.id}'`, /has ended/],
        [
          `insert into privacy.request_steps (request_id, number, step, state) values ('${id}', 0, 'fulfilled', 'fulfilled')`,
          /where its steps led/,
        ],
        [
          `insert into privacy.request_steps (request_id, number, step, state) values ('${ended.id}', 0, 'consulted', 'in_progress')`,
          /cannot be/,
        ],
        [
          `insert into privacy.request_steps (request_id, number, step, state) values ('${id}', 0, 'opened', 'open')`,
          /cannot be/,
        ],
        [
          `update privacy.request_steps set passed = false where request_id = '${id}' and passed`,
          /never changes/,
        ],
        [
          `update privacy.request_steps set told = 'another' where request_id = '${ended.id}'`,
          /never changes/,
        ],
        [`delete from privacy.request_steps where request_id = '${id}'`, /never deleted/],
        [`delete from privacy.requests where id = '${id}'`, /never deleted/],
        ['truncate privacy.requests cascade', /TRUNCATE|never|refused/i],
      ] as const)
        await expect(owner.query(statement), statement).rejects.toThrow(message);
    });
  });

  it('loses its words, and no more, when the person is erased as the data map says', async () => {
    const { id, number } = await step(
      await open({
        subject: { kind: 'address', email: `gone-${randomUUID()}@example.ca` },
        zone: 'America/Toronto',
        language: 'en',
      }),
      { verb: 'withdraw', told: 'settled by phone with Zoe' },
    );
    const before = await showRequest(officer, number);
    await withConnection(database.owner, async (owner) => {
      for (const [table, key] of [
        ['requests', 'id'],
        ['request_steps', 'request_id'],
      ]) {
        const [erasing] = await owner.query<{ sets: string }>(
          `select string_agg(format('%I = %s', column_name, coalesce(anonymized_as, 'null')), ', ') as sets
           from privacy.column_answers where table_name = $1 and erasure = 'anonymize'`,
          [`privacy.${table}`],
        );
        await owner.query(`update privacy.${table} set ${erasing?.sets} where ${key} = $1`, [id]);
      }
    });
    const { request, steps } = await showRequest(officer, number);
    expect(JSON.stringify([request, steps])).not.toMatch(/gone-|Zoe|all you hold/);
    const { email: _, asks: __, seen: ___, ...kept } = before.request;
    expect(request).toMatchObject({ ...kept, email: null, asks: null });
    expect(steps.map(({ step, at }) => [step, at])).toEqual(before.steps.map(({ step, at }) => [step, at]));
  });

  it('takes a step only from what was shown', async () => {
    const request = await open();
    const plan = await planStep(officer, request.number, () => ({ verb: 'withdraw' }));
    await step(request, failedCheck);
    await expect(takeStep(officer, plan)).rejects.toMatchObject({ exitCode: 6 });
  });
});

describe('an identity check', () => {
  it('is recorded when it fails too, and at most three times a day', async () => {
    const request = await open();
    for (let attempt = 1; attempt <= 3; attempt += 1)
      expect(await step(request, failedCheck)).toMatchObject({
        state: 'in_progress',
        state_reason: 'need_user_verification',
      });
    for (const wish of [failedCheck, PASSED])
      await expect(step(request, wish)).rejects.toMatchObject({ code: 'quota_exceeded', exitCode: 4 });
    const { steps } = await showRequest(officer, request.number);
    expect(steps.filter(({ particulars }) => particulars.passed === false)).toHaveLength(3);
    // A day later the next is let through.
    await withConnection(database.superuser, async (superuser) => {
      await superuser.query(`set session_replication_role = replica`);
      await superuser.query(
        `update privacy.request_steps set at = at - interval '25 hours' where request_id = $1`,
        [request.id],
      );
    });
    expect((await step(request, PASSED)).identity_verified_at).not.toBeNull();
  });

  it('keeps what document was seen, and never its number', async () => {
    const request = await open();
    await expect(step(request, { ...PASSED, remark: 'passport AB 123456' })).rejects.toMatchObject({
      exitCode: 2,
    });
    await expect(step(request, { ...PASSED, document: undefined })).rejects.toMatchObject({ exitCode: 2 });
    await expect(step(request, { ...PASSED, document: 'health_card' })).rejects.toMatchObject({
      exitCode: 6,
    });
    await step(request, { ...PASSED, remark: 'photo alike, expires in 2 years' });
    const { steps } = await showRequest(officer, request.number);
    expect(steps.at(-1)?.particulars).toEqual({ method: 'document', document: 'passport', passed: true });
  });

  it('of somebody else says what showed that they may ask', async () => {
    const request = await open({ requester: 'representative', requester_name: 'Me Roy' });
    await expect(step(request, PASSED)).rejects.toMatchObject({ exitCode: 2 });
    expect((await step(request, { ...PASSED, authority: 'mandate' })).identity_verified_at).not.toBeNull();
  });
});

describe('the guardian of a child', () => {
  it('is one on record who may act, and being family_core is not that', async () => {
    const child = { kind: 'child', id: family.child, family: family.id } as const;
    const asked = { subject: child, requester: 'guardian', language: 'en' } as const;
    const byMother = await open({ ...asked, requester_user: family.core.id });
    const onRecord: StepWish = { ...PASSED, authority: 'guardian_of_record' };
    for (const authority of ['birth_certificate', 'mandate'])
      await expect(step(byMother, { ...PASSED, authority })).rejects.toMatchObject({ exitCode: 2 });
    await expect(step(byMother, onRecord)).rejects.toThrow(/may not act for the child: no_guardian/);
    const add = (user: string, limits: string) =>
      officer.transaction(async () => {
        await officer.query(`select set_config('nestsync.ticket', 'PRV-1', true)`);
        await officer.query(
          `select privacy.add_guardian($1, $2, $3, null, 'parent', $4, '{act_of_birth,court_order}', '2025-02-03', null)`,
          [family.id, family.child, user, limits],
        );
      });
    await add(family.core.id, '{}');
    expect((await step(byMother, onRecord)).identity_verified_at).not.toBeNull();
    const byGran = await open({ ...asked, kind: 'deletion', requester_user: family.gran.id });
    await add(family.gran.id, '{no_information}');
    await expect(step(byGran, onRecord)).rejects.toThrow(/no_information/);
    const { steps } = await showRequest(officer, byGran.number);
    expect(steps.map(({ step }) => step)).toEqual(['opened']);
    const adult = await open({ requester: 'representative', requester_name: 'Me Roy', kind: 'correction' });
    await expect(step(adult, onRecord)).rejects.toMatchObject({ exitCode: 2 });
  });

  it('is not told of to an officer who has no grant for the family', async () => {
    const child = { kind: 'child', id: family.child, family: family.id } as const;
    const { number } = await open({
      subject: child,
      requester: 'guardian',
      requester_user: family.core.id,
      language: 'en',
    });
    const other = await sessionOf('compliance');
    try {
      await expect(
        step({ number }, { ...PASSED, authority: 'guardian_of_record' }, other),
      ).rejects.toMatchObject({ code: 'no_grant', exitCode: 4 });
    } finally {
      await other.close();
    }
  });
});

describe('an extension', () => {
  it('moves the limit once, with a notice in time', async () => {
    const request = await open({ received: () => daysAgo(10) });
    const extended = await step(request, extension());
    expect(extended.extensions).toMatchObject([{ ground: 'consultation', days: 30 }]);
    const days = (new Date(extended.due_on).getTime() - new Date(request.due_on).getTime()) / DAY;
    expect(Math.abs(days - 30)).toBeLessThanOrEqual(3);
    await expect(step(request, extension())).rejects.toMatchObject({ code: 'extension_too_long' });
    await expect(
      step(request, extension({ days: 1, ground: 'unreasonable_interference' })),
    ).rejects.toMatchObject({
      exitCode: 6,
    });
    const converted = await step(request, extension({ ground: 'conversion', days: 45 }));
    expect(converted.extensions.map(({ days }) => days)).toEqual([30, 45]);
    await expect(step(request, extension({ ground: 'conversion', days: 1 }))).rejects.toThrow(/once/);
  });

  it('is refused a day late, by the date that the request bears, by the clock and by the database', async () => {
    const received = () => daysAgo(5);
    const dated = (days: number) =>
      new Date(Date.now() - days * DAY - 5 * 3_600_000).toISOString().slice(0, 10);
    const late = await open({ received, dated_on: dated(32) });
    await expect(step(late, extension())).rejects.toMatchObject({ code: 'extension_notice_late' });
    const { due_on, due_before, recourse_until } = late;
    await expect(
      officer.query(
        `select privacy.extend_request($1, $2, 'consultation', 1, now(), $3::date + 1, $3::date + 1, $4::timestamptz + interval '1 day', $5::date + 1, 'because')`,
        [late.number, late.seen, due_on, due_before, recourse_until],
      ),
    ).rejects.toThrow(/within 30 days of the date/);
    const inTime = await open({ received, dated_on: dated(29), kind: 'deletion' });
    expect((await step(inTime, extension())).extensions).toHaveLength(1);
  });

  it('is at most 30 days, and under Law 25 none', async () => {
    const request = await open();
    await expect(step(request, extension({ days: 31 }))).rejects.toMatchObject({
      code: 'extension_too_long',
    });
    const quebec = await open({ regime: 'law25', kind: 'deletion' });
    await expect(step(quebec, extension())).rejects.toMatchObject({ code: 'no_extension_in_law' });
    for (const { number, seen } of [request, quebec])
      await expect(
        officer.query(
          `select privacy.extend_request(q.number, $2, 'consultation', 31, now(), q.limit_on + 31, q.due_on + 31, q.due_before + interval '31 days', q.recourse_until + 31, 'because')
           from privacy.requests q where q.number = $1`,
          [number, seen],
        ),
      ).rejects.toMatchObject({ exitCode: 6 });
  });
});

describe('an answer', () => {
  it('that refuses gives code, reasons and recourse, and keeps the data until nobody can complain', async () => {
    const request = await open({ received: () => daysAgo(3) });
    for (const more of [{ told: 'no' }, { recourse_told: false }])
      await expect(step(request, { ...refused(), ...more } as StepWish)).rejects.toMatchObject({
        exitCode: 2,
      });
    await expect(
      officer.query(
        `select privacy.refuse_request($1, $2, 'no_match', 'nothing is held', false, now(), current_date)`,
        [request.number, request.seen],
      ),
    ).rejects.toThrow(/recourse/);
    const code = 'inconvenient' as never;
    await expect(step(request, { ...refused(), code } as StepWish)).rejects.toMatchObject({ exitCode: 6 });
    const done = await step(request, refused());
    expect(done).toMatchObject({ state: 'denied', state_reason: 'no_match' });
    const months = (Date.parse(done.recourse_until ?? '') - Date.now()) / DAY;
    expect(months).toBeGreaterThan(178);
    expect(months).toBeLessThan(188);
  });

  it('after the limit ends it late, and takes away no recourse of the silence', async () => {
    const request = await open({ received: () => daysAgo(40) });
    expect(request.state).toBe('expired');
    expect(await step(request, PASSED)).toMatchObject({ state: 'expired' });
    const done = await step(request, fulfilled());
    expect(done).toMatchObject({ state: 'fulfilled', recourse_until: request.recourse_until });
    expect(done.recourse_until).not.toBeNull();
    const { clock, next } = await showRequest(officer, request.number);
    expect(clock.lines.map(({ what }) => what).join('\n')).toMatch(
      /silence was a refusal from here on, though/,
    );
    expect(next).toBeUndefined();
  });

  it('waits for the cost that was told to be accepted or waived', async () => {
    const request = await step(await open(), PASSED);
    await expect(step(request, { verb: 'cost', settled: 'accepted' })).rejects.toMatchObject({ exitCode: 6 });
    await step(request, { verb: 'cost', amount: '12.50', told: 'printing of 180 pages' });
    await expect(step(request, fulfilled())).rejects.toMatchObject({ code: 'cost_open' });
    await step(request, { verb: 'cost', settled: 'accepted' });
    expect(await step(request, fulfilled())).toMatchObject({ state: 'fulfilled', cost_estimate: '12.50' });
  });
});

describe('the list', () => {
  it('has the most urgent first, in pages, with days left, and tells of what is overdue', async () => {
    const [late, soon, calm] = [40, 27, 1];
    const opened: Record<number, string> = {};
    for (const [at, days] of [calm, late, soon].entries())
      opened[days] = (
        await open({
          received: () => daysAgo(days),
          kind: (['access', 'deletion', 'correction'] as const)[at] ?? 'access',
        })
      ).number;
    const ended = await step(await open({ kind: 'portability' }), { verb: 'withdraw' });
    const listing = { ended: false, user: family.gran.id, limit: 2 };
    const page = await listRequests(officer, listing);
    expect(page.requests.map(({ number }) => number)).toEqual([opened[late], opened[soon]]);
    expect(page.requests[0]?.days_left).toBeLessThan(0);
    expect(page.requests[0]?.state).toBe('expired');
    expect(page.overdue).toBeGreaterThan(0);
    const rest = await listRequests(officer, { ...listing, cursor: page.nextCursor });
    expect(rest.requests.map(({ number }) => number)).toEqual([opened[calm]]);
    const all = await listRequests(officer, { ...listing, ended: true, limit: 9 });
    expect(all.requests.map(({ number }) => number).sort()).toEqual(
      [...Object.values(opened), ended.number].sort(),
    );
    expect(all.requests.find(({ number }) => number === ended.number)?.days_left).toBeNull();
  });
});

describe('maintenance', () => {
  it('warns of what is due soon and past its limit, and names nobody', async () => {
    const [job] = privacyJobs;
    const sre = await sessionOf('sre');
    const run = async () => await job?.run?.({ session: sre } as never);
    try {
      await open({ received: () => daysAgo(40) });
      await open({ received: () => daysAgo(27), kind: 'deletion' });
      const found = await run();
      expect(found?.outcome).toBe('finding');
      expect(found?.detail).toMatch(/past the limit.*due within 5 days.*nestctl request list/);
      expect(found?.detail).not.toMatch(/REQ-|example|[0-9a-f]{8}-/);
      await withConnection(database.superuser, async (superuser) => {
        await superuser.query('set session_replication_role = replica');
        await superuser.query(
          `update privacy.requests set state = 'revoked', state_reason = null, recourse_until = null where state in ('open', 'in_progress')`,
        );
      });
      expect(await run()).toMatchObject({ outcome: 'done', detail: 'none is open' });
      await open();
      expect(await run()).toMatchObject({ outcome: 'done', counts: { open: 1, overdue: 0, due_soon: 0 } });
      await expect(officer.query(`select ops.due_requests('1 day')`)).rejects.toMatchObject({ exitCode: 4 });
    } finally {
      await sre.close();
    }
  });
});
