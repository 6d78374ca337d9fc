import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withConnection } from '../../src/platform/database/connection.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type OperatorConsole, operatorConsole } from '../support/operator-console.js';
import { asService, makeFamily, type SmallFamily } from '../support/small-world.js';

const WHY = ['--reason', 'Grandma cannot see the log', '--ticket', 'SUP-1'];
const SECRET = 'une note privée';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

interface Complaint {
  readonly me: OperatorConsole;
  readonly login: string;
  readonly family: SmallFamily;
  readonly log: string;
  /** What is asked about the grandmother, with the purpose. */
  ask(...args: readonly string[]): ReturnType<OperatorConsole['json']>;
}

/** A family of the test's own, and a support operator of its own. */
async function complaint(): Promise<Complaint> {
  const family = await makeFamily(database, { name: 'Tremblay', notes: SECRET });
  const [log] = await asService(database, (service) =>
    service.query<{ id: string }>('select id from public.usage_logs where family_id = $1', [family.id]),
  );
  const operator = await database.makeOperator('support');
  const me = await operatorConsole(database, { operator, owner: false });
  return {
    me,
    login: operator.user,
    family,
    log: log?.id ?? '',
    ask: (...args) => me.json(['access', 'explain', '--user', family.gran.email, ...args, ...WHY]),
  };
}

const change = (statement: string, ...values: readonly unknown[]) =>
  asService(database, (service) => service.query(statement, values));

describe.concurrent('access explain', () => {
  test('says that Grandma may see the log; and once her membership has expired, why not and what mends it', async ({
    expect,
  }) => {
    const { me, family, log, ask } = await complaint();
    const which = ['--table', 'usage_logs', '--row', log];
    const before = await ask(...which);
    expect([before.code, before.body.result?.verdict, before.body.result?.missing]).toEqual([
      0,
      'allowed',
      [],
    ]);
    await change(
      `update public.family_members set access_expires_at = '2026-11-01', joined_at = '2026-03-02', created_at = '2026-03-02' where user_id = $1`,
      family.gran.id,
    );
    const { code, stdout, stderr } = await me.run([
      'access',
      'explain',
      '--user',
      family.gran.email,
      ...which,
    ]);
    const year = new Date().getUTCFullYear() + 1;
    const mend = `nestctl member extend --family ${family.id} --user ${family.gran.email} --until ${new Date().toISOString().replace(/^\d+/, String(year)).slice(0, 10)} --reason '…' --ticket …`;
    expect(code).toBe(0);
    expect(stdout.split('\n')).toEqual([
      `✗ ${family.gran.email} cannot SELECT usage_logs ${log}`,
      `family Tremblay ${family.id} · role extended_family · active since 2026-03-02`,
      '├ ✓ grant  authenticated has SELECT',
      '├ ✓ RLS    row level security enabled and forced, 1 of 8 policies apply',
      '└ ✗ usage_logs_member_select',
      '  ├ ✓ role extended_family gives usage:read',
      '  └ ✗ membership expired 2026-11-01 ← the smallest missing fact',
      'would be visible if the membership had not expired',
      `mend: ${mend}`,
      '',
    ]);
    expect(stderr).toBe(`next  ${mend}\n`);
  });

  test.each([
    [
      'membership.status',
      `update public.family_members set status = 'suspended' where user_id = $1`,
      /member reinstate --family/,
    ],
    [
      'membership.status',
      `update public.family_members set status = 'invited' where user_id = $1`,
      /invitation create --family .* --role extended_family/,
    ],
    ['account', `update public.users set status = 'suspended' where id = $1`, /user reinstate/],
    [
      'family.archive',
      `update public.families set archived_at = now() where id in (select family_id from public.family_members where user_id = $1)`,
      /family restore/,
    ],
    [
      'permission:usage:read',
      `update public.family_members set denied_permissions = '{usage:read}' where user_id = $1`,
      /member set-permissions --family \S+ --user \S+ --reason/,
    ],
  ])('names %s as the smallest missing fact after: %s', async (fact, statement, mend) => {
    const { me, family, log, ask } = await complaint();
    await change(statement, family.gran.id);
    const { code, body } = await ask('--table', 'usage_logs', '--row', log);
    expect([code, body.result.verdict, body.result.missing.map((one: { fact: string }) => one.fact)]).toEqual(
      [0, 'denied', [fact]],
    );
    expect(body.result.mend[0].command).toMatch(mend);
    expect(body.meta.next).toBe(body.result.mend[0].command);
    expect(JSON.stringify(body)).not.toContain(SECRET);
    // What it proposes is done as it stands, and then works; an invitation has still to be accepted.
    const words = (body.meta.next as string)
      .replace(/ --reason .*/, '')
      .split(' ')
      .slice(1);
    expect((await me.json([...words, ...WHY, '--yes'])).body).toMatchObject({ ok: true });
    if (words[0] === 'invitation') return;
    const after = await ask('--table', 'usage_logs', '--row', log);
    expect([after.body.result.verdict, after.body.result.mend]).toEqual(['allowed', []]);
  });

  test('who may not be mended by support is handed to those who may', async ({ expect }) => {
    const { family, log, ask } = await complaint();
    await change(
      `update public.users set status = 'pending_deletion', data_deletion_requested_at = now() where id = $1`,
      family.gran.id,
    );
    const { body } = await ask('--table', 'usage_logs', '--row', log);
    expect(body.result.missing[0].fact).toBe('account');
    expect(body.result.mend).toEqual([{ command: null, who: expect.stringMatching(/^compliance/) }]);
    expect(body.meta.next).toBe(null);
  });

  test('proposes the narrowest role that gives what the role lacks, and nobody where no policy would', async ({
    expect,
  }) => {
    const { family, ask } = await complaint();
    const child = ['--table', 'children', '--row', family.child];
    const changing = await ask(...child, '--command', 'update', '--values', '{"name":"Zoé"}');
    expect(changing.body.result.missing.map((one: { fact: string }) => one.fact)).toEqual([
      'permission:children:update',
    ]);
    expect(changing.body.result.mend[0].command).toContain('member set-role');
    expect(changing.body.result.mend[0].command).toContain('--role family_core');
    const deleting = await ask('--table', 'families', '--row', family.id, '--command', 'delete');
    expect(deleting.body.result.verdict).toBe('denied');
    expect(deleting.body.result.mend[0].who).toMatch(/migration/);
    expect(deleting.body.result.notes[0]).toMatch(/nothing was written/);
  });

  test('decides an insert by the row it would make', async ({ expect }) => {
    const { family, ask } = await complaint();
    const values = { family_id: family.id, child_id: family.child, usage_type: 'diaper_change' };
    const insert = (more: object, ...args: string[]) =>
      ask(
        '--table',
        'usage_logs',
        '--command',
        'insert',
        '--values',
        JSON.stringify({ ...values, ...more }),
        ...args,
      );
    expect((await insert({})).body.result.verdict).toBe('allowed');
    const forged = await insert({ created_by: family.core.id });
    expect(forged.body.result.missing.map((one: { would: string }) => one.would)).toEqual([
      'they had written the row themselves',
    ]);
  });

  test('tells a stranger from a member, and needs the family of the complaint for that', async ({
    expect,
  }) => {
    const { me, log, family } = await complaint();
    const stranger = (await complaint()).family.gran;
    const ask = [
      'access',
      'explain',
      '--user',
      stranger.email,
      '--table',
      'usage_logs',
      '--row',
      log,
      ...WHY,
    ];
    const missing = await me.json(ask);
    expect([missing.code, missing.body.error.code]).toEqual([5, 'row_missing']);
    const { code, body } = await me.json([...ask, '--family', family.id]);
    expect([code, body.result.verdict, body.result.missing[0].fact]).toEqual([0, 'denied', 'membership']);
    expect(body.result.mend[0].command).toContain(
      `member add --family ${family.id} --user ${stranger.email} --role`,
    );
  });

  test('without reason or grant it answers nothing, and every question is on record before it is answered', async ({
    expect,
  }) => {
    const { me, log, family, ask, login } = await complaint();
    const bare = await me.json([
      'access',
      'explain',
      '--user',
      family.gran.id,
      '--table',
      'usage_logs',
      '--row',
      log,
    ]);
    expect([bare.code, bare.body.error.code]).toEqual([4, 'no_grant']);
    await ask('--table', 'usage_logs', '--row', log);
    // Also the question that finds no row.
    await ask('--table', 'usage_logs', '--row', randomUUID());
    const recorded = await withConnection(database.superuser, (superuser) =>
      superuser.query(
        `select e.person, e.table_name, e.command, a.ticket from ops.access_explanations e
           join audit.events a on a.record_id = e.id and a.table_name = 'ops.access_explanations'
         where e.operator = $1 order by e.asked_at`,
        [login],
      ),
    );
    const question = {
      person: family.gran.id,
      table_name: 'public.usage_logs',
      command: 'select',
      ticket: 'SUP-1',
    };
    expect(recorded).toEqual([question, question]);
  });

  test('counts the rows where none is named, and says what cuts the most', async ({ expect }) => {
    const { family, ask, me } = await complaint();
    await change(
      `insert into public.usage_logs (family_id, child_id, usage_type) select $1, $2, 'wipe_use' from generate_series(1, 4)`,
      family.id,
      family.child,
    );
    const seen = await ask('--table', 'usage_logs');
    expect([seen.code, seen.body.result?.verdict, seen.body.result?.counts]).toEqual([
      0,
      'allowed',
      [{ family: { id: family.id, name: family.name }, rows: 5, open: 5, cut: null }],
    ]);
    const { code, body } = await ask('--table', 'usage_logs', '--command', 'delete');
    expect([code, body.result?.verdict]).toEqual([0, 'denied']);
    // Extended members delete what they wrote themselves, and wrote nothing.
    expect(body.result.counts[0]).toMatchObject({
      rows: 5,
      open: 0,
      cut: { policy: 'usage_logs_member_delete', text: 'the row was written by them', holds: 0 },
    });
    await change(
      `insert into public.usage_logs (family_id, child_id, usage_type, created_by) select $1, $2, 'wipe_use', $3 from generate_series(1, 2)`,
      family.id,
      family.child,
      family.gran.id,
    );
    const some = await ask('--table', 'usage_logs', '--command', 'delete');
    expect([some.code, some.body.result.verdict, some.body.result.counts[0].open]).toEqual([0, 'some', 2]);
    const { stdout } = await me.run([
      ...['access', 'explain', '--user', family.gran.email, '--table', 'usage_logs', '--command', 'delete'],
      ...WHY,
    ]);
    expect(stdout).toContain(`may delete 2 of 7 rows of usage_logs of the family ${family.name}`);
    expect(stdout).toContain(
      'most are cut by usage_logs_member_delete: the row was written by them holds for 2 of 7',
    );
  });

  test('answers for a past moment from the audit log, in words and zones too', async ({ expect }) => {
    const { me, family, log, ask } = await complaint();
    const which = ['--table', 'usage_logs', '--row', log];
    const before = new Date().toISOString();
    await change(`update public.family_members set status = 'suspended' where user_id = $1`, family.gran.id);
    // Without commit times a change is in doubt for ten seconds.
    await new Promise((resolve) => setTimeout(resolve, 10_500));
    const after = new Date().toISOString();
    await change(`update public.family_members set status = 'active' where user_id = $1`, family.gran.id);
    const suspended = await ask(...which, '--at', after);
    expect([suspended.code, suspended.body.result?.verdict]).toEqual([0, 'denied']);
    expect(suspended.body.result).toMatchObject({
      at: after,
      missing: [{ fact: 'membership.status' }],
      mend: [],
      membership: { status: 'suspended' },
    });
    expect((await ask(...which)).body.result.verdict).toBe('allowed');
    // The row had been made just before: whether it was committed is in doubt.
    const early = await ask(...which, '--at', before);
    expect([early.code, early.body.result?.verdict]).toEqual([9, 'unknown']);
    const gone = await ask(...which, '--at', new Date(Date.now() - 3_600_000).toISOString());
    expect([9, 5]).toContain(gone.code);
    const words = await me.run([
      ...[
        'access',
        'explain',
        '--user',
        family.gran.email,
        ...which,
        '--at',
        after,
        '--zone',
        'America/Toronto',
      ],
      ...WHY,
    ]);
    expect(words.stdout).toMatch(
      /could not SELECT usage_logs \S+ at 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d -0[45]:00/,
    );
    expect(words.stdout).toContain('would have been visible if the membership were active');
    const refused = async (at: string) => {
      const { code, body } = await ask(...which, '--at', at);
      return [code, body.error?.code];
    };
    expect(await refused('2099-01-01')).toEqual([2, 'invalid_time']);
    expect(await refused('some day')).toEqual([2, 'invalid_time']);
  });

  test('tries it as the person too, under an impersonation grant, and undoes it', async ({ expect }) => {
    const { family, log } = await complaint();
    const admin = await operatorConsole(database, {
      operator: await database.makeOperator('admin'),
      owner: false,
    });
    const tried = (...args: string[]) =>
      admin.json([
        ...['access', 'explain', '--family', family.id, '--table', 'usage_logs', '--row', log, '--try'],
        ...[...args, ...WHY],
      ]);
    const gran = ['--user', family.gran.id];
    expect((await tried(...gran)).body.result).toMatchObject({
      verdict: 'allowed',
      decided_by: 'evaluation and reading',
    });
    const values = ['--command', 'update', '--values', '{"notes":"x"}'];
    expect((await tried(...gran, ...values)).body.result).toMatchObject({
      verdict: 'denied',
      decided_by: 'evaluation and trying',
    });
    const core = ['--user', family.core.id];
    expect((await tried(...core, ...values)).body.result).toMatchObject({
      verdict: 'allowed',
      decided_by: 'evaluation and trying',
    });
    expect((await tried(...core, '--command', 'delete')).body.result).toMatchObject({ verdict: 'allowed' });
    const kept = await asService(database, (service) =>
      service.query('select notes from public.usage_logs where id = $1', [log]),
    );
    expect(kept).toEqual([{ notes: SECRET }]);
    await asService(database, async (holder) => {
      await holder.query('begin');
      await holder.query('select from public.usage_logs where id = $1 for update', [log]);
      const { body } = await tried(...core, '--command', 'delete');
      expect(body.result).toMatchObject({ verdict: 'allowed', decided_by: 'evaluation' });
      expect(body.result.notes).toContain('Not tried: another session holds the row.');
      await holder.query('rollback');
    });
  });

  test('asks whose access is meant, and names the flag where it cannot ask', async ({ expect }) => {
    const { me } = await complaint();
    const { code, body } = await me.json(['access', 'explain', '--table', 'children', ...WHY]);
    expect([code, body.error.code]).toEqual([7, 'flag_missing']);
    expect(body.error.message + body.error.hint).toContain('--user');
  });

  test('refuses questions that cannot be asked', async ({ expect }) => {
    const { ask, log } = await complaint();
    const refused = async (...args: string[]) => {
      const { code, body } = await ask(...args);
      return [code, body.error?.code];
    };
    expect(await refused('--table', 'nonsense')).toEqual([5, 'table_missing']);
    expect(await refused('--table', 'family_overview')).toEqual([2, 'not_a_table']);
    expect(await refused('--table', 'usage_logs', '--row', 'abc')).toEqual([2, 'invalid_input']);
    expect(await refused('--table', 'usage_logs', '--row', '{"notes":"x"}')).toEqual([2, 'invalid_row']);
    expect(await refused('--table', 'usage_logs', '--row', log, '--values', '{}')).toEqual([
      2,
      'invalid_question',
    ]);
    expect(await refused('--table', 'usage_logs', '--command', 'insert')).toEqual([2, 'invalid_question']);
    expect(
      await refused('--table', 'usage_logs', '--row', log, '--command', 'update', '--values', '{"x":1}'),
    ).toEqual([2, 'invalid_question']);
    expect(
      await refused('--table', 'usage_logs', '--row', log, '--command', 'update', '--values', '[1]'),
    ).toEqual([2, 'usage']);
    expect(await refused('--table', 'ops.operators')).toEqual([5, 'not_found']);
  });

  test('explains any role to whoever may become it, by the rights of their own login', async ({ expect }) => {
    const { family, me } = await complaint();
    const dba = await operatorConsole(database, { operator: database.superuser, owner: false });
    const ask = [
      'access',
      'explain',
      '--role',
      'authenticated',
      '--table',
      'public.children',
      '--row',
      family.child,
    ];
    const { code, body } = await dba.json([...ask, '--claims', JSON.stringify({ sub: family.gran.id })]);
    // Claims make nobody a person but in a session of the app.
    expect([code, body.result?.verdict, body.result?.decided_by]).toEqual([
      0,
      'denied',
      'evaluation and reading',
    ]);
    expect(body.result.person).toBe(family.gran.id);
    // Without a duty the login of an operator reads nothing to be judged.
    expect((await me.json(ask)).body.error.code).toBe('permission_denied');
  });
});
