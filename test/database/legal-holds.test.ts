import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { withConnection } from '../../src/platform/database/connection.js';
import type { Duty } from '../../src/platform/database/duties.js';
import { openSession, type Session } from '../../src/platform/database/session.js';
import {
  type HoldSubject,
  listHolds,
  placeHold,
  planHold,
  planHoldReview,
  planRelease,
  releaseHold,
  reviewHold,
} from '../../src/privacy/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { seniors } from '../support/old-events.js';
import { makeFamily, type SmallFamily } from '../support/small-world.js';

const DAY = 86_400_000;
const inDays = (days: number) => new Date(Date.now() + days * DAY).toISOString().slice(0, 10);

let database: TestDatabase;
let officer: Session;
let approver: Session;
let family: SmallFamily;

const sessionOf = async (duty: Duty, reason: string | undefined = 'a test of legal holds') => {
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
});
afterAll(async () => {
  await officer?.close();
  await approver?.close();
  await database?.drop();
});

const place = async (subject: HoldSubject, session = officer) =>
  await placeHold(session, await planHold(session, { subject, basis: 'litigation', matter: 'garde de Léa' }));
const release = async (number: string) => await releaseHold(officer, await planRelease(officer, number));
const holds = async (person: string, families: readonly string[] = []) =>
  (
    await officer.query<{ number: string; why: string }>(
      'select h.number, h.why from privacy.holds($1, $2) h',
      [person, families],
    )
  ).map(({ number, why }) => [number, why]);

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
const eventsOf = async (person: string) =>
  (
    await withConnection(database.superuser, (superuser) =>
      superuser.one<{ count: number }>(
        'select count(*)::int as count from audit.events where subject_user = $1',
        [person],
      ),
    )
  ).count;

test('an account that is held is not erased, by hand-written SQL neither, until the last of its holds is released', async () => {
  const [one, two] = [
    await place({ kind: 'user', id: family.gran.id }),
    await place({ kind: 'user', id: family.gran.id }),
  ];
  expect(one.number).toMatch(/^HOLD-\d{4}-\d{4}$/);
  expect(await holds(family.gran.id)).toEqual([
    [one.number, 'legal_hold'],
    [two.number, 'legal_hold'],
  ]);
  expect(await holds(family.core.id)).toEqual([]);
  expect(await eventsOf(family.gran.id)).toBeGreaterThan(0);
  await expect(erase(family.gran.id)).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringMatching(/egal hold HOLD-\d+-\d+ preserves what would be erased/),
    next: expect.stringMatching(/^nestctl hold show HOLD-/),
  });
  await release(one.number);
  await expect(erase(family.gran.id)).rejects.toMatchObject({ next: `nestctl hold show ${two.number}` });
  expect(await eventsOf(family.gran.id)).toBeGreaterThan(0);
  await release(two.number);
  await erase(family.gran.id);
  expect(await eventsOf(family.gran.id)).toBe(0);
});

test.each(['family', 'child'] as const)(
  'a hold on a %s preserves the family, and whoever is or was in it',
  async (kind) => {
    const other = await makeFamily(database, { name: 'Roy' });
    await officer.query(`select ops.open_access('read', 'a test of legal holds', 'PRV-1', 60, $1)`, [
      family.id,
    ]);
    await withConnection(database.superuser, (superuser) =>
      superuser.query(
        `update public.family_members set status = 'removed' where family_id = $1 and user_id = $2`,
        [family.id, family.gran.id],
      ),
    );
    const { number } = await place({ kind, id: kind === 'family' ? family.id : family.child });
    for (const [person, families] of [
      [family.core.id, []],
      [family.gran.id, []],
      [other.core.id, [family.id]],
    ] as const) {
      expect(await holds(person, families)).toEqual([[number, 'legal_hold']]);
      await expect(erase(person, families)).rejects.toMatchObject({ next: `nestctl hold show ${number}` });
    }
    expect(await holds(other.core.id, [other.id])).toEqual([]);
    await erase(other.core.id);
    await release(number);
    await erase(family.core.id, [family.id]);
  },
);

test('months of the audit log with events of what is held are not pruned', async () => {
  const why = async () =>
    (
      await officer.one<{ why: string | null }>(
        `select audit.retention_hold('modification', date_trunc('month', now() at time zone 'UTC')::date) as why`,
      )
    ).why;
  for (const { number } of await listHolds(officer, { released: false })) await release(number);
  expect(await why()).toBeNull();
  const { number } = await place({ kind: 'family', id: family.id });
  expect(await why()).toBe(`legal hold ${number} preserves it: nestctl hold show ${number}`);
  await release(number);
  expect(await why()).toBeNull();
});

test('two that are placed at once have numbers of their own, one after the other', async () => {
  const placed = await Promise.all(
    [officer, approver].map((session) => place({ kind: 'family', id: family.id }, session)),
  );
  const numbers = placed.map(({ number }) => Number(number.slice(-4))).sort((a, b) => a - b);
  expect((numbers[1] as number) - (numbers[0] as number)).toBe(1);
});

test('it is released once, never changed and never deleted', async () => {
  const { number } = await place({ kind: 'user', id: family.gran.id });
  const tries = [
    `update privacy.legal_holds set user_id = '${family.core.id}' where number = '${number}'`,
    `update privacy.legal_holds set basis = 'audit' where number = '${number}'`,
    `update privacy.legal_holds set matter = 'another' where number = '${number}'`,
    `update privacy.legal_holds set reason = 'another reason' where number = '${number}'`,
    `delete from privacy.legal_holds where number = '${number}'`,
    `truncate privacy.legal_holds`,
  ];
  await withConnection(database.superuser, async (superuser) => {
    for (const statement of tries) await expect(superuser.query(statement), statement).rejects.toThrow();
    await superuser.query(
      `update privacy.legal_holds set matter = 'erased on request', reference = null, reason = null, ticket = null where number = $1`,
      [number],
    );
  });
  const released = await release(number);
  const { login } = await officer.one<{ login: string }>('select session_user::text as login');
  expect(released).toMatchObject({ released_by: login, release_reason: 'a test of legal holds' });
  await expect(planRelease(officer, number)).rejects.toMatchObject({ code: 'released' });
  await expect(officer.query('select privacy.release_hold($1)', [number])).rejects.toMatchObject({
    code: 'conflict',
  });
  await withConnection(database.superuser, async (superuser) => {
    for (const change of ['released_at = null, released_by = null', `review_on = review_on + 1`])
      await expect(
        superuser.query(`update privacy.legal_holds set ${change} where number = '${number}'`),
        change,
      ).rejects.toThrow();
  });
});

test('a review is due on its day, and puts off the next by a year at the most', async () => {
  const { number } = await place({ kind: 'user', id: family.core.id });
  const sre = await sessionOf('sre');
  const due = async () => (await sre.one<{ due: number }>('select ops.holds_to_review()::int as due')).due;
  try {
    expect(await due()).toBe(0);
    await withConnection(
      database.superuser,
      (superuser) =>
        superuser.query(
          `update privacy.legal_holds set placed_at = placed_at - interval '200 days', review_on = review_on - 200 where number = $1`,
          [number],
        ),
      { settings: { session_replication_role: 'replica' } },
    );
    expect(await due()).toBe(1);
    const [first] = await listHolds(officer, { released: false });
    expect(first).toMatchObject({ number, review_due: true });
    for (const day of [inDays(0), inDays(368), '2020-02-29'])
      await expect(planHoldReview(officer, number, day)).rejects.toMatchObject({ code: 'wrong_day' });
    await expect(
      officer.query('select privacy.keep_hold($1, $2)', [number, inDays(368)]),
    ).rejects.toMatchObject({ code: 'invalid_input' });
    const reviewed = await reviewHold(officer, await planHoldReview(officer, number, inDays(30)));
    expect(reviewed).toMatchObject({ review_on: inDays(30), review_due: false });
    expect(await due()).toBe(0);
  } finally {
    await sre.close();
  }
});

test('it is on somebody who is there, for a reason that is said, and the business of compliance alone', async () => {
  await expect(place({ kind: 'user', id: randomUUID() })).rejects.toMatchObject({ code: 'not_found' });
  await expect(place({ kind: 'child', id: family.id })).rejects.toMatchObject({ code: 'not_found' });
  await expect(
    officer.query(`select privacy.place_hold($1, $2, null, 'audit', 'two', null, $3::date)`, [
      family.core.id,
      family.id,
      inDays(9),
    ]),
  ).rejects.toMatchObject({ code: 'invalid_input' });
  const { number } = await place({ kind: 'user', id: family.core.id });
  for (const duty of ['support', 'sre', 'admin'] as const) {
    const session = await sessionOf(duty);
    try {
      await expect(place({ kind: 'user', id: family.core.id }, session), duty).rejects.toThrow();
      await expect(session.query('select privacy.release_hold($1)', [number]), duty).rejects.toThrow();
      await expect(session.query('select from privacy.legal_holds'), duty).rejects.toThrow();
    } finally {
      await session.close();
    }
  }
  const [auditor, hasty] = [await sessionOf('auditor'), await sessionOf('compliance', 'why')];
  try {
    expect((await listHolds(auditor, { released: true })).map((hold) => hold.number)).toContain(number);
    await expect(place({ kind: 'user', id: family.core.id }, auditor)).rejects.toThrow();
    await expect(auditor.query(`update privacy.legal_holds set reason = null`)).rejects.toThrow();
    await expect(place({ kind: 'user', id: family.core.id }, hasty)).rejects.toMatchObject({
      code: 'reason_missing',
    });
    await expect(hasty.query('select privacy.release_hold($1)', [number])).rejects.toMatchObject({
      code: 'reason_missing',
    });
  } finally {
    await Promise.all([auditor.close(), hasty.close()]);
  }
});
