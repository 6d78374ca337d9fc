import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Connection, connect } from '../../src/platform/database/connection.js';
import { checkDrift } from '../../src/platform/doctor/drift.js';
import {
  catalogue,
  catalogueSnapshot,
  type MigrationStep,
  migrate,
  migrationHistory,
  migrationStatus,
  rollback,
} from '../../src/platform/migrations/index.js';
import { type FixtureMigration, MigrationFolder } from '../support/migration-folder.js';
import { MigratorProcess } from '../support/migrator-process.js';
import { type EmptyDatabase, type SystemServer, startSystem } from '../support/servers.js';

let server: SystemServer;
let counter = 0;
let database: EmptyDatabase;
let owner: Connection;
let superuser: Connection;
let folder: MigrationFolder;

beforeAll(async () => {
  server = await startSystem({ version: 17, kind: 'plain' });
});
afterAll(() => server?.stop());

beforeEach(async () => {
  database = await server.emptyDatabase(`migrations_${++counter}`);
  owner = await connect(database.owner);
  superuser = await connect(database.superuser);
  folder = new MigrationFolder();
});
afterEach(async () => {
  await Promise.all([owner.close(), superuser.close()]);
  folder.remove();
});

const table = (name: string): FixtureMigration => ({
  up: `create table public.${name} (id int primary key, label text);`,
  down: `drop table public.${name};`,
});

const run = (options: Partial<Parameters<typeof migrate>[0]> = {}) =>
  migrate({ target: database.owner, folder: folder.path, ...options });

const undo = (options: Partial<Parameters<typeof rollback>[0]> = {}) =>
  rollback({ target: database.owner, folder: folder.path, allowDataLoss: false, ...options });

const states = async () =>
  Object.fromEntries(
    (await migrationStatus(database.owner, folder.path)).map(({ name, state }) => [name, state]),
  );

const exists = async (relation: string) => {
  const { found } = await owner.one<{ found: boolean }>('select to_regclass($1) is not null as found', [
    relation,
  ]);
  return found;
};

/** Waits until a query gives true. */
const until = async (query: string, values: unknown[] = []) => {
  for (let tries = 0; tries < 400; tries++) {
    const { met } = await superuser.one<{ met: boolean }>(`select (${query}) as met`, values);
    if (met) return;
    await sleep(25);
  }
  throw new Error(`never true: ${query}`);
};

describe('up', () => {
  it('applies all pending migrations in order and records who, what and when', async () => {
    folder.write('0001_one', table('one')).write('0002_two', table('two'));
    const steps: MigrationStep[] = [];
    const report = await run({ onStep: (step) => steps.push(step) });

    expect(report).toMatchObject({ before: 0, dryRun: false, warnings: [] });
    expect(report.migrations.map(({ name }) => name)).toEqual(['0001_one', '0002_two']);
    expect(steps.filter(({ type }) => type === 'done').map((step) => 'name' in step && step.name)).toEqual([
      '0001_one',
      '0002_two',
    ]);
    expect(await states()).toEqual({ '0001_one': 'applied', '0002_two': 'applied' });
    const history = await migrationHistory(database.owner);
    expect(history.map(({ migration, direction, ranBy }) => [migration, direction, ranBy])).toEqual([
      ['0002_two', 'up', 'nestsync_owner'],
      ['0001_one', 'up', 'nestsync_owner'],
    ]);
    expect((await run()).migrations).toEqual([]);
  });

  it('stops at --to, by name or number, and refuses one that is not there', async () => {
    folder
      .write('0001_one', table('one'))
      .write('0002_two', table('two'))
      .write('0003_three', table('three'));
    await run({ to: '0001_one' });
    expect(await exists('public.two')).toBe(false);
    await run({ to: '2' });
    expect([await exists('public.two'), await exists('public.three')]).toEqual([true, false]);
    await run({ to: '0001_one' });
    expect(await exists('public.two')).toBe(true);
    await expect(run({ to: 'thr' })).rejects.toMatchObject({ code: 'migration_unknown', exitCode: 5 });
  });

  it('gives each migration a transaction of its own: a failing one leaves nothing, those before it stay', async () => {
    folder.write('0001_one', table('one')).write('0002_two', {
      up: 'create table public.two (id int);\n\ninsert into public.two values (1);\nselect nonsense;',
      down: 'drop table public.two;',
    });
    await expect(run()).rejects.toMatchObject({
      code: 'migration_failed',
      exitCode: 1,
      message: expect.stringContaining('0002_two/up.sql line 9: column "nonsense" does not exist'),
    });
    expect([await exists('public.one'), await exists('public.two')]).toEqual([true, false]);
    expect(await states()).toEqual({ '0001_one': 'applied', '0002_two': 'pending' });
    folder.write('0002_two', table('two'));
    expect((await run()).migrations.map(({ name }) => name)).toEqual(['0002_two']);
  });

  it('shows no row data when rows stand in the way', async () => {
    folder.write('0001_one', {
      up: `create table public.one (email text); insert into public.one values ('gran@example.ca'), ('gran@example.ca');
create unique index one_email_key on public.one (email);`,
      down: 'drop table public.one;',
    });
    const error = await run().catch((caught: Error) => caught as Error & { hint: string });
    expect(error).toMatchObject({ code: 'migration_failed' });
    expect(`${(error as Error).message} ${(error as { hint: string }).hint}`).toContain('one_email_key');
    expect(JSON.stringify(error) + (error as Error).message).not.toContain('gran@');
  });

  it('means the same whatever the login, the database and the migration before have set', async () => {
    await superuser.query(
      `alter role nestsync_owner in database ${database.name} set search_path = private, public`,
    );
    await superuser.query(`alter database ${database.name} set statement_timeout = '300ms'`);
    folder
      .write('0001_one', {
        ...table('one'),
        up: `${table('one').up} set search_path = public; set timezone = 'Asia/Tokyo'; select pg_sleep(0.5);`,
      })
      .write('0002_two', {
        up: `create table public.two as select current_setting('search_path') as path, current_setting('timezone') as zone;`,
        down: 'drop table public.two;',
      });
    await run();
    expect(await owner.query('select * from public.two')).toEqual([{ path: '""', zone: 'UTC' }]);
  });

  it('refuses a file that ends its own transaction', async () => {
    folder.write('0001_one', { ...table('one'), up: `${table('one').up} commit; begin;` });
    await expect(run()).rejects.toThrow('0001_one/up.sql ends its transaction by itself');
    expect(await states()).toEqual({ '0001_one': 'pending' });
  });

  it('keeps the order when the clock of this machine goes back', async () => {
    folder.write('0001_one', table('one'));
    await run();
    await owner.query(`update ops.migrations set timestamp = '2999-01-01T00:00:00.000Z'`);
    folder.write('0002_two', table('two'));
    await run();
    await undo();
    expect(await states()).toEqual({ '0001_one': 'applied', '0002_two': 'pending' });
  });
});

describe('files', () => {
  const good = ['kind: schema', 'locks: none', 'transaction: yes', 'reversible: yes'];
  const header = (lines: string[]) => `${lines.map((line) => `-- ${line}`).join('\n')}\n\nselect 1;\n`;

  it.each([
    ['a header line that is missing', good.filter((line) => !line.startsWith('locks')), 'lacks "-- locks'],
    [
      'a kind that does not exist',
      ['kind: table', ...good.slice(1)],
      '"kind" is schema or data, not "table"',
    ],
    ['a key that does not exist', ['lock: none', ...good], 'has "lock", which is not one of'],
    ['a key that is there twice', [...good, 'kind: data'], 'has "kind" twice'],
    [
      'no reason for being irreversible',
      [...good.slice(0, 3), 'reversible: no'],
      '"reversible" is "yes" or "no (why)"',
    ],
  ])('names the file with %s', async (_, lines, message) => {
    folder.writeFile('0001_one', 'up.sql', header(lines)).writeFile('0001_one', 'down.sql', 'select 1;');
    await expect(run()).rejects.toMatchObject({
      code: 'migration_file_invalid',
      message: expect.stringMatching(/^0001_one\/up\.sql: /),
    });
    await expect(run()).rejects.toThrow(message);
  });

  it('names a folder, a twin number, a missing or a surplus down', async () => {
    folder.write('0001_one', { up: 'select 1;' });
    await expect(run()).rejects.toThrow('0001_one/down.sql: there is no such file');
    folder.write('0001_one', { ...table('one'), reversible: 'no (rows were merged)' });
    await expect(run()).rejects.toThrow('0001_one/down.sql: the header says the migration is not reversible');
    folder.write('0001_one', table('one')).write('0001_other', table('other'));
    await expect(run()).rejects.toThrow('0001_other: 0001_one has the same number');
    folder.remove('0001_other');
    folder.write('2_two', table('two'));
    await expect(run()).rejects.toThrow('2_two: the folder is not named like 0001_name');
    expect(await exists('ops.migrations')).toBe(false);
  });

  it('reports an applied migration whose file was changed, but not for the line ends of a checkout', async () => {
    folder.write('0001_one', table('one'));
    await run();
    folder.writeFile('0001_one', 'down.sql', `${table('one').down}\r\n`);
    expect(await states()).toEqual({ '0001_one': 'applied' });
    folder.writeFile('0001_one', 'down.sql', 'drop table if exists public.one;\n');
    expect(await states()).toEqual({ '0001_one': 'changed' });
    expect((await run()).warnings).toEqual([expect.stringContaining('0001_one is applied, but its file')]);
  });

  it('refuses a database that is newer, and a migration that comes too late', async () => {
    folder.write('0001_one', table('one')).write('0003_three', table('three'));
    await run();
    folder.remove('0003_three');
    await expect(run()).rejects.toMatchObject({ code: 'newer_database', exitCode: 6 });
    await expect(undo()).rejects.toMatchObject({ code: 'newer_database' });
    expect(await states()).toEqual({ '0001_one': 'applied', '0003_three': 'unknown' });
    folder.write('0002_two', table('two')).write('0003_three', table('three'));
    await expect(run()).rejects.toMatchObject({ code: 'migration_skipped' });
    expect(await states()).toMatchObject({ '0002_two': 'skipped' });
    expect(await exists('public.two')).toBe(false);
  });
});

describe('two at once', () => {
  const slow: FixtureMigration = {
    up: 'create table public.slow (id int); select pg_sleep(seconds) from public.pause;',
    down: 'drop table public.slow;',
  };
  const sleeping = `exists (select from pg_stat_activity where datname = $1 and query like '%pg_sleep%'
                            and pid <> pg_backend_pid() and state = 'active')`;

  beforeEach(async () => {
    await owner.query('create table public.pause (seconds float)');
    folder.write('0001_slow', slow).write('0002_two', table('two'));
  });

  it('the second waits, says for whom, and finds nothing left to do', async () => {
    await owner.query('insert into public.pause values (1.5)');
    const first = new MigratorProcess({ target: database.owner, folder: folder.path });
    await until(sleeping, [database.name]);
    const steps: MigrationStep[] = [];
    const report = await run({ onStep: (step) => steps.push(step) });
    expect(report.migrations).toEqual([]);
    expect(steps[0]).toMatchObject({
      type: 'waiting',
      for: 'migrator',
      holders: [{ user: 'nestsync_owner', application: 'nestctl migrate' }],
    });
    expect(await first.end()).toMatchObject({ type: 'report' });
    expect((await migrationHistory(database.owner)).length).toBe(2);
  });

  it('the second stops cleanly when its patience ends', async () => {
    await owner.query('insert into public.pause values (600)');
    const first = new MigratorProcess({ target: database.owner, folder: folder.path });
    await until(sleeping, [database.name]);
    await expect(run({ patience: 300 })).rejects.toMatchObject({
      code: 'migrator_busy',
      exitCode: 6,
      hint: expect.stringMatching(/process \d+ \(nestsync_owner, nestctl migrate/),
    });
    await first.kill();
  });

  it('two that start together apply everything once', async () => {
    await owner.query('insert into public.pause values (0)');
    const reports = await Promise.all([run(), run(), run()]);
    expect(reports.map(({ migrations }) => migrations.length).sort()).toEqual([0, 0, 2]);
  });

  it('killed midway leaves nothing half-applied, and the next run finishes', async () => {
    await owner.query('insert into public.pause values (600)');
    const first = new MigratorProcess({ target: database.owner, folder: folder.path });
    await until(sleeping, [database.name]);
    await first.kill();
    await owner.query('update public.pause set seconds = 0');
    const report = await run();
    expect(report.migrations.map(({ name }) => name)).toEqual(['0001_slow', '0002_two']);
    expect(await states()).toEqual({ '0001_slow': 'applied', '0002_two': 'applied' });
  });

  it('killed between any two moments of a run, the next one finishes', async () => {
    await owner.query('insert into public.pause values (0.05)');
    for (let number = 3; number <= 9; number++) folder.write(`000${number}_t`, table(`t${number}`));
    for (let moment = 1; moment <= 5; moment++) {
      const child = new MigratorProcess({ target: database.owner, folder: folder.path });
      while (!child.steps.some(({ type }) => type === 'done')) await sleep(1);
      await sleep(moment);
      await child.kill();
    }
    // What a killed run left without a snapshot, the doctor does not take for drift.
    const [unkept] = await owner.query('select from ops.migration_runs where snapshot_id is null');
    expect(unkept).toBeDefined();
    expect(await checkDrift(owner)).toMatchObject([{ level: 'unknown', remedy: 'nestctl db migrate' }]);
    await run();
    expect(await checkDrift(owner)).toMatchObject([{ level: 'ok' }]);
    expect(new Set(Object.values(await states()))).toEqual(new Set(['applied']));
    const runs = await migrationHistory(database.owner);
    expect(runs.filter(({ snapshot }) => snapshot === null)).toEqual([]);
    expect(runs.map(({ migration }) => migration).reverse()).toEqual(Object.keys(await states()));
  });

  it('can be interrupted, and says what stands', async () => {
    await owner.query('insert into public.pause values (600)');
    const controller = new AbortController();
    const running = run({ signal: controller.signal });
    running.catch(() => undefined);
    await until(sleeping, [database.name]);
    controller.abort();
    await expect(running).rejects.toMatchObject({ exitCode: 130 });
    expect(await exists('public.slow')).toBe(false);
    await owner.query('update public.pause set seconds = 0');
    expect((await run()).migrations.length).toBe(2);
  });
});

describe('locks', () => {
  it('gives up a lock that another session holds, names it, and changes nothing', async () => {
    folder.write('0001_one', table('one'));
    await run();
    folder.write('0002_two', {
      up: 'create table public.two (id int); alter table public.one add column more text;',
      down: 'alter table public.one drop column more; drop table public.two;',
    });
    const other = await connect(database.owner, { applicationName: 'somebody else' });
    await other.query('begin');
    await other.query('lock table public.one');
    const steps: MigrationStep[] = [];
    await expect(run({ onStep: (step) => steps.push(step), timeouts: { lock: 700 } })).rejects.toMatchObject({
      code: 'lock_timeout',
      exitCode: 6,
      message: expect.stringMatching(
        /^0002_two: a lock that it needs is held by process \d+ \(nestsync_owner, somebody else/,
      ),
    });
    expect(steps.map(({ type }) => type).filter((type) => type === 'retrying')).toHaveLength(2);
    expect(steps).toContainEqual(expect.objectContaining({ type: 'waiting', for: 'lock', name: '0002_two' }));
    expect(await exists('public.two')).toBe(false);

    const retried = run({ timeouts: { lock: 700 } });
    await sleep(900);
    await other.query('rollback');
    await other.close();
    expect((await retried).migrations).toHaveLength(1);
  });
});

describe('outside a transaction', () => {
  const index: FixtureMigration = {
    transaction: 'no',
    up: `-- statement
create index concurrently if not exists one_label_idx on public.one (label);
-- statement
-- The second.
create unique index concurrently if not exists "One Key" on public.one (lower(label));`,
    down: `drop index concurrently if exists public.one_label_idx;
-- statement
drop index concurrently if exists public."One Key";`,
  };
  const valid = async () =>
    owner.query<{ name: string; valid: boolean }>(
      `select indexrelid::regclass::text as name, indisvalid as valid from pg_index
       where indrelid = 'public.one'::regclass and not indisprimary order by 1`,
    );

  beforeEach(async () => {
    folder.write('0001_one', table('one'));
    await run();
    await owner.query(`insert into public.one select n, 'label ' || n from generate_series(1, 1000) n`);
  });

  it('builds and drops indexes concurrently', async () => {
    folder.write('0002_index', index);
    await run();
    expect(await valid()).toEqual([
      { name: '"One Key"', valid: true },
      { name: 'one_label_idx', valid: true },
    ]);
    await undo();
    expect(await valid()).toEqual([]);
    expect(await states()).toEqual({ '0001_one': 'applied', '0002_index': 'pending' });
  });

  it('runs again after an interrupted build, whose INVALID index does not pass for the finished one', async () => {
    folder.write('0002_index', index);
    const old = await connect(database.owner);
    await old.query('begin');
    await old.query('update public.one set label = label where id = 1');
    const first = new MigratorProcess({ target: database.owner, folder: folder.path });
    await until(`exists (select from pg_index where indrelid = 'public.one'::regclass and not indisvalid)`);
    await first.kill();
    await until(
      `not exists (select from pg_stat_activity where datname = $1 and query ~ '^-- The|^create index' and state = 'active')`,
      [database.name],
    );
    await old.query('rollback');
    await old.close();
    expect(await valid()).toEqual([{ name: 'one_label_idx', valid: false }]);

    const steps: MigrationStep[] = [];
    await run({ onStep: (step) => steps.push(step) });
    expect(steps).toContainEqual({
      type: 'dropped_invalid_index',
      name: '0002_index',
      index: 'public.one_label_idx',
    });
    expect(await valid()).toEqual([
      { name: '"One Key"', valid: true },
      { name: 'one_label_idx', valid: true },
    ]);
  });

  it('takes up again after a statement that failed, quoted names included', async () => {
    await owner.query(`insert into public.one values (0, 'LABEL 1')`);
    folder.write('0002_index', index);
    await expect(run()).rejects.toMatchObject({
      code: 'migration_failed',
      hint: expect.stringContaining('can be run again'),
    });
    expect(await valid()).toEqual([
      { name: '"One Key"', valid: false },
      { name: 'one_label_idx', valid: true },
    ]);
    await owner.query('delete from public.one where id = 0');
    await run();
    expect((await valid()).map(({ valid: ok }) => ok)).toEqual([true, true]);
  });

  it('refuses what cannot be run again, and a forgotten separator', async () => {
    folder.write('0002_index', {
      ...index,
      up: 'create index concurrently one_label_idx on public.one (label);',
    });
    await expect(run()).rejects.toThrow(
      /0002_index\/up\.sql line 1: .*only statements that can be run again/,
    );
    folder.write('0002_index', { ...index, up: (index.up ?? '').replace('-- statement\n-- The', '-- The') });
    await expect(run()).rejects.toThrow('cannot insert multiple commands');
    expect(await valid()).toEqual([]);
  });
});

describe('dry run', () => {
  it('tells what would run and changes nothing', async () => {
    folder.write('0001_one', table('one')).write('0002_two', table('two'));
    const report = await run({ dryRun: true, to: '0001_one' });
    expect(report).toMatchObject({
      dryRun: true,
      migrations: [{ name: '0001_one', kind: 'schema', locks: 'none on existing tables', transaction: true }],
    });
    expect(await exists('ops.migrations')).toBe(false);
  });

  it('rehearses in a transaction that is rolled back, up to the first that needs none', async () => {
    folder
      .write('0001_one', table('one'))
      .write('0002_two', { ...table('two'), up: 'create table public.two as select * from public.one;' })
      .write('0003_index', {
        transaction: 'no',
        up: 'create index concurrently if not exists i on public.one (label);',
        down: 'drop index concurrently if exists public.i;',
      })
      .write('0004_four', table('four'));
    const report = await run({ dryRun: true, rehearse: true });
    const why = '0003_index runs outside a transaction';
    expect(report.migrations.map(({ rehearsed }) => rehearsed)).toEqual([true, true, why, why]);
    expect(await exists('ops.migrations')).toBe(false);
    folder.write('0002_two', {
      ...table('two'),
      up: 'create table public.two as select * from public.missing;',
    });
    await expect(run({ dryRun: true, rehearse: true })).rejects.toThrow('0002_two/up.sql line 6');
    expect(await exists('public.one')).toBe(false);
  });
});

describe('down', () => {
  it('takes back the last ones with their records, and keeps them in the history', async () => {
    folder
      .write('0001_one', table('one'))
      .write('0002_two', table('two'))
      .write('0003_three', table('three'));
    await run();
    const report = await undo({ steps: 2 });
    expect(report.migrations.map(({ name }) => name)).toEqual(['0003_three', '0002_two']);
    expect(await states()).toEqual({ '0001_one': 'applied', '0002_two': 'pending', '0003_three': 'pending' });
    expect((await migrationHistory(database.owner))[0]).toMatchObject({
      migration: '0002_two',
      direction: 'down',
    });
    await expect(undo({ steps: 2 })).rejects.toMatchObject({ code: 'steps_out_of_range', exitCode: 2 });
    await expect(undo({ steps: 0 })).rejects.toMatchObject({ code: 'steps_out_of_range' });
  });

  it('refuses before anything is changed where one of them has no way back', async () => {
    folder
      .write('0001_one', { up: 'select 1;', reversible: 'no (rows were merged)' })
      .write('0002_two', table('two'));
    await run();
    await expect(undo({ steps: 2 })).rejects.toMatchObject({
      code: 'irreversible',
      message: expect.stringContaining('0001_one cannot be taken back: rows were merged'),
    });
    expect(await exists('public.two')).toBe(true);
  });

  it('a down that fails leaves everything as it was', async () => {
    folder.write('0001_one', { ...table('one'), down: 'drop table public.one; select nonsense;' });
    await run();
    await expect(undo()).rejects.toMatchObject({ code: 'rollback_failed' });
    expect(await exists('public.one')).toBe(true);
    expect(await states()).toEqual({ '0001_one': 'applied' });
  });

  const one = 'create table public.one (id int primary key, label text, day timestamptz);';
  it.each([
    ['a table', 'drop table public.one;', 'public.one (table dropped, 3 rows)'],
    ['a column', 'alter table public.one drop column label;', 'public.one.label (column dropped, 2 rows)'],
    ['a type', 'alter table public.one alter day type date;', 'public.one.day (column type changed, 1 rows)'],
    ['rows', 'delete from public.one where id > 1;', 'public.one (rows deleted, 2 rows)'],
    ['all rows', 'truncate public.one;', 'public.one (table emptied, 3 rows)'],
    [
      'renamed rows',
      'alter table public.one rename to two; drop table public.two;',
      'public.one (table dropped, 3 rows)',
    ],
  ])('refuses to lose %s, and does it where allowed', async (what, down, loss) => {
    folder.write('0001_one', { up: one, down });
    await run();
    await owner.query(`insert into public.one values (1, 'a', now()), (2, 'b', null), (3, null, null)`);
    // Not even the owner sees these rows then: what looks empty must not pass for empty.
    if (what !== 'rows')
      await owner.query('alter table public.one enable row level security, force row level security');
    for (const dryRun of [true, false]) {
      await expect(undo({ dryRun })).rejects.toMatchObject({
        code: 'data_loss',
        exitCode: 6,
        message: `Rolling back 0001_one would lose data: ${loss}. It was not rolled back.`,
      });
    }
    expect(await states()).toEqual({ '0001_one': 'applied' });
    expect(await superuser.query('select count(*)::int as rows from public.one')).toEqual([{ rows: 3 }]);
    const report = await undo({ allowDataLoss: true });
    expect(report.migrations[0]?.losses).toHaveLength(1);
    expect(await states()).toEqual({ '0001_one': 'pending' });
  });

  it('lets go what is empty, what was renamed, and rows that the migration itself put there', async () => {
    folder
      .write('0001_one', { up: one, down: 'drop table public.one;' })
      .write('0002_seed', {
        kind: 'data',
        seeds: 'public.one',
        up: `insert into public.one values (1, 'seed', null);`,
        down: 'delete from public.one where id = 1;',
      })
      .write('0003_rename', {
        up: 'alter table public.one rename column label to name; alter table public.one rename to uno;',
        down: 'alter table public.uno rename to one; alter table public.one rename column name to label;',
      });
    await run();
    const report = await undo({ steps: 3 });
    expect(report.migrations.map(({ losses }) => losses)).toEqual([[], [], []]);
    expect(await exists('public.one')).toBe(false);
  });

  it('a dry run of several tries each on what the one before would leave', async () => {
    folder.write('0001_one', { up: one, down: 'drop table public.one;' }).write('0002_two', {
      up: 'create table public.two (id int references public.one);',
      down: 'drop table public.two;',
    });
    await run();
    expect((await undo({ steps: 2, dryRun: true })).migrations).toHaveLength(2);
    expect([await exists('public.one'), await exists('public.two')]).toEqual([true, true]);
  });
});

describe('catalogue', () => {
  const objects = `
    create schema extra;
    comment on schema extra is 'Extra';
    create type extra.mood as enum ('sad', 'ok');
    create domain extra.percent as int default 0 check (value between 0 and 100);
    create sequence extra.numbers increment by 5;
    create table extra.parent (id int, at date not null, p extra.percent, primary key (id, at)) partition by range (at);
    create table extra.parent_2026 partition of extra.parent for values from ('2026-01-01') to ('2027-01-01');
    create table extra.child (id int generated always as identity, label text collate "C" default 'x', up text generated always as (upper(label)) stored);
    alter table extra.child add constraint child_label check (label <> '') not valid;
    comment on column extra.child.label is 'Label';
    alter table extra.child enable row level security;
    create policy child_read on extra.child for select to authenticated using (label = current_user);
    create function extra.f(a int default 1) returns int language sql stable security definer set search_path = '' as 'select $1';
    create procedure extra.p() language sql begin atomic select 1; end;
    create function extra.t() returns trigger language plpgsql as 'begin return new; end';
    create trigger child_touch before update on extra.child for each row execute function extra.t();
    create view extra.v with (security_invoker = true) as select id, label from extra.child;
    create materialized view extra.m as select 1 as one;
    create unique index m_one on extra.m (one);
    create statistics extra.s on id, label from extra.child;
    create rule r as on insert to extra.v do instead nothing;
    grant select (id) on extra.child to nestsync_support;
    grant execute on function extra.f(int) to service_role with grant option;
    alter default privileges in schema extra grant select on tables to service_role;`;

  beforeEach(async () => {
    folder.write('0001_objects', { up: objects, down: 'drop schema extra cascade;' });
    await run();
  });

  it('is identical after down and up', async () => {
    const before = await catalogue(owner);
    await undo({ allowDataLoss: true });
    expect(await catalogue(owner)).not.toEqual(before);
    await run();
    expect(await catalogue(owner)).toEqual(before);
  });

  it.each([
    `comment on schema extra is 'Other'`,
    `alter type extra.mood add value 'happy'`,
    `alter domain extra.percent set default 1`,
    `alter sequence extra.numbers cycle`,
    `alter table extra.child alter label set not null`,
    `alter table extra.child alter label drop default`,
    `alter table extra.child validate constraint child_label`,
    `alter table extra.child force row level security`,
    `comment on column extra.child.label is null`,
    `alter policy child_read on extra.child to nestsync_support`,
    `alter policy child_read on extra.child using (true)`,
    `alter function extra.f(int) security invoker`,
    `create or replace function extra.f(a int default 1) returns int language sql stable security definer set search_path = '' as 'select $1 + 0'`,
    `revoke execute on function extra.f(int) from public`,
    `alter table extra.child disable trigger child_touch`,
    `alter view extra.v set (security_invoker = false)`,
    `drop statistics extra.s`,
    `grant select (label) on extra.child to nestsync_support`,
    `grant usage on schema extra to anon`,
    `alter default privileges for role nestsync_owner in schema extra revoke select on tables from service_role`,
    `drop rule r on extra.v`,
    `create index on extra.child (label)`,
    `alter table extra.parent detach partition extra.parent_2026`,
    `alter table extra.child owner to nestsync_support`,
  ])('sees %s', async (change) => {
    const before = await catalogue(owner);
    await superuser.query(change);
    expect(await catalogue(owner)).not.toEqual(before);
  });

  it('is read the same whatever the search path', async () => {
    const before = await catalogue(owner);
    await owner.query('set search_path = extra, public');
    expect(await catalogue(owner)).toEqual(before);
    expect(await owner.query('show search_path')).toEqual([{ search_path: 'extra, public' }]);
  });

  it('a snapshot of what decides access is kept with each run, its content once where nothing changed', async () => {
    folder.write('0002_nothing', { up: 'select 1;', down: 'select 1;' });
    // As before runs were recorded ahead of their snapshot.
    await owner.query('alter table ops.migration_runs alter column snapshot_id set not null');
    await run();
    const [second, first] = await migrationHistory(database.owner);
    expect(second?.snapshot).toBe(first?.snapshot);
    expect((await catalogueSnapshot(owner)).hash).toBe(first?.snapshot);
    const kept = await owner.query<{ kept: boolean }>(
      'select content is not null as kept from ops.catalogue_snapshots order by id',
    );
    expect(kept).toEqual([{ kept: true }, { kept: false }]);
  });

  it('the snapshot stays the same for one more partition like the others, and changes for one that is not', async () => {
    await owner.query(`
      create table public.events (at date not null) partition by range (at);
      create table public.events_1 partition of public.events for values from ('2026-01-01') to ('2026-02-01');`);
    const { hash } = await catalogueSnapshot(owner);
    await owner.query(
      `create table public.events_2 partition of public.events for values from ('2026-02-01') to ('2026-03-01')`,
    );
    expect((await catalogueSnapshot(owner)).hash).toBe(hash);
    await owner.query('grant select on public.events_2 to authenticated');
    expect((await catalogueSnapshot(owner)).hash).not.toBe(hash);
  });
});
