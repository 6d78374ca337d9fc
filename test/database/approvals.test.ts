import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { open } from '../support/model/sessions.js';

const WHY = 'covering for a colleague on leave';

let database: TestDatabase;
let superuser: pg.Client;
let owner: pg.Client;
const clients: pg.Client[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  superuser = await open(database.superuser);
  owner = await open(database.owner);
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.end()));
});
afterAll(async () => {
  await Promise.all([owner, superuser].map((client) => client?.end()));
  await database?.drop();
});

/** A session under a duty. */
async function under(target: ConnectionTarget, duty = 'admin'): Promise<pg.Client> {
  const client = await open(target);
  clients.push(client);
  await client.query(`set role nestsync_${duty}`);
  return client;
}

/** An operator of the test's own who has held the duties for long. */
async function operator(...duties: Parameters<TestDatabase['makeOperator']>): Promise<ConnectionTarget> {
  const target = await database.makeOperator(...duties);
  await age(target.user, '3 days');
  return target;
}

async function age(login: string, by: string): Promise<void> {
  await superuser.query(`update ops.operators set registered_at = now() - $2::interval where login = $1`, [
    login,
    by,
  ]);
  await superuser.query(`update ops.operator_duties set granted_at = now() - $2::interval where login = $1`, [
    login,
    by,
  ]);
}

const camille = () => under(database.operators[0]);
const dev = () => under(database.operators[1]);

interface Approval {
  readonly id: string;
  readonly decision: string | null;
  readonly requested_by: string;
  readonly decided_by: string | null;
  readonly plan_hash: string;
}

const aPlan = () => ({ do: 'something', to: randomUUID(), minutes: 10 });

async function ask(
  client: pg.Client,
  plan: object,
  { action = 'operator', reason = WHY, ticket = 'OPS-1' } = {},
): Promise<Approval> {
  const { rows } = await client.query<Approval>('select * from ops.request_approval($1, $2, $3, $4)', [
    action,
    plan,
    reason,
    ticket,
  ]);
  return rows[0] as Approval;
}

const decide = (
  client: pg.Client,
  { id }: Approval,
  decision = 'granted',
  reason = 'spoken with them today',
) => client.query<Approval>('select * from ops.decide_approval($1, $2, $3)', [id, decision, reason]);

const use = (client: pg.Client, plan: object, action = 'operator') =>
  client.query('select ops.use_approval($1, $2)', [action, plan]);

const refused = (code: string, message?: RegExp) =>
  message === undefined ? { code } : { code, message: expect.stringMatching(message) };

/** A request of camille's that dev has granted. */
async function granted(plan: object) {
  const [first, second] = [await camille(), await dev()];
  const approval = await ask(first, plan);
  await decide(second, approval);
  return { first, second, approval };
}

/** Moves a request and its decision into the past, as if it had been waiting since. */
async function moveBack({ id }: Approval, by: string): Promise<void> {
  await superuser.query('begin; alter table ops.approvals disable trigger approvals_stamp');
  await superuser.query(
    `update ops.approvals set requested_at = requested_at - $2::interval, expires_at = expires_at - $2::interval,
       decided_at = decided_at - $2::interval where id = $1`,
    [id, by],
  );
  await superuser.query('alter table ops.approvals enable trigger approvals_stamp; commit');
}

describe('an approval', () => {
  test('is asked for, granted by a second operator and used once; the log has all three, with who and why', async () => {
    const plan = aPlan();
    const first = await camille();
    await expect(use(first, plan)).rejects.toMatchObject(refused('NS008', /nobody was asked/));
    const approval = await ask(first, plan);
    expect(approval).toMatchObject({ requested_by: 'camille.roy', decision: null });
    expect(await ask(first, plan)).toMatchObject({ id: approval.id });
    await expect(use(first, plan)).rejects.toMatchObject({
      ...refused('NS008'),
      hint: `nestctl approval grant ${approval.id}`,
    });

    const second = await dev();
    const { rows } = await decide(second, approval);
    expect(rows[0]).toMatchObject({ decision: 'granted', decided_by: 'dev.singh' });
    expect(await ask(first, plan)).toMatchObject({ id: approval.id, decision: 'granted' });
    await first.query('begin');
    expect((await use(first, plan)).rows).toEqual([{ use_approval: approval.id }]);
    const { rows: lent } = await first.query(
      `select current_setting('nestsync.reason') as reason, current_setting('nestsync.ticket') as ticket`,
    );
    expect(lent).toEqual([{ reason: WHY, ticket: 'OPS-1' }]);
    await first.query('commit');

    const { rows: events } = await owner.query(
      `select operation, session_login, duty, reason, ticket from audit.events
       where table_name = 'ops.approvals' and record_id = $1 order by id`,
      [approval.id],
    );
    const event = (operation: string, session_login: string, reason: string) => {
      return { operation, session_login, duty: 'admin', reason, ticket: 'OPS-1' };
    };
    expect(events).toEqual([
      event('INSERT', 'camille.roy', WHY),
      event('UPDATE', 'dev.singh', 'spoken with them today'),
      event('UPDATE', 'camille.roy', WHY),
    ]);
  });

  test('is not used up by a transaction that is rolled back', async () => {
    const plan = aPlan();
    const { first } = await granted(plan);
    await first.query('begin');
    await use(first, plan);
    await first.query('rollback');
    await first.query('begin; savepoint s');
    await use(first, plan);
    await first.query('rollback to s');
    await use(first, plan);
    await first.query('commit');
    await expect(use(first, plan)).rejects.toMatchObject(refused('NS005'));
  });

  test('binds the plan that the database hashes itself, whatever order its keys came in', async () => {
    const plan = { login: 'jo', duties: ['support', 'sre'], nested: { a: 1, b: [1, 2] } };
    const { first, approval } = await granted(plan);
    const { rows } = await superuser.query(
      `select plan_hash = encode(sha256(convert_to('operator ' || plan::text, 'UTF8')), 'hex') as bound from ops.approvals where id = $1`,
      [approval.id],
    );
    expect(rows).toEqual([{ bound: true }]);
    for (const changed of [
      { ...plan, duties: ['sre', 'support'] },
      { ...plan, duties: ['support', 'sre', 'admin'] },
      { ...plan, login: 'jo ' },
      { ...plan, extra: null },
      { login: plan.login, duties: plan.duties },
    ]) {
      await expect(use(first, changed)).rejects.toMatchObject(refused('NS008', /nobody was asked/));
    }
    await expect(use(first, plan, 'break_glass')).rejects.toMatchObject(refused('NS008'));
    await use(first, { nested: { b: [1, 2], a: 1 }, duties: plan.duties, login: 'jo' });
  });

  test('withdrawn, and refused, opens nothing; a refusal stands until somebody asks for another reason', async () => {
    const [first, second] = [await camille(), await dev()];
    const [plan, other] = [aPlan(), aPlan()];
    const withdrawn = await ask(first, plan);
    await expect(decide(second, withdrawn, 'withdrawn')).rejects.toMatchObject(refused('NS004'));
    await decide(first, withdrawn, 'withdrawn', 'no longer needed at all');
    await expect(decide(second, withdrawn)).rejects.toMatchObject(refused('NS005', /withdrawn/));
    await expect(use(first, plan)).rejects.toMatchObject(refused('NS008'));
    expect((await ask(first, plan)).id).not.toBe(withdrawn.id);

    const no = await ask(first, other);
    await decide(second, no, 'refused', 'not without their manager');
    await expect(use(first, other)).rejects.toMatchObject(refused('NS004', /dev.singh has refused/));
    await expect(decide(second, no)).rejects.toMatchObject(refused('NS005', /refused/));
    await expect(ask(first, other)).rejects.toMatchObject(refused('NS004'));
    const again = await ask(first, other, { reason: 'their manager agrees now' });
    await decide(second, again);
    await use(first, other);
  });
});

describe('the database refuses', () => {
  test("one's own approval, also to an operator who takes another duty or asks under a second session", async () => {
    const first = await camille();
    const approval = await ask(first, aPlan());
    await expect(decide(first, approval)).rejects.toMatchObject(refused('NS004', /own/));
    await expect(decide(await camille(), approval)).rejects.toMatchObject(refused('NS004', /own/));
    for (const duty of ['support', 'compliance', 'sre', 'auditor']) {
      await expect(decide(await under(database.operators[0], duty), approval), duty).rejects.toMatchObject(
        refused('NS004'),
      );
    }
    // Not even with the trigger out of the way.
    await superuser.query('begin; alter table ops.approvals disable trigger approvals_stamp');
    await expect(
      superuser.query(
        `update ops.approvals set decision = 'granted', decided_by = requested_by, decided_at = clock_timestamp(),
           decided_xid = '3', decided_reason = 'x' where id = $1`,
        [approval.id],
      ),
    ).rejects.toMatchObject({ code: '23514', constraint: 'approvals_four_eyes' });
    await superuser.query('rollback');
  });

  test("another's identity: roles, session authorization, settings and temporary tables by hand", async () => {
    const first = await camille();
    const approval = await ask(first, aPlan());
    for (const attempt of [
      'set role "dev.singh"',
      'set session authorization "dev.singh"',
      `select set_config('session_authorization', 'dev.singh', false)`,
      `set role ${database.owner.user}`,
    ]) {
      await expect(first.query(attempt), attempt).rejects.toMatchObject({ code: '42501' });
    }
    await first.query('set role nestsync_admin');
    await first.query(`
      create temp table operators (login text, registered_at timestamptz, revoked_at timestamptz);
      create temp table approvals (like ops.approvals);
      set search_path = pg_temp, ops, public`);
    for (const setting of ['nestsync.operator', 'nestsync.login', 'nestsync.duty', 'nestsync.user']) {
      await first.query('select set_config($1, $2, false)', [setting, 'dev.singh']);
      await expect(decide(first, approval), setting).rejects.toMatchObject(refused('NS004', /own/));
    }
  });

  test('forged columns, by the owner too: who and when come from the session', async () => {
    const first = await camille();
    const approval = await ask(first, aPlan());
    const forge = (text: string) => owner.query(text, [approval.id]);
    for (const columns of [
      `decision = 'granted', decided_by = 'dev.singh', decided_at = now(), decided_xid = '3', decided_reason = 'forged by hand'`,
      `decision = 'refused', decided_by = 'dev.singh', decided_at = now(), decided_xid = '3', decided_reason = 'forged by hand'`,
    ]) {
      await expect(forge(`update ops.approvals set ${columns} where id = $1`)).rejects.toMatchObject(
        refused('NS004'),
      );
    }
    // Nobody's request is changed or given away, before or after the decision.
    for (const columns of [
      `plan = '{"do": "more"}'`,
      `plan_hash = repeat('0', 64)`,
      `requested_by = 'dev.singh'`,
      `expires_at = expires_at + interval '1 day'`,
      `action = 'break_glass'`,
      `reason = 'another reason by hand'`,
      `approver_duty = 'support'`,
    ]) {
      await expect(forge(`update ops.approvals set ${columns} where id = $1`), columns).rejects.toMatchObject(
        refused('NS005'),
      );
    }
    await expect(
      owner.query(
        `insert into ops.approvals (action, plan, plan_hash, requested_by, duty, approver_duty, reason, ticket, requested_at, expires_at)
         values ('operator', '{}', '', 'camille.roy', 'admin', 'admin', 'a long enough reason', 'OPS-1', now(), now() + interval '1 day')`,
      ),
    ).rejects.toMatchObject(refused('NS004'));
    await decide(await dev(), approval);
    await expect(
      forge(`update ops.approvals set used_at = null, decided_by = 'dev.singh' where id = $1`),
    ).rejects.toMatchObject(refused('NS005'));
    await expect(forge('delete from ops.approvals where id = $1')).rejects.toMatchObject(refused('NS004'));
    await expect(owner.query('truncate ops.approvals cascade')).rejects.toMatchObject(refused('NS004'));
  });

  test('a fresh operator, and one who got the duty today; both may a day later', async () => {
    const first = await camille();
    for (const [registered, given] of [
      ['0 hours', '0 hours'],
      ['23 hours 59 minutes', '23 hours 59 minutes'],
      ['30 days', '1 hour'],
      ['1 hour', '30 days'],
    ] as const) {
      const approval = await ask(first, aPlan());
      const target = await database.makeOperator('admin');
      await age(target.user, given);
      await superuser.query(
        'update ops.operators set registered_at = now() - $2::interval where login = $1',
        [target.user, registered],
      );
      const second = await under(target);
      for (const decision of ['granted', 'refused']) {
        await expect(
          decide(second, approval, decision),
          `${registered}, ${given}: ${decision}`,
        ).rejects.toMatchObject(refused('NS004', /less than a day ago/));
      }
      await age(target.user, '24 hours 1 second');
      await decide(second, approval);
    }
  });

  test('an operator who was revoked and is registered again, since they are new again', async () => {
    const first = await camille();
    const target = await operator('admin');
    await superuser.query('update ops.operators set revoked_at = now() where login = $1', [target.user]);
    await superuser.query(
      `select ops.register_operator($1, 'Back Again', 'back@nestsync.example', '{admin}')`,
      [target.user],
    );
    await expect(decide(await under(target), await ask(first, aPlan()))).rejects.toMatchObject(
      refused('NS004', /less than a day ago/),
    );
  });

  test('a decision after expiry, and a use after expiry', async () => {
    const [first, second] = [await camille(), await dev()];
    const [plan, other] = [aPlan(), aPlan()];
    const late = await ask(first, plan);
    await moveBack(late, '3 days');
    await expect(decide(second, late)).rejects.toMatchObject(refused('NS005', /expired/));
    await expect(use(first, plan)).rejects.toMatchObject(refused('NS005', /expired/));
    expect((await ask(first, plan)).id).not.toBe(late.id);

    const { approval } = await granted(other);
    await moveBack(approval, '3 days');
    await expect(use(first, other)).rejects.toMatchObject(refused('NS005', /expired/));
  });

  test('a second use, in another session and after a commit', async () => {
    const plan = aPlan();
    const { first } = await granted(plan);
    await use(first, plan);
    await expect(use(first, plan)).rejects.toMatchObject(refused('NS005', /used/));
    await expect(use(await camille(), plan)).rejects.toMatchObject(refused('NS005', /used/));
    expect(await ask(first, plan)).toMatchObject({ decision: null });
  });

  test('a use of another operator’s approval, by its approver above all', async () => {
    const plan = aPlan();
    const { first, second } = await granted(plan);
    const third = await under(await operator('admin'));
    for (const client of [second, third]) {
      await expect(use(client, plan)).rejects.toMatchObject(refused('NS008'));
    }
    await use(first, plan);
  });

  test('a use in the transaction of the decision, which only a superuser can play', async () => {
    const plan = aPlan();
    const approval = await ask(await camille(), plan);
    const client = await open(database.superuser);
    clients.push(client);
    const as = (login: string) =>
      client.query(`reset role; set session authorization "${login}"; set role nestsync_admin`);
    await client.query('begin');
    await as('dev.singh');
    await decide(client, approval);
    await as('camille.roy');
    await expect(use(client, plan)).rejects.toMatchObject(refused('NS005', /transaction after/));
    await client.query('rollback');
  });

  test('a use in a snapshot older than the decision', async () => {
    const plan = aPlan();
    const [first, second] = [await camille(), await dev()];
    const approval = await ask(first, plan);
    await first.query('begin isolation level repeatable read');
    await first.query('select 1 from ops.approvals');
    await decide(second, approval);
    await expect(use(first, plan)).rejects.toMatchObject(refused('NS008'));
    await first.query('rollback');
    await use(first, plan);
  });

  test.each([
    ['is revoked', `update ops.operators set revoked_at = now() where login = $1`],
    [
      'loses the duty',
      `update ops.operator_duties set revoked_at = now() where login = $1 and duty = 'admin'`,
    ],
    [
      'holds the duty until a moment ago',
      `update ops.operator_duties set expires_at = now() - interval '1 second' where login = $1`,
    ],
  ])('a use after the approver, or the requester, %s', async (_, end) => {
    for (const leaving of ['approver', 'requester'] as const) {
      const [asking, approving] = [await operator('admin'), await operator('admin')];
      const [first, second] = [await under(asking), await under(approving)];
      const plan = aPlan();
      const approval = await ask(first, plan);
      await decide(second, approval);
      await superuser.query(end, [leaving === 'approver' ? approving.user : asking.user]);
      await expect(use(first, plan), leaving).rejects.toMatchObject(
        refused('NS004', leaving === 'approver' ? /no longer/ : /approved for the duty/),
      );
      if (leaving === 'requester') continue;
      expect(await ask(first, plan)).toMatchObject({ decision: null });
    }
  });

  test('a request by a revoked operator, and a decision on it', async () => {
    const [asking, approving] = [await operator('admin'), await operator('admin')];
    const [first, second] = [await under(asking), await under(approving)];
    const approval = await ask(first, aPlan());
    await superuser.query('update ops.operators set revoked_at = now() where login = $1', [approving.user]);
    await expect(decide(second, approval)).rejects.toMatchObject(refused('NS004'));
    await superuser.query('update ops.operators set revoked_at = now() where login = $1', [asking.user]);
    await expect(ask(first, aPlan())).rejects.toMatchObject(refused('NS004'));
    await expect(decide(first, approval, 'withdrawn')).rejects.toMatchObject(refused('NS004'));
  });

  test('direct DML by every duty', async () => {
    const approval = await ask(await camille(), aPlan());
    for (const duty of ['support', 'compliance', 'sre', 'auditor', 'admin']) {
      const client = await under(database.operators[1], duty);
      for (const statement of [
        `insert into ops.approvals (action, plan, reason, ticket) values ('operator', '{}', 'a long enough reason', 'OPS-1')`,
        `update ops.approvals set decision = 'granted' where id = '${approval.id}'`,
        `delete from ops.approvals`,
        'truncate ops.approvals',
        `update ops.approval_rules set approver_duty = 'support', lasts = '30 days'`,
        `insert into ops.approval_rules values ('nothing', 'admin', 'admin', '1 day', 'x')`,
        'alter table ops.approvals disable trigger all',
        `insert into ops.access_reviews (grant_id, verdict, note) values (gen_random_uuid(), 'justified', 'a long enough note')`,
      ]) {
        await expect(client.query(statement), `${duty}: ${statement}`).rejects.toMatchObject({
          code: '42501',
        });
      }
    }
  });

  test('somebody with another duty: to ask, to decide and to use', async () => {
    const plan = aPlan();
    const { approval } = await granted(plan);
    const waiting = await ask(await camille(), aPlan());
    for (const duty of ['support', 'compliance', 'sre', 'auditor']) {
      const target = await operator(duty as 'support');
      const client = await under(target, duty);
      await expect(ask(client, aPlan()), duty).rejects.toMatchObject(refused('NS004'));
      await expect(decide(client, waiting), duty).rejects.toMatchObject(
        refused(duty === 'auditor' ? 'NS004' : 'NS006'),
      );
      const seen = await client.query('select id from ops.approvals where id = any ($1)', [
        [approval.id, waiting.id],
      ]);
      expect(seen.rowCount, duty).toBe(duty === 'auditor' ? 2 : 0);
      await expect(use(await under(database.operators[0], duty), plan), duty).rejects.toMatchObject(
        refused('NS004', /duty admin/),
      );
    }
    // A duty that is not taken does not count, nor does a role without one.
    const none = await under(database.operators[1]);
    await none.query('reset role');
    await expect(decide(none, waiting)).rejects.toMatchObject({ code: '42501' });
  });

  test('what compliance asks for to all but compliance', async () => {
    const [asking, approving] = [await operator('compliance'), await operator('compliance')];
    const plan = { do: 'erase', subject: randomUUID() };
    const first = await under(asking, 'compliance');
    const approval = await ask(first, plan, { action: 'erasure' });
    await expect(decide(await dev(), approval)).rejects.toMatchObject(refused('NS004', /duty compliance/));
    await decide(await under(approving, 'compliance'), approval);
    await use(first, plan, 'erasure');
  });

  test('two sessions at once: exactly one uses it, and asking twice at once files one request', async () => {
    for (let round = 0; round < 5; round++) {
      const plan = aPlan();
      const sessions = await Promise.all([camille(), camille(), camille(), camille()]);
      const filed = await Promise.all(sessions.map((client) => ask(client, plan)));
      expect(new Set(filed.map(({ id }) => id)).size).toBe(1);
      await decide(await dev(), filed[0] as Approval);
      const outcomes = await Promise.allSettled(sessions.map((client) => use(client, plan)));
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'NS005' });
      }
    }
  });

  test('the second of two uses that wait for each other, and lets it go on when the first is rolled back', async () => {
    const plan = aPlan();
    const { first, approval } = await granted(plan);
    const other = await camille();
    for (const end of ['rollback', 'commit'] as const) {
      await first.query('begin');
      await use(first, plan);
      await other.query('begin');
      const waiting = use(other, plan).then(
        () => 'used',
        (error: pg.DatabaseError) => error.code,
      );
      await waits(other);
      await first.query(end);
      expect(await waiting).toBe(end === 'rollback' ? 'used' : 'NS005');
      await other.query('rollback');
    }
    const { rows } = await owner.query(
      'select used_at is not null as used from ops.approvals where id = $1',
      [approval.id],
    );
    expect(rows).toEqual([{ used: true }]);
  });

  test('two decisions at once but one', async () => {
    const approval = await ask(await camille(), aPlan());
    const deciders = await Promise.all([
      dev(),
      under(await operator('admin')),
      under(await operator('admin')),
    ]);
    const outcomes = await Promise.allSettled(
      deciders.map((client, at) => decide(client, approval, at === 0 ? 'granted' : 'refused')),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('what is no request: an unknown action, no plan, no reason, no ticket', async () => {
    const first = await camille();
    for (const [action, plan, reason, ticket, code] of [
      ['nothing', '{}', WHY, 'OPS-1', 'NS007'],
      ['operator', null, WHY, 'OPS-1', 'NS007'],
      ['operator', '[1]', WHY, 'OPS-1', 'NS007'],
      ['operator', '{}', 'short', 'OPS-1', 'NS001'],
      ['operator', '{}', 'a reason\nof two lines', 'OPS-1', 'NS007'],
      ['operator', '{}', WHY, 'no ticket', 'NS001'],
      ['operator', '{}', WHY, null, 'NS001'],
    ] as const) {
      await expect(
        first.query('select ops.request_approval($1, $2, $3, $4)', [action, plan, reason, ticket]),
        JSON.stringify([action, plan, reason, ticket]),
      ).rejects.toMatchObject({ code });
    }
    const approval = await ask(first, aPlan());
    const second = await dev();
    await expect(decide(second, approval, 'granted', 'yes')).rejects.toMatchObject(refused('NS001'));
    await expect(decide(second, approval, 'approved')).rejects.toMatchObject(refused('NS007'));
    await expect(decide(second, { ...approval, id: randomUUID() })).rejects.toMatchObject(refused('NS006'));
  });
});

/** Until a session waits for another's lock. */
async function waits(client: pg.Client): Promise<void> {
  const { processID } = client as unknown as { processID: number };
  for (let round = 0; round < 500; round++) {
    const { rows } = await superuser.query(
      `select 1 from pg_stat_activity where pid = $1 and wait_event_type = 'Lock'`,
      [processID],
    );
    if (rows.length > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('it never waited');
}
