import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageRoot } from '../../src/platform/package-root.js';
import { contextFile, type Finished, finished, runConsole } from '../support/console.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { runLines } from '../support/fuzz/run-lines.js';
import { seededRandom, testSeed } from '../support/model/random.js';
import { inTurns, type OperatorConsole, operatorConsole } from '../support/operator-console.js';
import { countRows, makeFamily } from '../support/small-world.js';

interface ManifestFlag {
  readonly type: 'option' | 'boolean';
  readonly required?: boolean;
  readonly helpValue?: string;
  readonly options?: readonly string[];
  readonly exclusive?: readonly string[];
}
interface ManifestCommand {
  readonly id: string;
  readonly flags: Readonly<Record<string, ManifestFlag>>;
  readonly args: Readonly<
    Record<string, { readonly required?: boolean; readonly options?: readonly string[] }>
  >;
}

const manifest = JSON.parse(readFileSync(join(packageRoot(), 'oclif.manifest.json'), 'utf8')) as {
  commands: Record<string, ManifestCommand>;
};
const commands = Object.values(manifest.commands);
const UUID = '00000000-0000-4000-8000-000000000000';
const OTHER = '00000000-0000-4000-8000-000000000001';
const WHY = ['--reason', 'Grandma cannot see the log', '--ticket', 'SUP-1'];

const OF_CHILD = ['--family', UUID, '--child', UUID];
const BY_BIRTH = ['--basis', 'parent', '--evidence', 'act_of_birth', '--from', '2025-02-03'];
const IN_COURT = ['--basis', 'litigation', '--matter', 'a parenting order'];
const REQUEST = 'REQ-1999-0001';
const ASKED = ['--kind', 'access', '--channel', 'email', '--asks', 'all you hold'];
const MEMBER = ['--family', UUID, '--user', 'gran@example.ca', ...WHY, '--yes'];

/**
 * Each command with what it must be given to get as far as the server; `offline` for what needs none. A new
 * command fails the first test until it stands here.
 */
const GIVEN: Record<string, readonly string[] | 'offline'> = {
  'access:close': [UUID],
  'access:diagnose': ['--user', UUID, ...WHY],
  'access:impersonate': ['--user', UUID, ...WHY, 'select 1'],
  'access:lint': [],
  'access:explain': ['--user', UUID, '--table', 'children', ...WHY],
  'access:list': [],
  'access:matrix': ['--family', UUID, ...WHY],
  'access:open': ['--family', UUID, ...WHY],
  'access:prove': [],
  'access:review': [],
  'analytics:refresh': WHY,
  'analytics:usage': [],
  'approval:grant': [UUID, ...WHY],
  'approval:list': [],
  'approval:refuse': [UUID, ...WHY],
  'approval:show': [UUID],
  'approval:withdraw': [UUID, ...WHY],
  'audit:archive': [...WHY],
  'audit:retention': [...WHY],
  'audit:coverage': [],
  'audit:epoch:begin': ['--evidence', 'restore R-12', ...WHY],
  'audit:proof': ['1'],
  'audit:blame': ['children', UUID],
  'audit:export': 'offline',
  'audit:follow': 'offline',
  'audit:history': ['children', UUID],
  'audit:query': [],
  'audit:seal': [],
  'audit:show': ['1'],
  'audit:verify': [],
  'backup:check': 'offline',
  'backup:create': 'offline',
  'backup:expire': 'offline',
  'backup:list': 'offline',
  'backup:show': 'offline',
  'backup:verify': 'offline',
  'child:move': [UUID, '--family', UUID, '--to', OTHER, ...WHY, '--confirm', 'Léa'],
  'child:show': [UUID, '--family', UUID, ...WHY],
  'audit:stats': [],
  completion: 'offline',
  'consent:history': [UUID, ...WHY],
  'consent:show': [UUID, ...WHY],
  'consent:withdraw': [UUID, '--type', 'marketing', '--how', 'letter', ...WHY, '--yes'],
  'context:add': 'offline',
  'context:check': 'offline',
  'context:list': 'offline',
  'context:remove': 'offline',
  'context:show': 'offline',
  'context:use': 'offline',
  'datamap:check': [],
  'datamap:explain': ['usage_logs.notes'],
  'datamap:show': [],
  'db:docs': 'offline',
  'db:history': [],
  'db:migrate': ['--yes'],
  'db:rollback': ['--dry-run'],
  'db:status': [],
  demo: 'offline',
  doctor: [],
  'evidence:carry': 'offline',
  'evidence:key:create': 'offline',
  'evidence:key:import': 'offline',
  'evidence:key:publish': 'offline',
  'evidence:key:retire': 'offline',
  'evidence:key:rotate': 'offline',
  'evidence:list': 'offline',
  'evidence:show': 'offline',
  'evidence:verify': 'offline',
  'export:create': [REQUEST, '--file', 'package.zip', ...WHY, '--yes'],
  'export:list': [REQUEST, ...WHY],
  'export:plan': ['--user', UUID, ...WHY],
  'export:review': [REQUEST, ...WHY],
  'export:revoke': [REQUEST, ...WHY, '--yes'],
  'export:share': [REQUEST, '--file', 'package.zip', ...WHY, '--yes'],
  'export:verify': 'offline',
  'family:archive': [UUID, ...WHY, '--yes'],
  'family:create': ['--name', 'Roy', '--core', UUID, ...WHY, '--yes'],
  'family:list': ['--name', 'Tremblay', ...WHY],
  'family:merge': ['--from', UUID, '--into', OTHER, ...WHY, '--confirm', 'Roy'],
  'family:rename': [UUID, '--name', 'Roy', ...WHY, '--yes'],
  'family:restore': [UUID, ...WHY, '--yes'],
  'family:show': [UUID, ...WHY],
  'family:split': [UUID, '--child', OTHER, '--name', 'Roy', ...WHY, '--confirm', 'Roy'],
  'erasure:cancel': [REQUEST, ...WHY, '--yes'],
  'erasure:certificate': [REQUEST, ...WHY, '--yes'],
  'erasure:ledger:list': [],
  'erasure:ledger:verify': [],
  'erasure:list': [],
  'erasure:plan': [REQUEST, ...WHY],
  'erasure:replay': ['--after-restore', ...WHY, '--yes'],
  'erasure:run': [REQUEST, ...WHY, '--confirm', REQUEST],
  'erasure:schedule': [REQUEST, '--ground', 'purpose_ended', ...WHY, '--yes'],
  'erasure:settle': [
    ...[REQUEST, 'email', '--outcome', 'erased', '--reference', 'EM-7'],
    ...[...WHY, '--yes'],
  ],
  'erasure:show': [REQUEST],
  'erasure:verify': [REQUEST, ...WHY, '--yes'],
  'guardian:add': [...OF_CHILD, '--name', 'Ana Roy', ...BY_BIRTH, ...WHY, '--yes'],
  'guardian:end': [UUID, '--family', UUID, '--because', 'death', ...WHY, '--yes'],
  'guardian:list': ['--family', UUID, ...WHY],
  'hold:list': [],
  'hold:place': ['--family', UUID, ...IN_COURT, ...WHY, '--yes'],
  'hold:release': ['HOLD-1999-0001', ...WHY, '--yes'],
  'hold:review': ['HOLD-1999-0001', ...WHY, '--yes'],
  'hold:show': ['HOLD-1999-0001'],
  'invitation:create': [
    '--family',
    UUID,
    '--email',
    'gran@example.ca',
    '--role',
    'professional',
    ...WHY,
    '--yes',
  ],
  'invitation:list': ['--family', UUID, ...WHY],
  'invitation:resend': [UUID, '--family', UUID, ...WHY, '--yes'],
  'invitation:revoke': [UUID, '--family', UUID, ...WHY, '--yes'],
  'local:down': 'offline',
  'local:reset': 'offline',
  'local:seed': 'offline',
  'local:status': 'offline',
  'local:up': 'offline',
  'maintenance:run': WHY,
  'maintenance:schedule': 'offline',
  'maintenance:status': [],
  'member:add': [...MEMBER, '--role', 'professional'],
  'member:extend': [...MEMBER, '--until', '30d'],
  'member:list': ['--family', UUID, ...WHY],
  'member:reinstate': MEMBER,
  'member:remove': MEMBER,
  'member:set-permissions': [...MEMBER, '--deny', 'usage:read'],
  'member:set-role': [...MEMBER, '--role', 'professional'],
  'member:suspend': MEMBER,
  'member:transfer': ['--family', UUID, '--from', UUID, '--to', 'gran@example.ca', ...WHY, '--yes'],
  'restore:discard': 'offline',
  'restore:run': 'offline',
  'restore:status': 'offline',
  'restore:target': 'offline',
  'restore:verify': 'offline',
  'request:complaint:close': [REQUEST, '--to', 'court', '--outcome', 'resolved', ...WHY, '--yes'],
  'request:complaint:open': [REQUEST, '--to', 'commissioner', ...WHY, '--yes'],
  'request:consult': [REQUEST, '--party', 'other_member', ...WHY, '--yes'],
  'request:correct': [
    ...[REQUEST, '--table', 'users', '--row', UUID, '--column', 'first_name', '--value', 'Zoé'],
    ...[...WHY, '--yes'],
  ],
  'request:cost': [REQUEST, '--accepted', ...WHY, '--yes'],
  'request:extend': [REQUEST, '--ground', 'consultation', '--told', 'others are asked', ...WHY, '--yes'],
  'request:fulfil': [REQUEST, '--told', 'a package', ...WHY, '--yes'],
  'request:letter': [REQUEST, '--of', 'answer'],
  'request:list': [],
  'request:notify': [REQUEST, '--recipient', 'payments', ...WHY, '--yes'],
  'request:open': [...ASKED, '--user', UUID, ...WHY, '--yes'],
  'request:refuse': [
    REQUEST,
    '--code',
    'no_match',
    '--told',
    'nothing is held',
    '--recourse-told',
    ...WHY,
    '--yes',
  ],
  'request:send-code': [REQUEST, ...WHY, '--yes'],
  'request:show': [REQUEST],
  'request:verify-identity': [REQUEST, '--method', 'signed_in', ...WHY, '--yes'],
  'request:withdraw': [REQUEST, ...WHY, '--yes'],
  'user:link-accounts': ['--keep', UUID, '--duplicate', UUID, ...WHY, '--yes'],
  'user:reinstate': [UUID, ...WHY, '--yes'],
  'user:resend-verification': [UUID, ...WHY, '--yes'],
  'user:show': [UUID, ...WHY],
  'user:suspend': [UUID, ...WHY, '--yes'],
  'operator:add': ['jo.tremblay', '--name', 'Jo', '--email', 'jo@example.ca', '--duties', 'support', ...WHY],
  'operator:bootstrap': ['jo.tremblay', '--name', 'Jo', '--email', 'jo@example.ca', ...WHY],
  'operator:duty': ['jo.tremblay', '--add', 'sre', ...WHY],
  'operator:list': [],
  'operator:password': ['--password-command', 'echo correct-horse-battery'],
  'operator:revoke': ['jo.tremblay', ...WHY],
  'operator:whoami': [],
};
const online = Object.entries(GIVEN).flatMap(([id, given]) => (given === 'offline' ? [] : [{ id, given }]));
const words = (id: string) => id.split(':');

let database: TestDatabase;
let me: OperatorConsole;
let before: Record<string, number>;

beforeAll(async () => {
  database = await createTestDatabase();
  await makeFamily(database, { name: 'Tremblay' });
  me = await operatorConsole(database);
  before = await countRows(database);
});
afterAll(() => database.drop());

/** A local folder that is not there, so that even a mistake of ours would start nothing of anybody's. */
const nowhere = { NESTCTL_HOME: '/proc/nonexistent/nestctl' };

/** All of them in one process: 300 as processes of their own are held against it by fuzz.test.ts. */
async function inOneProcess(lines: readonly (readonly string[])[], env: Readonly<Record<string, string>>) {
  const ended = await runLines(
    lines.map((argv, number) => ({ number, argv })),
    { env },
  );
  return ended.map(({ argv, judged }) => {
    const shown = JSON.stringify(argv);
    expect([shown, judged.problems]).toEqual([shown, []]);
    return { shown, ...judged };
  });
}

const inJson = async (lines: readonly (readonly string[])[], env: Readonly<Record<string, string>>) =>
  (
    await inOneProcess(
      lines.map((argv) => [...argv, '--json']),
      env,
    )
  ).map((ended) => ({ ...ended, body: JSON.parse(ended.stdout) }));

/** Each says what was wrong in one JSON document, with the exit code, and no stack. */
async function refused(lines: readonly (readonly string[])[], expected: number): Promise<void> {
  for (const { shown, code, body } of await inJson(lines, { ...me.env, ...nowhere })) {
    const { error } = body;
    expect([shown, code, error?.code === 'defect']).toEqual([shown, expected, false]);
    expect(Object.keys(body).sort()).toEqual(['command', 'context', 'error', 'ok']);
    expect(Object.keys(error).sort()).toEqual(['code', 'exitCode', 'hint', 'message', 'next']);
    expect(error.message).toMatch(/^\S.*[.!?]$/s);
    for (const text of [error.message, error.hint, error.next])
      expect(String(text)).not.toMatch(/\n|^\s+at |node_modules|\.js:/);
  }
}

/** Something for all that is required, so that nothing is refused for lack of it. */
function required(args: ManifestCommand['args'], flags: ManifestCommand['flags']): string[] {
  const needed = <T extends { readonly required?: boolean }>(all: Readonly<Record<string, T>>) =>
    Object.entries(all).filter(([, one]) => one.required);
  return [
    ...needed(args).map(([, { options }]) => options?.[0] ?? 'x'),
    ...needed(flags).flatMap(([name, { options }]) => [`--${name}`, options?.[0] ?? 'x']),
  ];
}

/** The same in text: nothing on stdout, the sentence on stderr. */
async function refusedInText(lines: readonly (readonly string[])[], expected: number): Promise<void> {
  for (const ended of await inOneProcess(lines, { ...me.env, ...nowhere })) saidInText(ended, expected);
}

function saidInText(
  { shown, code, stdout, stderr }: Omit<Finished, 'signal'> & { readonly shown: string },
  expected: number,
): void {
  expect([shown, code, stdout]).toEqual([shown, expected, '']);
  expect(stderr.split('\n')[0]).toMatch(/^✗ \S.*[.!?]$/);
  expect(stderr).not.toMatch(/^\s+at |node_modules/m);
}

/** What no flag of this kind takes. */
function badValues(name: string, flag: ManifestFlag): string[] {
  if (flag.type === 'boolean') return [];
  if (flag.options !== undefined) return ['nonsense', ''];
  if (flag.helpValue === 'N') return ['-1', '99999999999999999999'];
  if (name === 'since' || name === 'until') return ['2026-02-30', '-3h'];
  if (name === 'zone') return ['Mars/Olympus'];
  if (flag.helpValue === 'CURSOR') return ['bm9uc2Vuc2U'];
  if (flag.helpValue === '30m|2h|7d') return ['0m', '-5m', '99999d'];
  if (flag.helpValue === 'ID' && !name.endsWith('ticket')) return ['123', `${UUID}'; drop table users`];
  if (name === 'context') return [];
  return [''];
}

test('every command stands in this file', () => {
  expect(Object.keys(GIVEN).sort()).toEqual(commands.map(({ id }) => id).sort());
});

const seed = testSeed();
test(`every flag refuses what is none of its values, and unknown and repeated ones are told (NESTCTL_TEST_SEED=${seed})`, async () => {
  const random = seededRandom(seed);
  const cases: string[][] = [];
  const inBoth: string[][] = [];
  const unasked: string[][] = [];
  const seen = new Set<string>();
  for (const { id, flags, args } of commands) {
    const given = GIVEN[id];
    const whole = [
      ...words(id),
      ...(given === 'offline' || given === undefined ? required(args, flags) : given),
    ];
    inBoth.push([...whole, '--nonsense']);
    cases.push([...whole, 'surplus', 'words']);
    const missing = [...Object.values(args), ...Object.values(flags)].some(({ required }) => required);
    // A choice between two flags that is not made is a mistake of usage.
    if (id === 'operator:duty') cases.push(words(id));
    else if (missing) unasked.push(words(id));
    for (const [name, flag] of Object.entries(flags)) {
      // One that was given already, or excludes one that was, is refused for that instead.
      if (whole.includes(`--${name}`) || flag.exclusive?.some((rival) => whole.includes(`--${rival}`)))
        continue;
      // Flags of the shared sets are the same code: all their bad values once, then one on some commands.
      const values = badValues(name, flag);
      if (!seen.has(name)) cases.push(...values.map((value) => [...whole, `--${name}=${value}`]));
      else if (values[0] !== undefined && random.chance(0.3))
        cases.push([...whole, `--${name}=${values[0]}`]);
      seen.add(name);
    }
  }
  expect(cases.length).toBeGreaterThan(80);
  inBoth.push(
    ['access', 'open', '--family', UUID, '--family', UUID, ...WHY],
    ['nonsense'],
    ['family', 'lst'],
    ['family', 'show', ''],
  );
  await refused([...cases, ...inBoth], 2);
  await refusedInText(inBoth, 2);
  expect(unasked.length).toBeGreaterThan(5);
  await refused(unasked, 7);
  // What could ask has a stdin here that it could ask.
  await inTurns(unasked, async (args) => {
    saidInText({ shown: JSON.stringify(args), ...(await me.run(args, { env: nowhere })) }, 7);
  });
}, 600_000);

test('values that only fit together are checked too', async () => {
  await refused(
    [
      ['audit', 'query', '--since', '2026-11-21', '--until', '2026-11-20'],
      ['audit', 'query', '--since', '2026-03-08T02:30', '--zone', 'America/Toronto'],
      ['audit', 'query', '--since', '0000-01-01'],
      ['family', 'list', '--name', 'Tr', ...WHY],
      ['family', 'list', '--email', 'not-an-address', ...WHY],
      ['family', 'list', '--name', 'Tremblay', '--id', UUID, ...WHY],
    ],
    2,
  );
  await refusedInText([['audit', 'query', '--columns', 'event,nonsense']], 2);
  // On a terminal these are asked for.
  await refused(
    [
      ['access', 'close'],
      ['access', 'open', ...WHY],
    ],
    7,
  );
});

test('a context that is missing, broken or open to others is told as such', async () => {
  await refused([['family', 'list', '--context', 'nonsense']], 5);
  for (const [text, mode, expected] of [
    ['current = ', 0o600, 1],
    ['[contexts.a]\nkind = "server"\nnonsense = 1\n', 0o600, 1],
    ['', 0o644, 4],
  ] as const) {
    const { env } = await contextFile(text, mode);
    const { code, stdout } = await runConsole(['family', 'list', '--json'], { env });
    expect([text, code]).toEqual([text, expected]);
    expect(JSON.parse(stdout).error.code).not.toBe('defect');
  }
});

test('bytes that are no UTF-8 are refused before anything is done', async () => {
  const shell = (script: string) =>
    finished(
      spawn(
        'bash',
        ['--norc', '-c', script, 'bash', process.execPath, join(packageRoot(), 'bin', 'run.js')],
        {
          env: { PATH: process.env.PATH ?? '', ...me.env },
          stdio: 'pipe',
        },
      ),
    );
  for (const json of ['', '--json']) {
    const { code, stdout, stderr } = await shell(
      `"$1" "$2" access open --family ${UUID} --reason $'Gr\\xe9goire cannot see' --ticket SUP-1 ${json}`,
    );
    expect(code).toBe(2);
    if (json === '')
      expect([stdout, stderr.split('\n')[0]]).toEqual(['', expect.stringMatching(/^✗ Word \d+ /)]);
    else expect(JSON.parse(stdout).error.code).toBe('invalid_text');
  }
});

test('a write without a reason asks nobody who is not there: stdin closed, empty or full of yes', async () => {
  const args = ['access', 'open', '--family', UUID];
  const closed = await finished(
    spawn(
      'sh',
      ['-c', 'exec "$@" <&-', 'sh', process.execPath, join(packageRoot(), 'bin', 'run.js'), ...args],
      {
        env: { PATH: process.env.PATH ?? '', ...me.env },
        stdio: 'pipe',
      },
    ),
  );
  expect(closed.code).toBe(7);
  for (const input of ['', 'y\ny\ny\n']) {
    expect((await me.run(args, { input })).code).toBe(7);
    expect((await me.json(['family', 'show'], { input: `${UUID}\n` })).code).toBe(7);
  }
});

const lines = online.map(({ id, given }) => [...words(id), ...given]);

test('a server that is down is one sentence everywhere, and a finding of doctor', async () => {
  const down = await operatorConsole(database, { port: 1 });
  for (const [at, { code, body }] of (await inJson(lines, down.env)).entries()) {
    const id = online[at]?.id;
    if (id === 'doctor') {
      expect([code, body.ok]).toEqual([3, true]);
      expect(
        body.result.findings.some(
          (one: { level: string; name: string }) => one.level === 'error' && one.name === 'connection',
        ),
      ).toBe(true);
    } else expect([id, code, body.error?.code]).toEqual([id, 1, 'server_down']);
  }
  const { code, stdout, stderr } = await down.run(['family', 'list', '--name', 'Tremblay']);
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(/^✗ No PostgreSQL server answers/);
});

test('a wrong password is one sentence everywhere, never shown, and a finding of doctor', async () => {
  const secret = 'not-the-password';
  const wrong = await operatorConsole(database, { password: secret });
  for (const [at, { code, body, stdout, stderr }] of (await inJson(lines, wrong.env)).entries()) {
    const id = online[at]?.id;
    expect(stdout + stderr).not.toContain(secret);
    if (id === 'doctor') expect([code, body.ok]).toEqual([3, true]);
    else expect([id, code, body.error?.code]).toEqual([id, 4, 'wrong_password']);
  }
});

test('after all of this nothing was written', async () => {
  expect(await countRows(database)).toEqual(before);
});
