import { execFile, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withConnection } from '../../src/platform/database/connection.js';
import { contextFile, finished, runConsole } from '../support/console.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

const BUILT = [
  'wal-archiving',
  'backup',
  'audit-defaults',
  'audit-erasures',
  'audit-partitions',
  'audit-retention',
  'audit-seal',
  'invitations',
  'analytics',
  'evidence',
  'requests',
  'legal-holds',
  'erasures',
  'retention',
  'idle-accounts',
  'decisions',
  'export-shares',
];

let database: TestDatabase;
let folder: string;
let env: Record<string, string>;
const secrets = () => join(folder, 'etc', "it's 100% secret.env");

beforeAll(async () => {
  database = await createTestDatabase();
  // A folder whose name has everything that cron, sh and systemd read as something else.
  folder = mkdtempSync(join(tmpdir(), 'nestctl 100% $HOME '));
  mkdirSync(join(folder, 'etc'));
  mkdirSync(join(folder, 'home'));
  const { host, port, user, password } = database.operators[0];
  const config = join(folder, 'contexts.toml');
  writeFileSync(
    config,
    `[contexts.production]\nkind = "server"\nhost = "${host}"\nport = ${port}\ndatabase = "${database.name}"\nuser = "${user}"\npassword_env = "NEST_PASSWORD"\n`,
  );
  chmodSync(config, 0o600);
  writeFileSync(secrets(), `NEST_PASSWORD='${password}'\n`);
  chmodSync(secrets(), 0o600);
  env = {
    NESTCTL_CONFIG: config,
    NESTCTL_HOME: join(folder, 'home'),
    NESTCTL_CONTEXT: 'production',
    NESTCTL_TICKET: 'OPS-1',
  };
  const key = await runConsole(['evidence', 'key', 'create', '--reason', 'sealing the log'], {
    env: { ...env, NEST_PASSWORD: password as string },
  });
  expect(key.code).toBe(0);
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await database?.drop();
});

const schedule = (...args: string[]) =>
  runConsole(
    ['maintenance', 'schedule', '--zone', 'America/Toronto', '--environment-file', secrets(), ...args],
    { env },
  );
const runs = () =>
  withConnection(database.owner, (owner) =>
    owner.query<{ job: string; outcome: string }>(
      'select job, outcome from ops.maintenance_runs order by started_at',
    ),
  );

test('the table has every promise with its period, and says which no job keeps', async () => {
  const { code, stdout } = await schedule('--json');
  expect(code).toBe(0);
  const { jobs } = JSON.parse(stdout).result;
  const of = (name: string) => jobs.find(({ job }: { job: string }) => job === name);
  expect(of('wal-archiving')).toMatchObject({ period: 'hourly', scheduled: true, hour: null });
  expect(of('backup')).toMatchObject({ period: 'daily', scheduled: true });
  expect(of('drill')).toMatchObject({ period: 'monthly', scheduled: false });
  expect(of('residency')).toMatchObject({ period: 'quarterly', scheduled: false });
  expect((await schedule()).stdout).toMatch(/^drill +monthly +unknown: not there yet/m);
});

interface CronLine {
  readonly fields: readonly string[];
  readonly command: string;
}

/** A crontab as cron reads it: variables, then lines of five fields and a command in which \% is a percent sign. */
function parseCrontab(text: string): { variables: Record<string, string>; lines: CronLine[] } {
  const variables: Record<string, string> = {};
  const lines: CronLine[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const variable = /^([A-Za-z_]\w*) ?= ?(.*)$/.exec(line);
    if (variable !== null) {
      variables[variable[1] as string] = (variable[2] as string).replace(/^(["'])(.*)\1$/, '$2');
      continue;
    }
    const fields = line.split(/\s+/, 5);
    const rest = line.slice(fields.join(' ').length).trim();
    // An unescaped % would end the command and begin its input.
    expect(rest.replaceAll('\\%', '')).not.toContain('%');
    lines.push({ fields, command: rest.replaceAll('\\%', '%') });
  }
  return { variables, lines };
}

test('each line of the crontab runs its job, as cron would: sh, these variables, no terminal', async () => {
  const { code, stdout } = await schedule('--as', 'crontab');
  expect(code).toBe(0);
  const { variables, lines } = parseCrontab(stdout);
  expect(variables).toMatchObject({
    SHELL: '/bin/sh',
    CRON_TZ: 'America/Toronto',
    NESTCTL_CONFIG: env.NESTCTL_CONFIG,
    NESTCTL_REASON: 'scheduled maintenance',
    NESTCTL_TICKET: 'OPS-1',
  });
  expect(variables.PATH).toContain('/usr/bin');
  expect(stdout).toMatch(
    /^# drill, monthly .*: not there yet, so nothing is scheduled and its state is unknown\.$/m,
  );
  expect(stdout).not.toContain(database.operators[0].password as string);
  expect(lines).toHaveLength(BUILT.length);
  for (const { fields, command } of lines) {
    const [minute, hour, ...rest] = fields;
    expect(Number(minute)).toBeGreaterThanOrEqual(0);
    expect(Number(minute)).toBeLessThan(60);
    expect(rest).toEqual(['*', '*', '*']);
    expect(hour).toMatch(/wal-archiving|audit-seal|decisions/.test(command) ? /^\*$/ : /^[3-5]$/);
    const child = spawn(variables.SHELL as string, ['-c', command], {
      env: { ...variables, HOME: folder },
      stdio: 'pipe',
    });
    child.stdin.end();
    const run = await finished(child);
    // What cron would mail: nothing, but for the archive that the tests' server has not.
    const found = /wal-archiving|backup/.test(command);
    expect([command.split(' ').at(-1), run.code, run.stdout === '', run.stderr]).toEqual([
      command.split(' ').at(-1),
      found ? 3 : 0,
      !found,
      '',
    ]);
  }
  expect((await runs()).map(({ job }) => job).sort()).toEqual([...BUILT].sort());
  // An hour that comes early, a second machine with the same crontab: nothing is done twice.
  const [, second] = lines;
  const again = spawn('/bin/sh', ['-c', second?.command ?? ''], { env: variables, stdio: 'pipe' });
  again.stdin.end();
  expect((await finished(again)).code).toBe(0);
  expect(await runs()).toHaveLength(BUILT.length);
});

test('systemd takes every unit as it is', async () => {
  const { code, stdout } = await schedule('--as', 'systemd', '--json', '--user', userInfo().username);
  expect(code).toBe(0);
  const { files } = JSON.parse(stdout).result as { files: { path: string; text: string }[] };
  expect(files.map(({ path }) => path).sort()).toEqual(
    [
      '/etc/systemd/system/nestctl-production@.service',
      ...BUILT.map((job) => `/etc/systemd/system/nestctl-production-${job}.timer`),
    ].sort(),
  );
  const units = mkdtempSync(join(tmpdir(), 'nestctl-units-'));
  try {
    const names = files.map(({ path, text }) => {
      const name = path.split('/').at(-1) as string;
      writeFileSync(join(units, name), text);
      return name;
    });
    const timers = names.filter((name) => name.endsWith('.timer'));
    const instances = BUILT.map((job) => `nestctl-production@${job}.service`);
    const { stderr } = await promisify(execFile)(
      'systemd-analyze',
      ['verify', '--man=no', ...[...timers, ...instances].map((name) => join(units, name))],
      {
        env: { ...process.env, SYSTEMD_UNIT_PATH: `${units}:` },
      },
    );
    // It warns of what it does not understand and goes on.
    expect(stderr.split('\n').filter((line) => line.includes('nestctl'))).toEqual([]);
    for (const { path, text } of files.filter(({ path }) => path.endsWith('.timer'))) {
      const calendar = /^OnCalendar=(.*)$/m.exec(text)?.[1] ?? '';
      const { stdout: next } = await promisify(execFile)('systemd-analyze', ['calendar', calendar]);
      expect(next, path).toMatch(/Next elapse: /);
      expect(calendar).toMatch(/ America\/Toronto$/);
      expect(text).toMatch(/^Persistent=true$/m);
      expect(text).toMatch(/^RandomizedDelaySec=(4|30)min$/m);
    }
  } finally {
    rmSync(units, { recursive: true });
  }
  const service = files[0]?.text ?? '';
  expect(service).toContain(`User=${userInfo().username}`);
  expect(service).toContain('Environment="NESTCTL_REASON=scheduled maintenance"');
  expect(service).toContain('EnvironmentFile=-');
  expect(service).toMatch(/ExecStart=.*--job %i$/m);
});

test('what no crontab can hold is refused', async () => {
  const relative = await runConsole(
    ['maintenance', 'schedule', '--environment-file', 'secrets.env', '--json'],
    { env },
  );
  expect([relative.code, JSON.parse(relative.stdout).error.code]).toEqual([2, 'unfit_for_schedule']);
  const both = await runConsole(['maintenance', 'schedule', '--json'], {
    env: { ...env, NESTCTL_REASON: `"it's"` },
  });
  expect(both.code).toBe(2);
  const lines = await runConsole(['maintenance', 'schedule', '--json'], {
    env: { ...env, NESTCTL_REASON: 'a\n* * * * * rm' },
  });
  expect(lines.code).toBe(2);
  const { env: empty } = await contextFile('');
  expect((await runConsole(['maintenance', 'schedule', '--json'], { env: empty })).code).toBe(6);
});
