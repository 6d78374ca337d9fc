import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { withConnection } from '../../src/platform/database/connection.js';
import { runOnTerminal } from '../support/console.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type OperatorConsole, operatorConsole } from '../support/operator-console.js';
import { asService, makeFamily, type SmallFamily } from '../support/small-world.js';

const WHY = ['--reason', 'Grandma cannot see the log', '--ticket', 'SUP-1'];

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

interface Complaint {
  readonly me: OperatorConsole;
  readonly login: string;
  readonly family: SmallFamily;
  /** A diagnosis of the grandmother, with the purpose. */
  ask(...args: readonly string[]): ReturnType<OperatorConsole['json']>;
}

/** A family of the test's own, and a support operator of its own. */
async function complaint(): Promise<Complaint> {
  const family = await makeFamily(database, { name: 'Tremblay' });
  const operator = await database.makeOperator('support');
  const me = await operatorConsole(database, { operator, owner: false });
  return {
    me,
    login: operator.user,
    family,
    ask: (...args) => me.json(['access', 'diagnose', '--user', family.gran.email, ...args, ...WHY]),
  };
}

const change = (statement: string, ...values: readonly unknown[]) =>
  asService(database, (service) => service.query(statement, values));
const expire = (family: SmallFamily) =>
  change(
    `update public.family_members set created_at = now() - interval '90 days', joined_at = '2026-03-02', access_expires_at = now() - interval '23 days 1 hour' where user_id = $1`,
    family.gran.id,
  );
const daysAgo = (days: number) =>
  new Date(Date.now() - days * 86_400_000 - 3_600_000).toISOString().slice(0, 10);

describe.concurrent('access diagnose', () => {
  test('says the cause on the first line, what mends it on the next, and why below', async ({ expect }) => {
    const { me, family } = await complaint();
    await expire(family);
    const { code, stdout, stderr } = await me.run([
      'access',
      'diagnose',
      '--user',
      family.gran.email,
      ...WHY,
    ]);
    const mend = `nestctl member extend --family ${family.id} --user ${family.gran.email} --until 365d --reason '…' --ticket …`;
    expect(code).toBe(0);
    expect(stdout.split('\n').map((line) => line.trimEnd())).toEqual([
      `✗ ${family.gran.email}: access to family Tremblay ended ${daysAgo(23)}, 23 days ago`,
      `  mend: ${mend}`,
      'cause    access_expired',
      `because  extended_family, membership active since 2026-03-02; membership expired ${daysAgo(23)}`,
      '',
    ]);
    expect(stderr.split('\n')).toEqual([
      // The grants that it took to look.
      expect.stringMatching(/^· 2 audit events from \d+ on, 2 transactions: insert ops.access_grants 2$/),
      expect.stringMatching(/^ {2}nestctl audit query --request [0-9a-f-]{36}$/),
      `next  ${mend}`,
      '',
    ]);
  });

  test('mends what it named, in one change with reason and ticket, and finds nothing afterwards', async ({
    expect,
  }) => {
    const { family, ask, login } = await complaint();
    await expire(family);
    await change(`update public.family_members set status = 'suspended' where user_id = $1`, family.gran.id);
    const { body } = await ask();
    expect(body.result.causes.map(({ id }: { id: string }) => id)).toEqual([
      'membership_suspended',
      'access_expired',
    ]);
    const dry = await ask('--fix', 'membership_suspended', '--dry-run');
    expect([dry.code, dry.body.result.dry_run, dry.body.result.plan.cause.steps.length]).toEqual([
      0,
      true,
      2,
    ]);
    expect((await ask()).body.result.causes).toHaveLength(2);
    const fixed = await ask('--fix', 'membership_suspended', '--yes');
    expect([fixed.code, fixed.body.result.after.causes]).toEqual([0, []]);
    const events = await withConnection(database.superuser, (superuser) =>
      superuser.query<{ reason: string; ticket: string; count: number }>(
        `select reason, ticket, count(*)::int from audit.events
         where session_login = $1 and table_name = 'public.family_members' group by 1, 2`,
        [login],
      ),
    );
    expect(events).toEqual([{ reason: 'Grandma cannot see the log', ticket: 'SUP-1', count: 2 }]);
    const healthy = await ask();
    expect([healthy.code, healthy.body.result.causes]).toEqual([0, []]);
    expect(healthy.body.result.permitted[0].permissions).toContain('usage:read');
  });

  test('off a terminal asks for the cause and for consent with exit 7, and refuses a cause that was not found', async ({
    expect,
  }) => {
    const { family, ask, me } = await complaint();
    await expire(family);
    const unnamed = await ask('--fix', '--yes');
    expect([unnamed.code, unnamed.body.error.code, unnamed.body.error.next]).toEqual([
      7,
      'cause_missing',
      `nestctl access diagnose --user ${family.gran.email} --fix access_expired --yes`,
    ]);
    const silent = await me.run([
      'access',
      'diagnose',
      '--user',
      family.gran.email,
      '--fix',
      'access_expired',
    ]);
    expect([silent.code, silent.stderr]).toEqual([7, expect.stringContaining('consent')]);
    const unknown = await ask('--fix', 'no_membership', '--yes');
    expect([unknown.code, unknown.body.error.code]).toEqual([2, 'unknown_cause']);
    expect((await ask()).body.result.causes).toHaveLength(1);
  });

  test('hands over what support may not mend, and says so by exit 8, and by exit 4 to who insists', async ({
    expect,
  }) => {
    const { family, ask, me } = await complaint();
    await change(
      `insert into public.consent_records (user_id, consent_type, status, consent_version, granted_at, withdrawn_at)
       values ($1, 'child_data', 'withdrawn', '1', '2026-01-02', '2026-11-03')`,
      family.gran.id,
    );
    await expire(family);
    const { code, body } = await ask();
    expect([code, body.result.causes.map(({ kind }: { kind: string }) => kind)]).toEqual([
      8,
      ['consent_withdrawn', 'access_expired'],
    ]);
    expect(body.result.causes[0]).toMatchObject({ commands: [], who: expect.stringMatching(/^compliance/) });
    // Which consent it is, and when it was withdrawn, support does not learn.
    expect(JSON.stringify(body)).not.toMatch(/child_data|2026-11-03/);
    const { stdout } = await me.run(['access', 'diagnose', '--user', family.gran.email]);
    expect(stdout.split('\n')[1]).toMatch(/^ {2}hand over to compliance/);
    for (const cause of ['consent_withdrawn', 'access_expired']) {
      const fix = await ask('--fix', cause, '--yes');
      expect([fix.code, fix.body.error.code]).toEqual([4, 'handed_over']);
    }
  });

  test('sends an invitation again, and says by exit 8 that it waits to be accepted', async ({ expect }) => {
    const { family, ask } = await complaint();
    await change(`delete from public.family_members where user_id = $1`, family.gran.id);
    await change(
      `insert into public.family_invitations (family_id, email, role, token_hash, created_at, expires_at)
       values ($1, $2, 'extended_family', sha256(uuid_send($3)), now() - interval '20 days', now() - interval '13 days')`,
      family.id,
      family.gran.email.toUpperCase(),
      randomUUID(),
    );
    const { code, body } = await ask();
    expect([code, body.result.causes[0].kind]).toEqual([0, 'invitation_expired']);
    // Nobody opened that family: its name is masked, and mending it opens it with the same reason and ticket.
    expect(body.result.causes[0].family).toEqual({ id: family.id, name: 'Tre…', granted: false });
    const fixed = await ask('--fix', 'invitation_expired', '--yes');
    expect([fixed.code, fixed.body.result.after.causes[0].kind]).toEqual([8, 'invitation_not_accepted']);
  });

  test('narrows to what is expected, and refuses what nobody can expect', async ({ expect }) => {
    const { ask } = await complaint();
    const { body } = await ask('--expects', 'children:update', '--expects', 'usage_logs');
    expect(body.result.causes.map(({ kind }: { kind: string }) => kind)).toEqual(['role_too_low']);
    expect(body.result.causes[0].commands[0]).toMatch(/member set-permissions .* --grant children:update /);
    for (const strange of ['users', 'usage_logs:truncate', 'families:delete']) {
      const refused = await ask('--expects', strange);
      expect([refused.code, refused.body.error.code]).toEqual([2, 'invalid_expectation']);
    }
  });

  test('without a grant or a reason for one it answers nothing, and each question is on record', async ({
    expect,
  }) => {
    const { me, family, ask, login } = await complaint();
    const bare = await me.json(['access', 'diagnose', '--user', family.gran.id, '--family', family.id]);
    expect([bare.code, bare.body.error.code]).toEqual([4, 'no_grant']);
    await ask('--family', family.id, '--child', 'Léa');
    const recorded = await withConnection(database.superuser, (superuser) =>
      superuser.query(
        `select d.person, d.family_id, d.child, a.ticket from ops.access_diagnoses d
           join audit.events a on a.record_id = d.id and a.table_name = 'ops.access_diagnoses'
         where d.operator = $1`,
        [login],
      ),
    );
    expect(recorded).toEqual([
      { person: family.gran.id, family_id: family.id, child: 'Léa', ticket: 'SUP-1' },
    ]);
  });

  test('on a terminal the cause is chosen by typing, and mended after a yes', async ({ expect }) => {
    const { me, family } = await complaint();
    await change(
      `update public.family_members set status = 'suspended', created_at = now() - interval '9 days', access_expires_at = now() - interval '1 day' where user_id = $1`,
      family.gran.id,
    );
    const run = await runOnTerminal(
      ['access', 'diagnose', '--user', family.gran.email, '--family', family.id, '--fix', ...WHY],
      {
        env: { ...me.env, NO_COLOR: '1' },
        type: [
          { at: 'Mend which cause?', keys: 'susp' },
          { at: '❯ membership_suspended', keys: '\r' },
          { at: `Mend membership_suspended for ${family.gran.email}?`, keys: 'y\r' },
        ],
      },
    );
    expect(run.code, run.stdout).toBe(0);
    expect(run.stdout).toContain('Mended: nothing stands in the way');
    expect(run.stdout).toContain('ask first');
  });

  test('a compliance officer may diagnose, and mends nothing', async ({ expect }) => {
    const { family } = await complaint();
    await expire(family);
    const officer = await operatorConsole(database, {
      operator: await database.makeOperator('compliance'),
      owner: false,
    });
    const ask = ['access', 'diagnose', '--user', family.gran.id, ...WHY];
    expect((await officer.json(ask)).body.result.causes[0].kind).toBe('access_expired');
    const fix = await officer.json([...ask, '--fix', 'access_expired', '--yes']);
    expect([fix.code, fix.body.error.code]).toEqual([4, 'duty_not_held']);
  });
});
