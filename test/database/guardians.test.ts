import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { withConnection } from '../../src/platform/database/connection.js';
import { type Duty, openSession, type Session } from '../../src/platform/database/session.js';
import { listGuardians, mayActFor } from '../../src/privacy/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { asMover, planAndMove } from '../support/family-moves.js';
import { asService, makeFamily, type SmallFamily } from '../support/small-world.js';

let database: TestDatabase;
let compliance: Session;
let family: SmallFamily;

const PURPOSE = { reason: 'a request about a child', ticket: 'PRIV-1' };

async function staff(duty: Duty, purpose: { reason?: string; ticket?: string } = PURPOSE): Promise<Session> {
  return await openSession(await database.makeOperator(duty), { duty, ...purpose });
}
const open = (session: Session, what: SmallFamily) =>
  session.query(`select ops.open_access('read', $2, $3, 10, $1)`, [what.id, PURPOSE.reason, PURPOSE.ticket]);

beforeAll(async () => {
  database = await createTestDatabase();
});
beforeEach(async () => {
  family = await makeFamily(database, { name: 'Tremblay' });
  compliance = await staff('compliance');
  await open(compliance, family);
  return () => compliance.close();
});
afterAll(() => database?.drop());

interface Wish {
  readonly user?: string | null;
  readonly name?: string | null;
  readonly basis?: string;
  readonly limits?: readonly string[];
  readonly evidence?: readonly string[];
  readonly from?: string;
  readonly until?: string | null;
}
const ADD = 'select privacy.add_guardian($1, $2, $3, $4, $5, $6, $7, $8, $9) as id';
function adding(wish: Wish = {}): unknown[] {
  const { name = null, basis = 'parent', limits = [], evidence = ['court_order'], until = null } = wish;
  const user = wish.user ?? (name === null ? family.core.id : null);
  return [family.id, family.child, user, name, basis, limits, evidence, wish.from ?? '2025-02-03', until];
}
const add = async (wish: Wish = {}, session = compliance) =>
  (await session.one<{ id: string }>(ADD, adding(wish))).id;
const end = async (id: string, on: string, ground = 'court_order', session = compliance) => {
  const { seen } = await session.one<{ seen: string }>(
    'select xmin::text as seen from privacy.guardians where id = $1',
    [id],
  );
  await session.query('select privacy.end_guardian($1, $2, $3, $4, $5)', [family.id, id, on, ground, seen]);
};
const ask = (at?: string, person: Parameters<typeof mayActFor>[2] = { user: family.core.id }) =>
  mayActFor(
    compliance,
    { family: family.id, id: family.child },
    person,
    at === undefined ? undefined : new Date(at),
  );

describe('who may act for a child', () => {
  test('is nobody by being family_core', async () => {
    expect(await ask()).toMatchObject({ allowed: false, why: 'no_guardian', guardian: null });
    const id = await add();
    expect(await ask()).toMatchObject({ allowed: true, why: 'guardian', guardian: id, notes: [] });
    expect(await ask(undefined, { user: family.gran.id })).toMatchObject({
      allowed: false,
      why: 'no_guardian',
    });
  });

  test.each(['no_information', 'no_contact', 'no_authority', 'no_decisions'])(
    'is not a parent whom a court has set the limit %s',
    async (limit) => {
      const id = await add({ limits: ['supervised', limit] });
      expect(await ask()).toMatchObject({ allowed: false, why: limit, guardian: id, notes: [] });
    },
  );

  test('is a parent with other limits, which are told', async () => {
    await add({ limits: ['supervised', 'joint_decisions'] });
    expect(await ask()).toMatchObject({ allowed: true, notes: ['joint_decisions', 'supervised'] });
  });

  test('is decided by the day in the zone of the family', async () => {
    // 2026-03-01 begins in Toronto at 05:00 UTC, 2026-07-01 at 04:00 UTC.
    await add({ from: '2026-03-01', until: '2026-06-30' });
    const answers: string[] = [];
    for (const at of [
      '2026-03-01T04:59:59Z',
      '2026-03-01T05:00:00Z',
      '2026-07-01T03:59:59Z',
      '2026-07-01T04:00:00Z',
    ])
      answers.push((await ask(at)).why);
    expect(answers).toEqual(['not_yet', 'guardian', 'guardian', 'over']);
  });

  test('is nobody from the day on which it ended, and nobody ever by what was entered in error', async () => {
    const id = await add();
    await end(id, '2026-04-10', 'deprivation');
    expect((await ask('2026-04-09T12:00:00Z')).why).toBe('guardian');
    expect((await ask('2026-04-10T12:00:00Z')).why).toBe('over');
    const wrong = await add({ name: 'Marie Roy' });
    await end(wrong, '2026-04-10', 'entered_in_error');
    expect(await ask('2026-04-01T12:00:00Z', { name: 'Marie Roy' })).toMatchObject({
      allowed: false,
      why: 'no_guardian',
      guardian: null,
    });
  });

  test('without an account is found by name, blanks and case aside', async () => {
    await add({ name: 'Marie Œuvrard' });
    expect((await ask(undefined, { name: ' marie œUVRARD ' })).allowed).toBe(true);
    expect((await ask(undefined, { name: 'Marie' })).why).toBe('no_guardian');
  });

  test.each([
    ['QC', '2043-02-02T12:00:00Z', 'guardian', ['fourteen']],
    ['QC', '2043-02-03T12:00:00Z', 'of_age', []],
    ['QC', '2039-02-02T12:00:00Z', 'guardian', []],
    ['BC', '2043-02-03T12:00:00Z', 'guardian', []],
    ['BC', '2044-02-03T12:00:00Z', 'of_age', []],
  ])('is the child itself once of age: %s %s', async (province, at, why, notes) => {
    await add();
    await asService(database, (service) =>
      service.query('update public.children set province = $2 where id = $1', [family.child, province]),
    );
    expect(await ask(at)).toMatchObject({ why, notes, allowed: why === 'guardian' });
  });

  test('is told to compliance with a grant, and others are refused, not told no', async () => {
    await add();
    const child = { family: family.id, id: family.child };
    const other = await makeFamily(database, { name: 'Gagnon' });
    const ungranted = { family: other.id, id: other.child };
    await expect(mayActFor(compliance, ungranted, { user: other.core.id })).rejects.toMatchObject({
      code: 'no_grant',
    });
    await expect(
      mayActFor(compliance, { family: family.id, id: other.child }, { user: family.core.id }),
    ).rejects.toMatchObject({ code: 'not_found' });
    for (const duty of ['support', 'sre', 'auditor', 'admin'] as const) {
      const session = await staff(duty);
      if (duty === 'support' || duty === 'admin') await open(session, family);
      await expect(mayActFor(session, child, { user: family.core.id }), duty).rejects.toMatchObject({
        kind: 'not_allowed',
      });
      await expect(session.query('select * from privacy.guardians'), duty).rejects.toMatchObject({
        code: 'permission_denied',
      });
      await session.close();
    }
    expect(await listGuardians(compliance, other.id)).toEqual([]);
    expect(await listGuardians(compliance, family.id)).toHaveLength(1);
  });
});

describe('a guardian', () => {
  test('is recorded by compliance alone, with a grant, a reason and a ticket', async () => {
    for (const duty of ['support', 'admin'] as const) {
      const session = await staff(duty);
      await open(session, family);
      await expect(add({}, session), duty).rejects.toMatchObject({ kind: 'not_allowed' });
      await session.close();
    }
    const ungranted = await staff('compliance');
    await expect(add({}, ungranted)).rejects.toMatchObject({ code: 'no_grant' });
    await ungranted.close();
    const silent = await staff('compliance', {});
    await open(silent, family);
    await silent.query(
      `select set_config('nestsync.reason', '', false), set_config('nestsync.ticket', '', false)`,
    );
    await expect(add({}, silent)).rejects.toMatchObject({ code: 'reason_missing' });
    await silent.close();
    for (const statement of [
      `insert into privacy.guardians (family_id, child_id, user_id, basis, evidence, from_date) values ('${family.id}', '${family.child}', '${family.core.id}', 'parent', '{court_order}', '2025-02-03')`,
      `update privacy.guardians set limits = '{}'`,
      'delete from privacy.guardians',
    ]) {
      await expect(compliance.query(statement), statement).rejects.toMatchObject({
        code: 'permission_denied',
      });
    }
    expect(await listGuardians(compliance, family.id)).toEqual([]);
  });

  test.each<[string, Wish, string]>([
    ['a basis that the evidence does not show', { evidence: ['will'] }, 'invalid_input'],
    ['no evidence', { evidence: [] }, 'invalid_input'],
    [
      'limits without what sets them',
      { limits: ['supervised'], evidence: ['act_of_birth'] },
      'invalid_input',
    ],
    ['the number of a document', { evidence: ['court_order', '500-04-123456-789'] }, 'constraint_violated'],
    ['a limit of nobody’s', { limits: ['no_fun'] }, 'constraint_violated'],
    ['a basis that is none', { basis: 'family_core' }, 'constraint_violated'],
    ['an end before the beginning', { until: '2025-02-02' }, 'invalid_input'],
    ['two persons at once', { name: 'Marie', user: '00000000-0000-4000-8000-000000000001' }, 'invalid_input'],
    ['an account that is not there', { user: '00000000-0000-4000-8000-000000000001' }, 'not_found'],
  ])('is not recorded with %s', async (_, wish, code) => {
    await expect(add(wish)).rejects.toMatchObject({ code });
    expect(await listGuardians(compliance, family.id)).toEqual([]);
  });

  test('stands for a child once a day: with other limits only from the day on which the one before ended', async () => {
    const first = await add({ until: '2026-06-30' });
    for (const wish of [{}, { from: '2026-06-30' }, { from: '2024-01-01', until: '2025-02-03' }]) {
      await expect(add(wish), JSON.stringify(wish)).rejects.toMatchObject({ code: 'conflict' });
    }
    await add({ name: 'Marie Roy' });
    await expect(add({ name: 'MARIE ROY' })).rejects.toMatchObject({ code: 'conflict' });
    await add({ from: '2026-07-01' });
    await end(first, '2026-02-01');
    await add({ from: '2026-02-01', until: '2026-06-30', limits: ['no_information'] });
    expect((await ask('2026-01-31T12:00:00Z')).why).toBe('guardian');
    expect((await ask('2026-02-01T12:00:00Z')).why).toBe('no_information');
    expect((await ask('2026-07-02T12:00:00Z')).why).toBe('guardian');
    await expect(end(first, '2026-03-01')).rejects.toMatchObject({ code: 'conflict' });
  });

  test('is not recorded twice by two who do it at once, nor under an older snapshot', async () => {
    const second = await staff('compliance');
    await open(second, family);
    await compliance.query('begin');
    await add();
    const waiting = add({ limits: ['no_information'] }, second).catch((error) => error);
    await expect
      .poll(async () =>
        withConnection(database.superuser, (one) =>
          one.one<{ waits: number }>(
            `select count(*)::int as waits from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
          ),
        ),
      )
      .toEqual({ waits: 1 });
    await compliance.query('commit');
    expect(await waiting).toMatchObject({ code: 'conflict' });
    await second.query('begin isolation level repeatable read');
    await expect(add({ name: 'Marie' }, second)).rejects.toMatchObject({ code: 'conflict' });
    await second.query('rollback');
    await second.close();
    expect(await listGuardians(compliance, family.id)).toHaveLength(1);
  });

  test('is in the audit log with whom it is about, the reason and the ticket', async () => {
    const id = await add();
    await end(id, '2026-04-10');
    const events = await withConnection(database.owner, (owner) =>
      owner.query(
        `select operation, family_id, subject_user, reason, ticket, duty from audit.events where table_name = 'privacy.guardians' and record_id = $1 order by id`,
        [id],
      ),
    );
    const said = { family_id: family.id, subject_user: family.core.id, duty: 'compliance', ...PURPOSE };
    expect(events).toEqual([
      { operation: 'INSERT', ...said },
      { operation: 'UPDATE', ...said },
    ]);
  });

  test('goes with the child to another family', async () => {
    await add();
    const other = await makeFamily(database, { name: 'Gagnon' });
    await withConnection(database.owner, async (owner) => {
      expect(await owner.one('select private.family_gaps() as gaps')).toEqual({ gaps: [] });
    });
    await asMover(await database.makeOperator('support'), [family.id, other.id], (mover) =>
      planAndMove(mover, {
        kind: 'child',
        from: family.id,
        to: other.id,
        children: [family.child],
        shared: { '*': 'stay' },
      }),
    );
    expect(await listGuardians(compliance, family.id)).toEqual([]);
    await open(compliance, other);
    expect(await listGuardians(compliance, other.id)).toMatchObject([
      { child_id: family.child, may_act: true },
    ]);
  });
});
