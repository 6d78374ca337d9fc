import { spawn } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sql from 'sql-template-tag';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Connection, connect } from '../../src/platform/database/connection.js';
import { packageRoot } from '../../src/platform/package-root.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

let database: TestDatabase;
let connection: Connection;
let folder: string;

beforeAll(async () => {
  database = await createTestDatabase();
  connection = await connect(database.superuser);
  await connection.query('create table public.notes (id int primary key)');
  folder = await mkdtemp(join(tmpdir(), 'nestctl-connection-'));
});
afterAll(async () => {
  await connection.close();
  await database.drop();
  await rm(folder, { recursive: true });
});

const notes = async () =>
  (await connection.query<{ id: number }>('select id from public.notes order by id')).map(({ id }) => id);

describe('values', () => {
  it('keep what JavaScript would lose: int8, numeric, dates and intervals are text, instants are Dates', async () => {
    const [row] = await connection.query(
      `select 9007199254740993::int8 as big, 0.1::numeric as money, date '2019-01-01' as born, array[date '2019-01-01'] as dates,
         timestamp '2026-03-08 02:30' as wall, interval '1 mon 2 days' as span, timestamptz '2026-03-08 02:30Z' as instant, '{"a": 1}'::jsonb as json`,
    );
    expect(row).toEqual({
      big: '9007199254740993',
      money: '0.1',
      born: '2019-01-01',
      dates: ['2019-01-01'],
      wall: '2026-03-08 02:30:00',
      span: '1 mon 2 days',
      instant: new Date('2026-03-08T02:30:00Z'),
      json: { a: 1 },
    });
  });

  it('do not depend on how the database is set up', async () => {
    await connection.query(`alter database ${database.name} set datestyle = 'SQL, DMY'`);
    await connection.query(`alter database ${database.name} set timezone = 'America/St_Johns'`);
    const fresh = await connect(database.superuser);
    const [row] = await fresh.query(
      `select date '2026-02-03' as day, timestamptz '2026-01-01 00:00Z' as instant, '2026-01-01Z'::timestamptz::text as text`,
    );
    await fresh.close();
    expect(row).toEqual({
      day: '2026-02-03',
      instant: new Date('2026-01-01T00:00:00Z'),
      text: '2026-01-01 00:00:00+00',
    });
  });

  it('are bound, never pasted', async () => {
    const name = `x'; drop table public.notes; --`;
    expect(await connection.query(sql`select ${name}::text as name`)).toEqual([{ name }]);
  });
});

describe('a transaction', () => {
  it('keeps all or nothing', async () => {
    await connection.transaction(() => connection.query('insert into public.notes values (1)'));
    const failing = connection.transaction(async () => {
      await connection.query('insert into public.notes values (2)');
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await notes()).toEqual([1]);
  });

  it('that failed inside is not reported as done, though its error was swallowed', async () => {
    const failing = connection.transaction(async () => {
      await connection.query('insert into public.notes values (3)');
      await connection.query('select 1/0').catch(() => undefined);
    });
    await expect(failing).rejects.toThrow('rolled back');
    expect(await notes()).toEqual([1]);
  });

  it('reads only where it is told to', async () => {
    const writing = connection.transaction(() => connection.query('insert into public.notes values (4)'), {
      readOnly: true,
    });
    await expect(writing).rejects.toMatchObject({ code: 'read_only_server' });
  });

  it('whose connection is lost while it commits has an unknown outcome, and says so', async () => {
    const other = await connect(database.superuser);
    await other.query(`create function public.die() returns trigger language plpgsql as
      $$ begin perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(5); return null; end $$`);
    await other.query(`create constraint trigger die after insert on public.notes deferrable initially deferred
      for each row execute function public.die()`);
    const lost = other.transaction(() => other.query('insert into public.notes values (5)'));
    await expect(lost).rejects.toMatchObject({ code: 'outcome_unknown', exitCode: 1 });
    await other.close();
    await connection.query('drop function public.die() cascade');
  });
});

describe('a password', () => {
  const camille = () => database.as('camille.roy');
  const passfile = async (text: string, mode = 0o600) => {
    const path = join(folder, 'pgpass');
    await writeFile(path, text);
    await chmod(path, mode);
    return path;
  };

  it('comes from the first line of a pgpass file that fits, escapes and all', async () => {
    const { host, port, user, password } = camille();
    const escaped = String(password).replace(/[\\:]/g, '\\$&');
    const path = await passfile(
      `# comment\nother:*:*:*:no\n${host}:${port}:*:${user}:${escaped}\n*:*:*:*:no\n`,
    );
    await (await connect({ ...camille(), password: undefined, passfile: path })).close();
  });

  it('is not taken from a file that others can read', async () => {
    const path = await passfile('*:*:*:*:x\n', 0o640);
    await expect(connect({ ...camille(), password: undefined, passfile: path })).rejects.toMatchObject({
      code: 'passfile_open',
      exitCode: 4,
      next: `chmod 600 ${path}`,
    });
  });

  it('is missing where no line fits', async () => {
    const path = await passfile('other:*:*:*:x\n');
    await expect(connect({ ...camille(), password: undefined, passfile: path })).rejects.toMatchObject({
      code: 'password_missing',
      exitCode: 4,
    });
  });
});

describe('a console that goes away', () => {
  it('leaves no statement running', async () => {
    const code = `
      const { connect } = await import(${JSON.stringify(join(packageRoot(), 'src/platform/database/connection.ts'))});
      const connection = await connect(JSON.parse(process.env.TARGET), { applicationName: 'goes away' });
      await connection.query('select pg_sleep(60)');`;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
      env: { TARGET: JSON.stringify(database.superuser) },
      stdio: 'ignore',
    });
    const running = async () =>
      (
        await connection.query(
          `select 1 from pg_stat_activity where application_name = 'goes away' and state = 'active'`,
        )
      ).length;
    await expect.poll(running, { timeout: 10_000 }).toBe(1);
    child.kill('SIGKILL');
    await expect.poll(running, { timeout: 10_000 }).toBe(0);
  });
});
