import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { temporaryFolder } from '../support/evidence.js';
import { manifestCommands } from '../support/manifest.js';
import { type OperatorConsole, operatorConsole } from '../support/operator-console.js';
import { asService, makeFamily, type SmallFamily } from '../support/small-world.js';

const WHY = ['--reason', 'Grandma cannot see the log', '--ticket', 'SUP-1'];
const FAMILY = 'public.families';
const MEMBER = 'public.family_members';
const INVITATION = 'public.family_invitations';
const APPROVAL = 'ops.approvals';

interface World {
  readonly database: TestDatabase;
  readonly me: OperatorConsole;
  readonly second: OperatorConsole;
  /** Of this command alone. */
  readonly family: SmallFamily;
  readonly other: SmallFamily;
}

interface Write {
  /** A table that its receipt must name; that it names all of them is checked at each run of the console. */
  readonly table: string;
  /** What comes after the command. */
  readonly words: (world: World) => Promise<readonly string[]> | readonly string[];
  readonly by?: 'second';
  readonly code?: number;
  /** Where it takes none. */
  readonly why?: false;
  readonly consent?: readonly string[];
}

const NOT_AUDITED = 'writes no audited table';
const OWN_TEST = 'is run, and its receipt checked, where what it needs is made';

const member = (...how: string[]): Write => ({
  table: MEMBER,
  words: ({ family }) => ['--family', family.id, '--user', family.gran.email, ...how],
});
const family = (...how: string[]): Write => ({ table: FAMILY, words: (world) => [world.family.id, ...how] });
const user = (table = 'public.users'): Write => ({ table, words: (world) => [world.family.gran.id] });
const invitation = (...how: string[]): Write => ({
  table: INVITATION,
  words: async ({ me, family }) => {
    const made = await me.json(['invitation', 'create', '--family', family.id, ...INVITED, ...WHY, '--yes']);
    return [made.body.result.invitation.id, '--family', family.id, ...how];
  },
});
const INVITED = ['--email', 'uncle@example.ca', '--role', 'extended_family'];
const BY_BIRTH = ['--basis', 'parent', '--evidence', 'act_of_birth', '--from', '2025-02-03'];
const IN_COURT = ['--basis', 'litigation', '--matter', 'a parenting order'];
const approval = (minutes: string, by?: 'second'): Write => ({
  table: APPROVAL,
  ...(by === undefined ? {} : { by }),
  words: async ({ me }) => {
    const asked = await me.json([
      'access',
      'open',
      '--break-glass',
      '--approved',
      '--for',
      minutes,
      ...WHY,
      '--yes',
    ]);
    return [asked.body.result.approval.id];
  },
});
const first = async ({ me }: World, ...words: string[]) => {
  const { code, body } = await me.json([...words, ...WHY, '--yes']);
  expect([words.join(' '), code]).toEqual([words.join(' '), 0]);
  return body;
};

const ASKED = ['--kind', 'access', '--channel', 'email', '--asks', 'all you hold'];
const openRequest = async (world: World): Promise<string> =>
  (await first(world, 'request', 'open', ...ASKED, '--user', world.family.gran.id)).result.request.number;
const placeHold = async (world: World): Promise<string> =>
  (await first(world, 'hold', 'place', '--family', world.family.id, ...IN_COURT)).result.hold.number;
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
/** A verified request to have a last name corrected. */
const openCorrection = async (world: World): Promise<{ number: string; words: string[] }> => {
  const { gran } = world.family;
  const asked = ['--kind', 'correction', '--channel', 'email', '--asks', 'my name', '--user', gran.id];
  const { number } = (await first(world, 'request', 'open', ...asked)).result.request;
  await first(world, 'request', 'verify-identity', number, '--method', 'signed_in');
  const where = ['--table', 'users', '--row', gran.id, '--column', 'last_name', '--value', 'Roy'];
  return { number, words: [number, ...where] };
};
const request = (...how: string[]): Write => ({
  table: 'privacy.request_steps',
  words: async (world) => [await openRequest(world), ...how],
});

/** Each command with a --dry-run, or known to write without: a new one fails the first test until it stands here. */
const WRITES: Record<string, Write | typeof NOT_AUDITED | typeof OWN_TEST> = {
  'access:close': {
    table: 'ops.access_grants',
    why: false,
    consent: [],
    words: async (world) => [(await first(world, 'access', 'open', '--family', world.family.id)).result.id],
  },
  'access:diagnose': {
    table: MEMBER,
    words: async ({ database, family }) => {
      await asService(database, (service) =>
        service.query(
          `update public.family_members set created_at = now() - interval '90 days', joined_at = now() - interval '80 days', access_expires_at = now() - interval '1 day' where family_id = $1 and user_id = $2`,
          [family.id, family.gran.id],
        ),
      );
      return ['--user', family.gran.email, '--family', family.id, '--fix', 'access_expired'];
    },
  },
  'access:impersonate': {
    table: 'public.usage_logs',
    words: ({ family }) => [
      '--user',
      family.core.email,
      '--write',
      '--rows',
      '1',
      `update usage_logs set notes = 'seen'`,
    ],
  },
  'access:open': { table: 'ops.access_grants', words: (world) => ['--family', world.family.id] },
  'access:review': OWN_TEST,
  'analytics:refresh': { table: 'ops.analytics_refreshes', words: () => [] },
  'approval:grant': OWN_TEST,
  'approval:refuse': approval('20m', 'second'),
  'approval:withdraw': approval('21m'),
  'audit:archive': OWN_TEST,
  'audit:epoch:begin': OWN_TEST,
  'audit:retention': OWN_TEST,
  'backup:create': NOT_AUDITED,
  'backup:expire': NOT_AUDITED,
  'child:move': {
    table: 'public.children',
    consent: ['--confirm', 'Léa'],
    words: ({ family, other }) => [family.child, '--family', family.id, '--to', other.id],
  },
  'consent:withdraw': {
    table: 'public.consent_records',
    words: async ({ database, family }) => {
      await asService(database, (service) =>
        service.query(
          `insert into public.consent_records (user_id, consent_type, status, consent_version, granted_at) values ($1, 'marketing', 'granted', '2026-01', now())`,
          [family.core.id],
        ),
      );
      return [family.core.id, '--type', 'marketing', '--how', 'letter'];
    },
  },
  'context:add': NOT_AUDITED,
  'context:remove': NOT_AUDITED,
  'db:migrate': NOT_AUDITED,
  'db:rollback': NOT_AUDITED,
  'evidence:carry': NOT_AUDITED,
  'evidence:key:create': NOT_AUDITED,
  'evidence:key:import': NOT_AUDITED,
  'evidence:key:retire': NOT_AUDITED,
  'evidence:key:rotate': NOT_AUDITED,
  'erasure:cancel': OWN_TEST,
  'erasure:certificate': OWN_TEST,
  'erasure:replay': OWN_TEST,
  'erasure:run': OWN_TEST,
  'erasure:schedule': OWN_TEST,
  'erasure:settle': OWN_TEST,
  'erasure:verify': OWN_TEST,
  'export:create': OWN_TEST,
  'export:revoke': OWN_TEST,
  'export:share': OWN_TEST,
  'family:archive': family(),
  'family:create': { table: FAMILY, words: ({ family }) => ['--name', 'Roy', '--core', family.core.id] },
  'family:merge': {
    table: 'ops.moves',
    consent: ['--confirm', 'Tremblay'],
    words: ({ family, other }) => ['--from', family.id, '--into', other.id],
  },
  'family:rename': family('--name', 'Tremblay-Roy'),
  'family:restore': {
    table: FAMILY,
    words: async (world) => {
      await first(world, 'family', 'archive', world.family.id);
      return [world.family.id];
    },
  },
  'family:split': {
    table: 'ops.moves',
    consent: ['--confirm', 'Roy'],
    words: ({ family }) => [
      family.id,
      '--child',
      family.child,
      '--name',
      'Roy',
      '--member',
      `${family.core.email}=move`,
      '--member',
      `${family.gran.email}=copy`,
      '--shared',
      'all=stay',
    ],
  },
  'guardian:add': {
    table: 'privacy.guardians',
    words: ({ family }) => [
      '--family',
      family.id,
      '--child',
      family.child,
      '--user',
      family.core.id,
      ...BY_BIRTH,
    ],
  },
  'guardian:end': {
    table: 'privacy.guardians',
    words: async (world) => {
      const child = ['--family', world.family.id, '--child', world.family.child];
      const made = await first(world, 'guardian', 'add', ...child, '--name', 'Ana Roy', ...BY_BIRTH);
      return [made.result.guardian.id, '--family', world.family.id, '--because', 'resigned'];
    },
  },
  'invitation:create': { table: INVITATION, words: ({ family }) => ['--family', family.id, ...INVITED] },
  'invitation:resend': invitation(),
  'invitation:revoke': invitation(),
  'local:reset': NOT_AUDITED,
  'restore:discard': NOT_AUDITED,
  'restore:run': NOT_AUDITED,
  'maintenance:run': {
    table: 'ops.maintenance_runs',
    consent: [],
    words: () => ['--job', 'audit-partitions'],
  },
  'member:add': {
    table: MEMBER,
    words: ({ family, other }) => [
      '--family',
      family.id,
      '--user',
      other.gran.email,
      '--role',
      'extended_family',
    ],
  },
  'member:extend': member('--until', '365d'),
  'member:reinstate': {
    table: MEMBER,
    words: async (world) => {
      const target = ['--family', world.family.id, '--user', world.family.gran.email];
      await first(world, 'member', 'suspend', ...target);
      return target;
    },
  },
  'member:remove': member(),
  'member:set-permissions': member('--deny', 'usage:write'),
  'member:set-role': member('--role', 'professional'),
  'member:suspend': member(),
  'member:transfer': {
    table: MEMBER,
    words: ({ family }) => ['--family', family.id, '--from', family.core.email, '--to', family.gran.email],
  },
  'operator:add': {
    table: APPROVAL,
    code: 8,
    words: () => [
      'jo.receipt',
      '--name',
      'Jo',
      '--email',
      'jo@nestsync.example',
      '--duties',
      'support',
      '--no-password',
    ],
  },
  'hold:place': {
    table: 'privacy.legal_holds',
    words: (world) => ['--family', world.family.id, ...IN_COURT],
  },
  'hold:release': { table: 'privacy.legal_holds', words: async (world) => [await placeHold(world)] },
  'hold:review': {
    table: 'privacy.legal_holds',
    words: async (world) => [await placeHold(world), '--until', inDays(90)],
  },
  'operator:bootstrap': OWN_TEST,
  'operator:duty': { table: APPROVAL, code: 8, words: () => ['dev.singh', '--remove', 'auditor'] },
  'operator:revoke': { table: APPROVAL, code: 8, words: () => ['dev.singh'] },
  'request:complaint:close': {
    table: 'privacy.complaints',
    words: async (world) => {
      const number = await openRequest(world);
      await first(world, 'request', 'complaint', 'open', number, '--to', 'cai');
      return [number, '--to', 'cai', '--outcome', 'resolved'];
    },
  },
  'request:complaint:open': {
    table: 'privacy.complaints',
    words: async (world) => [await openRequest(world), '--to', 'commissioner'],
  },
  'request:consult': request('--party', 'other_member'),
  'request:correct': {
    table: 'public.users',
    words: async (world) => (await openCorrection(world)).words,
  },
  'request:cost': request('--estimate', '12.50', '--told', 'printing'),
  'request:extend': request('--ground', 'consultation', '--told', 'others are asked'),
  'request:fulfil': {
    table: 'privacy.requests',
    words: async (world) => {
      const number = await openRequest(world);
      await first(world, 'request', 'verify-identity', number, '--method', 'signed_in');
      return [number, '--told', 'a package'];
    },
  },
  'request:notify': {
    table: 'privacy.correction_notices',
    words: async (world) => {
      const { number, words } = await openCorrection(world);
      await first(world, 'request', 'correct', ...words);
      return [number, '--recipient', 'payments'];
    },
  },
  'request:open': { table: 'privacy.requests', words: ({ family }) => [...ASKED, '--user', family.gran.id] },
  'request:refuse': request('--code', 'no_match', '--told', 'nothing is held', '--recourse-told'),
  'request:send-code': OWN_TEST,
  'request:verify-identity': request('--method', 'document', '--document', 'passport'),
  'request:withdraw': request(),
  'user:link-accounts': {
    table: MEMBER,
    words: ({ family, other }) => ['--keep', family.gran.id, '--duplicate', other.gran.id],
  },
  'user:reinstate': {
    table: 'public.users',
    words: async (world) => {
      await first(world, 'user', 'suspend', world.family.gran.id);
      return [world.family.gran.id];
    },
  },
  'user:resend-verification': {
    table: 'public.notification_logs',
    words: async ({ database, family }) => {
      await asService(database, (service) =>
        service.query(`update public.users set status = 'pending_verification' where id = $1`, [
          family.gran.id,
        ]),
      );
      return [family.gran.id];
    },
  },
  'user:suspend': user(),
};

let database: TestDatabase;
let me: OperatorConsole;
let second: OperatorConsole;

beforeAll(async () => {
  database = await createTestDatabase();
  me = await operatorConsole(database);
  second = await operatorConsole(database, { operator: database.operators[1] });
});
afterAll(() => database?.drop());

test('every command that writes is known here', () => {
  const writing = manifestCommands().filter(({ id, flags }) => 'dry-run' in flags || id in WRITES);
  expect(Object.keys(WRITES).sort()).toEqual(writing.map(({ id }) => id).sort());
});

test.each(
  Object.entries(WRITES).flatMap(([id, write]) => (typeof write === 'string' ? [] : [[id, write] as const])),
)(
  '%s tells what it has written',
  async (id, { table, words, by, code = 0, why, consent = ['--yes'] }) => {
    const family = await makeFamily(database, { name: 'Tremblay' });
    const other = await makeFamily(database, { name: 'Gagnon' });
    const given = await words({ database, me, second, family, other });
    const actor = by === 'second' ? second : me;
    const env = { NESTCTL_HOME: temporaryFolder() };
    const done = await actor.json([...id.split(':'), ...given, ...(why === false ? [] : WHY), ...consent], {
      env,
    });
    expect([id, done.code], JSON.stringify(done.body)).toEqual([id, code]);
    expect(done.body.meta.events?.tables.map((one: { table: string }) => one.table)).toContain(table);
  },
  600_000,
);
