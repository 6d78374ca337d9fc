import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type OperatorConsole, operatorConsole } from '../support/operator-console.js';
import { asService, makeFamily, type SmallFamily } from '../support/small-world.js';

const WHY = ['--reason', 'Grandma cannot see the log', '--ticket', 'SUP-1'];

let database: TestDatabase;
let me: OperatorConsole;
let family: SmallFamily;

beforeAll(async () => {
  database = await createTestDatabase();
});
beforeEach(async () => {
  family = await makeFamily(database, { name: 'Tremblay' });
  me = await operatorConsole(database, { operator: await database.makeOperator('support'), owner: false });
});
afterAll(() => database?.drop());

const membership = (user: string) =>
  asService(database, (service) =>
    service.one<Record<string, unknown>>(
      'select role, status, access_expires_at, granted_permissions, denied_permissions from public.family_members where family_id = $1 and user_id = $2',
      [family.id, user],
    ),
  );

/** A command line that the console printed, as words. */
const typed = (line: string) =>
  [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '').slice(1);

describe('each change of a membership', () => {
  const changes: Record<string, readonly string[]> = {
    extend: ['--until', '2031-11-01T00:00Z'],
    'set-role': ['--role', 'professional'],
    'set-permissions': ['--grant', 'analytics:read', '--deny', 'usage:write,inventory:read'],
    suspend: [],
    remove: [],
  };
  test.each(Object.entries(changes))(
    '%s is shown, made, and undone by the way back it names',
    async (verb, how) => {
      const target = ['member', verb, '--family', family.id, '--user', family.gran.email, ...how];
      const before = await membership(family.gran.id);

      const dry = await me.json([...target, '--dry-run', ...WHY]);
      expect(dry.body.result).toMatchObject({
        dry_run: true,
        plan: { before: { email: family.gran.email } },
      });
      expect(await membership(family.gran.id)).toEqual(before);

      // The grant that the dry run opened says why.
      const unasked = await me.json(target);
      expect([unasked.code, unasked.body.error.code]).toEqual([7, 'consent_missing']);
      expect(await membership(family.gran.id)).toEqual(before);

      const done = await me.json([...target, '--yes']);
      expect(done.code).toBe(0);
      expect(await membership(family.gran.id)).not.toEqual(before);
      const back = await me.json([...typed(done.body.result.way_back), '--yes']);
      expect(back.code).toBe(0);
      expect(await membership(family.gran.id)).toEqual(before);
    },
  );

  test('that changes nothing, or is about nobody, is told', async () => {
    const change = (...args: string[]) =>
      me.json(['member', ...args, '--family', family.id, '--yes', ...WHY]);
    const same = await change('set-role', '--user', family.gran.email, '--role', 'extended_family');
    expect([same.code, same.body.error.code]).toEqual([6, 'no_change']);
    const nobody = await change('suspend', '--user', 'nobody@example.ca');
    expect([nobody.code, nobody.body.error.next]).toEqual([5, `nestctl member list --family ${family.id}`]);
    const past = await change('extend', '--user', family.gran.email, '--until', '2020-01-01');
    expect(past.code).toBe(2);
    const last = await change('remove', '--user', family.core.email);
    expect([last.code, last.body.error.message]).toEqual([6, expect.stringContaining('last family_core')]);
  });

  test('without a grant names the command that opens one', async () => {
    const refused = await me.json([
      'member',
      'suspend',
      '--family',
      family.id,
      '--user',
      family.gran.email,
      '--yes',
    ]);
    expect([refused.code, refused.body.error.code]).toEqual([4, 'no_grant']);
    expect(refused.body.error.next).toBe(
      `nestctl access open --family ${family.id} --reason '…' --ticket … --for 30m`,
    );
  });
});

test('a member is found by address, masked, added, and handed the core role', async () => {
  const other = await makeFamily(database, { name: 'Gagnon' });
  const add = [
    'member',
    'add',
    '--family',
    family.id,
    '--user',
    other.gran.email.toUpperCase(),
    '--role',
    'professional',
    '--until',
    '30d',
  ];
  const dry = await me.json([...add, '--dry-run', ...WHY]);
  expect(dry.body.result.plan.email).toMatch(/^g…@/);
  expect((await me.json([...add, '--yes', ...WHY])).code).toBe(0);
  const transfer = [
    'member',
    'transfer',
    '--family',
    family.id,
    '--from',
    family.core.email,
    '--to',
    family.gran.email,
  ];
  expect((await me.json([...transfer, '--yes'])).code).toBe(0);
  const listed = await me.json(['member', 'list', '--family', family.id]);
  expect(
    listed.body.result.members.map(({ email, role }: { email: string; role: string }) => [email, role]),
  ).toEqual([
    [family.gran.email, 'family_core'],
    [family.core.email, 'extended_family'],
    [other.gran.email, 'professional'],
  ]);
  const unknown = await me.json([
    'member',
    'add',
    '--family',
    family.id,
    '--user',
    'nobody@example.ca',
    '--role',
    'professional',
    '--yes',
    ...WHY,
  ]);
  expect([unknown.code, unknown.body.error.next]).toEqual([
    5,
    expect.stringContaining('nestctl invitation create'),
  ]);
});

test('a family is made, renamed, archived and restored, each with its way back', async () => {
  const { body } = await me.json([
    'family',
    'create',
    '--name',
    'Roy',
    '--core',
    family.gran.id,
    '--province',
    'QC',
    '--yes',
    ...WHY,
  ]);
  const { id } = body.result;
  const renamed = await me.json(['family', 'rename', id, '--name', 'Roy & fils', '--yes']);
  expect(renamed.body.result.family.name).toBe('Roy & fils');
  expect((await me.json([...typed(renamed.body.result.way_back), '--yes'])).body.result.family.name).toBe(
    'Roy',
  );
  const archived = await me.json(['family', 'archive', id, '--yes']);
  expect(archived.body.result.family.archived_at).not.toBeNull();
  expect((await me.json(['family', 'archive', id, '--yes'])).code).toBe(6);
  expect(
    (await me.json([...typed(archived.body.result.way_back), '--yes'])).body.result.family.archived_at,
  ).toBeNull();
});

test('an account is shown, suspended and reinstated within a grant for the person', async () => {
  const id = family.gran.id;
  const shown = await me.json(['user', 'show', id, ...WHY]);
  expect(shown.body.result).toMatchObject({ email: family.gran.email, status: 'active' });
  expect(JSON.stringify(shown.body)).not.toMatch(/phone|postal|last_login_ip|seen/);
  const suspended = await me.json(['user', 'suspend', id, '--yes']);
  expect(suspended.body.result.account.status).toBe('suspended');
  const back = await me.json([...typed(suspended.body.result.way_back), '--yes']);
  // The address was never verified.
  expect(back.body.result.account.status).toBe('pending_verification');
  expect((await me.json(['user', 'resend-verification', id, '--yes'])).code).toBe(0);
  const twice = await me.json(['user', 'resend-verification', id, '--yes']);
  expect(twice.code).toBe(6);
  await asService(database, (service) =>
    service.query(`update public.users set status = 'pending_deletion' where id = $1`, [id]),
  );
  const waiting = await me.json(['user', 'reinstate', id, '--yes']);
  expect([waiting.code, waiting.body.error.hint]).toEqual([4, expect.stringContaining('compliance')]);
});

test('two accounts of a person become one, and the commands that lead back are named', async () => {
  const other = await makeFamily(database, { name: 'Gagnon' });
  const link = ['user', 'link-accounts', '--keep', family.gran.id, '--duplicate', other.gran.id];
  const done = await me.json([...link, '--yes', ...WHY]);
  expect(done.body.result.moved.map((one: { family_id: string }) => one.family_id)).toEqual([other.id]);
  expect(done.body.result.account.families).toHaveLength(2);
  expect(done.body.result.way_back).toHaveLength(3);
  const both = await me.json([
    'user',
    'link-accounts',
    '--keep',
    family.gran.id,
    '--duplicate',
    family.core.id,
    '--yes',
    ...WHY,
  ]);
  expect([both.code, both.body.error.code]).toEqual([6, 'both_members']);
});

test('an invitation is made, sent again and revoked; no token is ever shown', async () => {
  const made = await me.json([
    'invitation',
    'create',
    '--family',
    family.id,
    '--email',
    'aunt@example.ca',
    '--role',
    'professional',
    '--yes',
    ...WHY,
  ]);
  const { id } = made.body.result.invitation;
  expect(made.body.result.invitation).toMatchObject({ status: 'pending', mail: 'waiting' });
  expect(
    (await me.json(['invitation', 'resend', id, '--family', family.id, '--for', '14d', '--yes'])).code,
  ).toBe(0);
  const revoked = await me.json(['invitation', 'revoke', id, '--family', family.id, '--yes']);
  expect(revoked.body.result.invitation).toMatchObject({ status: 'revoked', mail: null });
  const again = await me.json(['invitation', 'resend', id, '--family', family.id, '--yes']);
  expect([again.code, again.body.error.code]).toEqual([6, 'invitation_ended']);
  const listed = await me.run(['invitation', 'list', '--family', family.id]);
  expect(listed.stdout).toContain('aunt@example.ca');
  expect(listed.stdout + JSON.stringify(made.body)).not.toMatch(/token/);
});
