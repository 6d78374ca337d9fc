import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withConnection } from '../../src/platform/database/connection.js';
import { runOnTerminal } from '../support/console.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type OperatorConsole, operatorConsole } from '../support/operator-console.js';
import { makeFamily } from '../support/small-world.js';

const WHY = ['--reason', 'joins the support team', '--ticket', 'HR-7'];
const SECRET = 'correct-horse-battery';

let database: TestDatabase;
let camille: OperatorConsole;
let dev: OperatorConsole;
let program: string;
let counter = 0;
const made: string[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  camille = await operatorConsole(database);
  dev = await operatorConsole(database, { operator: database.operators[1] });
  program = join(mkdtempSync(join(tmpdir(), 'nestctl-password-')), 'print');
  writeFileSync(program, `#!/bin/sh\necho ${SECRET}\n`, { mode: 0o700 });
});
afterAll(async () => {
  await withConnection({ ...database.superuser, database: 'postgres' }, async (connection) => {
    await database.drop();
    for (const login of made) await connection.query(`drop role if exists "${login}"`);
  });
});

const newLogin = () => {
  const login = `op.${database.name.slice(5)}.${++counter}`;
  made.push(login);
  return login;
};

const adding = (login: string, email = 'jo@nestsync.example') => [
  'operator',
  'add',
  login,
  '--name',
  'Jo Tremblay',
  '--email',
  email,
  '--duties',
  'support',
  '--password-command',
  program,
  '--yes',
  ...WHY,
];

const grant = (id: string, by = dev) =>
  by.json(['approval', 'grant', id, '--reason', 'spoken with their manager', '--yes']);

/** Asked, approved by the second operator and run again. */
async function through(args: readonly string[]) {
  const asked = await camille.json(args);
  expect(asked.code).toBe(8);
  expect((await grant(asked.body.result.approval.id)).code).toBe(0);
  return await camille.json(args);
}

describe('four eyes from the console', () => {
  test('a write that needs an approval files it, prints the approver’s command, exits 8, and goes on once granted', async () => {
    const login = newLogin();
    const asked = await camille.json(adding(login));
    expect(asked.code).toBe(8);
    expect(asked.body.ok).toBe(true);
    const { approval, approve } = asked.body.result;
    expect(Object.keys(asked.body.result).sort()).toEqual(['approval', 'approve']);
    expect(Object.keys(approval).sort()).toEqual([
      'action',
      'approver_duty',
      'decided_at',
      'decided_by',
      'decided_reason',
      'duty',
      'expires_at',
      'id',
      'plan',
      'plan_hash',
      'reason',
      'requested_at',
      'requested_by',
      'state',
      'ticket',
      'used_at',
    ]);
    expect(approval).toMatchObject({
      action: 'operator',
      state: 'pending',
      requested_by: 'camille.roy',
      reason: WHY[1],
      ticket: 'HR-7',
      plan: {
        do: 'add operator',
        login,
        name: 'Jo Tremblay',
        email: 'jo@nestsync.example',
        duties: ['support'],
        until: null,
      },
    });
    expect(approve).toBe(`nestctl approval grant ${approval.id}`);
    expect(asked.body.meta.next).toBe(approve);

    // Asked again nothing is filed twice, in text as in JSON.
    const text = await camille.run(adding(login));
    expect(text.code).toBe(8);
    expect(text.stdout).toContain(approval.id);
    expect(text.stderr).toContain(`next  ${approve}`);
    const listed = await dev.json(['approval', 'list', '--for-me']);
    const mine = listed.body.result.approvals.filter(
      (one: { plan: { login: string } }) => one.plan.login === login,
    );
    expect(mine).toEqual([approval]);
    const shown = await dev.run(['approval', 'show', approval.id]);
    for (const word of [login, 'Jo Tremblay', 'support', 'camille.roy', approval.plan_hash]) {
      expect(shown.stdout).toContain(word);
    }

    // The approver types what was printed; their reason and consent come from flags where there is no terminal.
    const words = approve.split(' ').slice(1);
    expect((await dev.json(words)).body.error).toMatchObject({ code: 'reason_missing', exitCode: 7 });
    expect((await dev.json([...words, '--reason', 'spoken with them'])).body.error).toMatchObject({
      code: 'consent_missing',
      exitCode: 7,
    });
    const dry = await dev.json([...words, '--reason', 'spoken with them', '--dry-run']);
    expect(dry.body.result).toMatchObject({ dry_run: true, plan: { id: approval.id, state: 'pending' } });
    expect((await grant(approval.id)).body.result).toMatchObject({
      state: 'granted',
      decided_by: 'dev.singh',
      decided_reason: 'spoken with their manager',
    });

    const added = await camille.json(adding(login));
    expect([added.code, added.body.result]).toEqual([0, { login, login_made: true, remaining: [] }]);
    const again = await camille.json(adding(login));
    expect([again.code, again.body.error.code]).toEqual([6, 'conflict']);

    // The new operator works under their password, and only under their duty.
    const operator = { ...database.superuser, user: login, password: SECRET };
    const jo = await operatorConsole(database, { operator, owner: false });
    const who = await jo.json(['operator', 'whoami']);
    expect(who.body.result).toMatchObject({
      login,
      roles: ['support'],
      may_approve: [],
      open_grants: 0,
      to_decide: 0,
      operator: {
        login,
        name: 'Jo Tremblay',
        registered_by: 'camille.roy',
        login_state: 'on',
        revoked_at: null,
      },
    });
    expect((await jo.json(['operator', 'list'])).body.error).toMatchObject({ exitCode: 4 });
    const changed = await jo.run([
      'operator',
      'password',
      '--password-command',
      'echo another-good-password',
    ]);
    expect(changed.code).toBe(0);
    expect((await jo.json(['operator', 'whoami'])).body.error.code).toBe('wrong_password');
    const renewed = await operatorConsole(database, {
      operator: { ...operator, password: 'another-good-password' },
      owner: false,
    });
    expect((await renewed.json(['operator', 'whoami'])).code).toBe(0);
  });

  test('a dry run says what would be done and that it needs an approval, and files nothing', async () => {
    const login = newLogin();
    const dry = await camille.json([...adding(login), '--dry-run']);
    expect([dry.code, dry.body.result]).toEqual([
      0,
      { dry_run: true, needs_approval: true, plan: expect.objectContaining({ do: 'add operator', login }) },
    ]);
    const { approvals } = (await camille.json(['approval', 'list', '--ended', '--limit', '1000'])).body
      .result;
    expect(approvals.filter((one: { plan: { login: string } }) => one.plan.login === login)).toEqual([]);
  });

  test('one’s own, a changed plan, a refusal and a withdrawal', async () => {
    const login = newLogin();
    const { approval } = (await camille.json(adding(login))).body.result;
    expect((await grant(approval.id, camille)).body.error).toMatchObject({
      code: 'duty_not_allowed',
      exitCode: 4,
    });
    const other = await camille.json(adding(login, 'else@nestsync.example'));
    expect(other.code).toBe(8);
    expect(other.body.result.approval.id).not.toBe(approval.id);

    const withdrawn = await camille.json([
      'approval',
      'withdraw',
      other.body.result.approval.id,
      '--reason',
      'a mistake in the address',
      '--yes',
    ]);
    expect(withdrawn.body.result.state).toBe('withdrawn');
    expect((await grant(other.body.result.approval.id)).body.error).toMatchObject({
      code: 'decided',
      exitCode: 6,
    });

    const refused = await dev.json([
      'approval',
      'refuse',
      approval.id,
      '--reason',
      'nobody told us about them',
      '--yes',
    ]);
    expect(refused.body.result).toMatchObject({ state: 'refused', decided_by: 'dev.singh' });
    const told = await camille.json(adding(login));
    expect(told.body.error).toMatchObject({ exitCode: 4, next: `nestctl approval show ${approval.id}` });
    expect((await camille.run(['approval', 'show', approval.id])).stdout).toContain(
      'nobody told us about them',
    );
    expect((await dev.json(['approval', 'show', '00000000-0000-4000-8000-000000000000'])).code).toBe(5);
  });

  test('without a terminal nothing is asked: reason, ticket, consent and password are named by exit 7', async () => {
    const login = newLogin();
    const bare = [
      'operator',
      'add',
      login,
      '--name',
      'Jo',
      '--email',
      'jo@nestsync.example',
      '--duties',
      'support',
    ];
    const code = async (args: readonly string[], input = '') => {
      const { code, body } = await camille.json(args, { input });
      return [code, body.error?.code];
    };
    expect(await code(bare)).toEqual([7, 'reason_missing']);
    expect(await code([...bare, '--reason', 'joins the support team', '--yes'])).toEqual([
      7,
      'reason_missing',
    ]);
    expect(await code([...bare, ...WHY], 'y\ny\n')).toEqual([7, 'consent_missing']);
    expect(await code(['operator', 'add', login, '--duties', 'support', ...WHY])).toEqual([
      7,
      'flag_missing',
    ]);
    const { approval } = (await camille.json([...bare, ...WHY, '--yes'])).body.result;
    await grant(approval.id);
    expect(await code([...bare, ...WHY, '--yes'], `${SECRET}\n`)).toEqual([7, 'password_missing']);
    // The approval is not used up by that.
    const { body } = await camille.json([...bare, ...WHY, '--yes', '--no-password']);
    expect(body.result).toMatchObject({ login, login_made: true });
  });

  test('a password is in no output, and its program’s failure is told without its words', async () => {
    const login = newLogin();
    await through(adding(login));
    const failing = await camille.run([
      'operator',
      'password',
      '--password-command',
      `sh -c "echo ${SECRET}; exit 1"`,
      '--verbose',
    ]);
    expect(failing.code).toBe(1);
    expect(failing.stdout + failing.stderr).not.toContain(SECRET);
    const weak = await camille.json(['operator', 'password', '--password-command', 'echo short']);
    expect(weak.body.error).toMatchObject({ code: 'invalid_password', exitCode: 2 });
    expect(JSON.stringify(weak.body)).not.toContain('"short"');
    const all = await withConnection(database.superuser, (connection) =>
      connection.query<{ text: string }>(
        `select e::text from audit.events e where e::text like '%' || $1 || '%' or e::text like '%SCRAM-SHA%'`,
        [SECRET],
      ),
    );
    expect(all).toEqual([]);
  });
});

describe('operators', () => {
  test('duties are given with an end and taken again; nobody gives themselves one', async () => {
    const login = newLogin();
    await through(adding(login));
    const duty = (...args: string[]) => ['operator', 'duty', login, ...args, '--yes', ...WHY];
    expect((await camille.json(duty('--add', 'auditor'))).body.error).toMatchObject({ exitCode: 2 });
    expect((await camille.json(duty('--add', 'auditor', '--until', '2020-01-01'))).body.error).toMatchObject({
      exitCode: 2,
    });
    const until = new Date(Date.now() + 40 * 86_400_000).toISOString().slice(0, 10);
    expect((await through(duty('--add', 'auditor', '--until', until))).code).toBe(0);
    const find = async () =>
      (await camille.json(['operator', 'list', '--duty', 'admin'])).body.result.operators.find(
        (one: { login: string }) => one.login === login,
      );
    expect((await find()).duties).toMatchObject([
      { duty: 'auditor', live: true },
      { duty: 'support', live: true, expires_at: null },
    ]);
    const { body } = await through(duty('--remove', 'support'));
    expect(body.result).toMatchObject({ login, grants_closed: 0, elsewhere: [], remaining: [] });
    expect((await find()).duties).toMatchObject([{ duty: 'auditor' }]);

    const own = await camille.json([
      'operator',
      'duty',
      'camille.roy',
      '--add',
      'compliance',
      '--yes',
      ...WHY,
    ]);
    expect(own.body.error).toMatchObject({ code: 'duty_not_allowed', exitCode: 4 });
    expect((await camille.json(duty())).code).toBe(2);
    expect(
      (await camille.json(['operator', 'duty', 'nobody.here', '--add', 'sre', '--yes', ...WHY])).code,
    ).toBe(5);
  });

  test('revoking ends sessions, grants and the login, and says so', async () => {
    const login = newLogin();
    await through(adding(login));
    const operator = { ...database.superuser, user: login, password: SECRET };
    const jo = await operatorConsole(database, { operator, owner: false });
    expect((await jo.json(['access', 'open', '--directory', ...WHY])).code).toBe(0);
    const { code, body } = await through(['operator', 'revoke', login, '--yes', ...WHY]);
    expect([code, body.result]).toEqual([
      0,
      { login, grants_closed: 1, elsewhere: [], remaining: [], sessions_ended: 0, sessions_left: 0 },
    ]);
    expect((await jo.json(['access', 'list'])).body.error).toMatchObject({
      code: 'login_refused',
      exitCode: 4,
    });
    const { operators } = (await camille.json(['operator', 'list', '--revoked'])).body.result;
    expect(operators.find((one: { login: string }) => one.login === login)).toMatchObject({
      login_state: 'off',
      duties: [],
    });
    expect((await camille.json(['operator', 'revoke', login, '--yes', ...WHY])).code).toBe(6);
  });

  test('bootstrap makes two admins through the owner, one a call, and then no more', async () => {
    const empty = await createTestDatabase();
    try {
      await withConnection(empty.superuser, (connection) =>
        connection.query('update ops.operators set revoked_at = now()'),
      );
      const console = await operatorConsole(empty);
      const boot = (login: string, ...more: string[]) =>
        console.json([
          'operator',
          'bootstrap',
          login,
          '--name',
          'First Admin',
          '--email',
          'first@nestsync.example',
          '--password-command',
          program,
          '--reason',
          'first admins of production',
          '--ticket',
          'OPS-1',
          '--yes',
          ...more,
        ]);
      const [first, second, third] = [newLogin(), newLogin(), newLogin()];
      expect((await boot(first, '--dry-run')).body.result.plan).toEqual({
        login: first,
        name: 'First Admin',
        email: 'first@nestsync.example',
        duties: ['admin'],
        admins: [],
        login_exists: false,
      });
      expect((await boot(first)).body.result).toMatchObject({
        login: first,
        login_made: true,
        admins: [first],
      });
      expect((await boot(second)).body.result).toMatchObject({ admins: [first, second] });
      expect((await boot(third)).body.error).toMatchObject({ code: 'bootstrapped', exitCode: 6 });
      const events = await withConnection(empty.superuser, (connection) =>
        connection.query(
          `select distinct session_login, duty, reason, ticket from audit.events
           where table_name = 'ops.operators' and operation = 'INSERT' and new_row::jsonb ->> 'login' = any ($1)`,
          [[first, second]],
        ),
      );
      expect(events).toEqual([
        {
          session_login: empty.owner.user,
          duty: null,
          reason: 'first admins of production',
          ticket: 'OPS-1',
        },
      ]);
      // They approve nothing for a day.
      const as = (login: string) =>
        operatorConsole(empty, {
          operator: { ...empty.superuser, user: login, password: SECRET },
          owner: false,
        });
      const [one, two] = [await as(first), await as(second)];
      const asked = await one.json(['operator', 'duty', second, '--add', 'sre', '--yes', ...WHY]);
      expect(asked.code).toBe(8);
      const early = await two.json([
        'approval',
        'grant',
        asked.body.result.approval.id,
        '--yes',
        '--reason',
        'as we agreed today',
      ]);
      expect(early.body.error).toMatchObject({ code: 'duty_not_allowed', exitCode: 4 });
      const noOwner = await operatorConsole(empty, { owner: false });
      const { body } = await noOwner.json([
        'operator',
        'bootstrap',
        third,
        '--name',
        'A B',
        '--email',
        'a@b.example',
        '--yes',
        ...WHY,
      ]);
      expect(body.error).toMatchObject({ code: 'no_owner_connection', exitCode: 4 });
    } finally {
      await empty.drop();
    }
  });
});

describe('break-glass', () => {
  test('with an approval: 60 minutes, once, no review', async () => {
    const open = ['access', 'open', '--break-glass', '--approved', '--for', '60m', ...WHY];
    const { code, body } = await through(open);
    expect([code, body.result]).toMatchObject([0, { kind: 'break_glass', duty: 'admin', family_id: null }]);
    expect(Date.parse(body.result.expires_at) - Date.now()).toBeGreaterThan(59 * 60_000);
    expect(body.warnings).toEqual([]);
    expect((await camille.json(open)).code).toBe(8);
    expect((await camille.json(['access', 'open', '--approved', '--directory', ...WHY])).code).toBe(2);
    const long = await camille.json([
      'access',
      'open',
      '--break-glass',
      '--approved',
      '--for',
      '61m',
      ...WHY,
    ]);
    expect(long.body.error).toMatchObject({ exitCode: 2 });
    await camille.json(['access', 'close', '--all']);
  });

  test('whose id is missing is chosen from a list: others’ to decide, one’s own to withdraw', async () => {
    const open = async () => (await camille.json(['approval', 'list'])).body.result.approvals.length;
    const before = await open();
    await camille.json(['access', 'open', '--break-glass', '--approved', ...WHY]);
    const on = (who: OperatorConsole, verb: string) =>
      runOnTerminal(['approval', verb, ...WHY, '--yes'], {
        env: { ...who.env, NO_COLOR: '1' },
        type: [{ at: 'camille.roy ·', keys: '\r' }],
      });
    const refused = await on(dev, 'refuse');
    expect(refused.code, refused.stdout).toBe(0);
    expect(refused.stdout).toMatch(/nestctl approval refuse .*[0-9a-f-]{36}/);
    expect(await open()).toBe(before);
    await camille.json(['access', 'open', '--break-glass', '--approved', '--for', '20m', ...WHY]);
    expect((await on(camille, 'withdraw')).code).toBe(0);
    expect(await open()).toBe(before);
  });

  test('alone: a banner, a finding of doctor, and a review that somebody else signs', async () => {
    const family = await makeFamily(database, { name: 'Tremblay' });
    const opened = await camille.json(['access', 'open', '--break-glass', ...WHY]);
    expect(opened.code).toBe(0);
    await withConnection(database.operators[0], async (connection) => {
      await connection.query('set role nestsync_admin');
      await connection.query(`update public.families set description = 'seen to' where id = $1`, [family.id]);
    });
    expect(opened.body.warnings).toMatchObject([{ code: 'break_glass' }]);
    const { id } = opened.body.result;
    const finding = async () => {
      const { code, body } = await dev.json(['doctor']);
      const found = body.result.findings.filter((one: { name: string }) => one.name === 'break_glass');
      return [code, found[0]?.level, found[0]?.object, found[0]?.remedy];
    };
    expect(await finding()).toEqual([
      3,
      'warning',
      'camille.roy',
      'nestctl access list --operator camille.roy',
    ]);
    const review = (by: OperatorConsole, ...more: string[]) => by.json(['access', 'review', id, ...more]);
    const sign = ['--verdict', 'justified', '--reason', 'as the incident report says', '--yes'];
    expect((await review(dev, ...sign)).body.error).toMatchObject({ code: 'still_open', exitCode: 6 });
    await camille.json(['access', 'close', '--all']);
    expect(await finding()).toEqual([3, 'warning', 'camille.roy', `nestctl access review ${id}`]);

    const waiting = (await dev.json(['access', 'review'])).body;
    expect(waiting.result.reviews).toMatchObject([
      { id, operator: 'camille.roy', state: 'due', verdict: null },
    ]);
    expect(waiting.meta.next).toBe(`nestctl access review ${id}`);
    const deeds = (await review(dev)).body.result;
    expect(deeds.counts).toEqual([{ table_name: 'public.families', operation: 'update', events: 1 }]);
    expect(deeds.events).toMatchObject([{ table_name: 'public.families', record: family.id }]);
    expect((await review(camille, ...sign)).body.error).toMatchObject({ exitCode: 4 });
    expect((await review(dev, ...sign, '--dry-run')).body.result.dry_run).toBe(true);
    expect((await review(dev, ...sign)).body.result).toMatchObject({
      state: 'reviewed',
      verdict: 'justified',
      reviewer: 'dev.singh',
      note: 'as the incident report says',
    });
    expect((await review(dev, ...sign)).body.error).toMatchObject({ code: 'reviewed', exitCode: 6 });
    expect((await dev.json(['access', 'review'])).body.result.reviews).toEqual([]);
    expect((await dev.json(['access', 'review', '--all'])).body.result.reviews).toHaveLength(1);
    expect((await finding())[1]).toBe('ok');
  });
});
