import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Connection, connect } from '../../src/platform/database/connection.js';
import { readMigrations } from '../../src/platform/migrations/index.js';
import { contextFile, runConsole } from '../support/console.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

const names = (await readMigrations()).map(({ name }) => name);
const last = names.at(-1) as string;
const file = await contextFile('');

let database: TestDatabase;
let owner: Connection;

const use = async (template?: string) => {
  database = await createTestDatabase(template === undefined ? {} : { template });
  owner = await connect(database.owner);
  const { host, port, user, password } = database.owner;
  const passfile = join(dirname(file.path), 'pgpass');
  writeFileSync(passfile, `${host}:${port}:*:${user}:${password as string}\n`, { mode: 0o600 });
  const context = (kind: string, name: string) => `
[contexts.${name}]
kind = "${kind}"
host = "${host}"
port = ${port}
database = "${database.name}"
user = "camille.roy"
passfile = "${passfile}"
[contexts.${name}.owner]
user = "${user}"
`;
  writeFileSync(file.path, `current = "prod"\n${context('server', 'prod')}${context('local', 'here')}`);
};
afterEach(async () => {
  await owner.close();
  await database.drop();
});

const db = async (...args: string[]) => {
  const { code, stdout, stderr } = await runConsole(['db', ...args, '--json'], { env: file.env });
  expect(stderr).not.toMatch(/ {4}at /);
  return { code, answer: JSON.parse(stdout), stderr };
};
const applied = async () => {
  const { ledger } = await owner.one<{ ledger: unknown }>(`select to_regclass('ops.migrations') as ledger`);
  return ledger === null
    ? []
    : (await owner.query<{ name: string }>('select name from ops.migrations order by 1')).map(
        ({ name }) => name,
      );
};

/** The first migration that does. */
const OUTSIDE = '0033_author_indexes';

describe('on an empty database', () => {
  beforeEach(() => use('template0'));

  it('migrate shows the plan, wants consent outside a local context, and then applies it all', async () => {
    const dry = await db('migrate', '--dry-run');
    expect(dry.code).toBe(0);
    expect(dry.answer.result.plan.migrations.map(({ name }: { name: string }) => name)).toEqual(names);
    const refused = await db('migrate');
    expect(refused).toMatchObject({ code: 7, answer: { ok: false, error: { code: 'consent_missing' } } });
    expect(await applied()).toEqual([]);

    expect(await db('migrate', '--to', '1', '--yes')).toMatchObject({ code: 0 });
    expect(await applied()).toEqual([names[0]]);
    const rest = await db('migrate', '--yes');
    expect(rest).toMatchObject({ code: 0, answer: { ok: true, result: { applied_before: 1 } } });
    expect(await applied()).toEqual(names);
    expect((await db('migrate')).code).toBe(0);
  });

  it('migrate in a local context asks nothing, and its dry run rehearses', async () => {
    const dry = await db('migrate', '--dry-run', '--context', 'here');
    expect(
      dry.answer.result.plan.migrations.map(({ rehearsed }: { rehearsed: unknown }) => rehearsed),
      // Behind what cannot be taken back nothing can be tried.
    ).toEqual(names.map((name) => name < OUTSIDE || `${OUTSIDE} runs outside a transaction`));
    expect(await applied()).toEqual([]);
    expect((await db('migrate', '--context', 'here')).code).toBe(0);
    expect(await applied()).toEqual(names);
  });

  it('status says that all is pending, history that nothing happened, docs that there is nothing to describe', async () => {
    const status = await db('status');
    expect(status).toMatchObject({ code: 0 });
    expect(status.answer.result.migrations.map(({ state }: { state: string }) => state)).toEqual(
      names.map(() => 'pending'),
    );
    expect(await db('history')).toMatchObject({ code: 0, answer: { result: { runs: [] } } });
    expect(await db('docs', '--check')).toMatchObject({
      code: 6,
      answer: { error: { code: 'not_migrated' } },
    });
  });

  it('an unknown target is named', async () => {
    expect(await db('migrate', '--to', '0999_nothing', '--yes')).toMatchObject({
      code: 5,
      answer: { error: { code: 'migration_unknown' } },
    });
    expect(await applied()).toEqual([]);
  });
});

describe('on a migrated database', () => {
  beforeEach(() => use());

  it('status and history are at peace', async () => {
    const status = await db('status');
    expect(status.code).toBe(0);
    expect(status.answer.result.migrations[0]).toMatchObject({
      name: names[0],
      state: 'applied',
      applied_by: 'nestsync_owner',
    });
    const { runs } = (await db('history')).answer.result;
    expect(runs.map(({ migration }: { migration: string }) => migration)).toEqual([...names].reverse());
  });

  it('what this nestctl does not know is a finding, and stops migrate and rollback', async () => {
    await owner.query(`insert into ops.migrations values ('9999_later', '2031-01-01T00:00:00.000Z')`);
    const status = await db('status');
    expect(status.code).toBe(3);
    expect(status.answer.result.migrations.at(-1)).toMatchObject({ name: '9999_later', state: 'unknown' });
    for (const args of [
      ['migrate', '--yes'],
      ['rollback', '--confirm', 'prod'],
    ]) {
      expect(await db(...args)).toMatchObject({ code: 6, answer: { error: { code: 'newer_database' } } });
    }
    expect((await applied()).length).toBe(names.length + 1);
  });

  it('an applied migration whose file is another one is a finding', async () => {
    await owner.query(`update ops.migration_runs set up_sha256 = repeat('0', 64) where migration = $1`, [
      last,
    ]);
    const status = await db('status');
    expect(status.code).toBe(3);
    expect(status.answer.result.migrations.at(-1)).toMatchObject({ name: last, state: 'changed' });
  });

  it("rollback wants the context's name", async () => {
    expect(await db('rollback')).toMatchObject({ code: 7, answer: { error: { code: 'consent_missing' } } });
    expect(await db('rollback', '--confirm', 'here')).toMatchObject({
      code: 2,
      answer: { error: { code: 'wrong_confirmation' } },
    });
    expect(await applied()).toEqual(names);
    expect(await db('rollback', '--confirm', 'prod')).toMatchObject({
      code: 0,
      answer: { result: { applied: names.length - 1, migrations: [{ name: last, losses: [] }] } },
    });
    expect(await applied()).toEqual(names.slice(0, -1));
  });

  it('rollback refuses to drop audit events outside a local context, even to try', async () => {
    const all = String(names.length);
    for (const args of [['--dry-run'], ['--confirm', 'prod']]) {
      const { code, answer } = await db('rollback', '--steps', all, ...args);
      expect(code).toBe(6);
      expect(answer.error).toMatchObject({
        code: 'data_loss',
        message: expect.stringContaining('audit.events'),
      });
      expect(answer.error.hint).toContain('audit events are never dropped');
    }
    expect(await applied()).toEqual(names);
    const local = await db('rollback', '--steps', all, '--confirm', 'here', '--context', 'here');
    expect(local.code).toBe(0);
    expect(await applied()).toEqual([]);
  });

  it('docs --check finds nothing to say while sql/docs is fresh, and exits 3 when it is not', async () => {
    expect(await db('docs', '--check')).toMatchObject({ code: 0, answer: { result: { stale: [] } } });
    await owner.query(`comment on table public.children is 'Changed by hand'`);
    expect(await db('docs', '--check')).toMatchObject({
      code: 3,
      answer: { result: { stale: ['schema.md'] } },
    });
  });

  it('without an owner connection in the context it says so', async () => {
    writeFileSync(
      file.path,
      'current = "prod"\n[contexts.prod]\nkind = "server"\nhost = "127.0.0.1"\nport = 1\ndatabase = "x"\nuser = "camille.roy"\n',
    );
    for (const command of ['status', 'history', 'docs', 'migrate', 'rollback']) {
      expect((await db(command)).code, command).toBe(4);
    }
  });
});
