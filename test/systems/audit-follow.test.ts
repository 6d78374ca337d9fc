import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Connection, connect } from '../../src/platform/database/connection.js';
import { startConsole } from '../support/console.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { seededRandom, testSeed } from '../support/model/random.js';
import { type OperatorConsole, operatorConsole } from '../support/operator-console.js';
import { makeFamily, type SmallFamily } from '../support/small-world.js';

let database: TestDatabase;
let auditor: OperatorConsole;
let login: string;
let family: SmallFamily;
let superuser: Connection;
const TABLE = ['--table', 'usage_logs'];
const seed = testSeed();

beforeAll(async () => {
  database = await createTestDatabase();
  family = await makeFamily(database, { name: 'Tremblay' });
  superuser = await connect(database.superuser);
  const operator = await database.makeOperator('auditor');
  login = operator.user;
  auditor = await operatorConsole(database, { operator });
});
afterAll(async () => {
  await superuser?.close();
  await database?.drop();
});

/**
 * What whoever reads the lines keeps of them, as README says: each whole line and its token. What was cut off in the
 * middle counts for nothing.
 */
class Reader {
  readonly seen: string[] = [];
  token = '';
  halves = 0;
  #rest = '';

  take(chunk: string): void {
    const lines = (this.#rest + chunk).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const { id, token } = JSON.parse(line) as { id: string; token: string };
      this.seen.push(id);
      this.token = token;
    }
  }

  /** The writer is gone. */
  end(): void {
    if (this.#rest !== '') this.halves += 1;
    this.#rest = '';
  }
}

/** Reads so many more lines, and then nothing until the stream is resumed: the console has to wait in its page. */
async function lines(child: ChildProcessWithoutNullStreams, reader: Reader, count: number): Promise<void> {
  const goal = reader.seen.length + count;
  const deadline = Date.now() + 6_000;
  const read = (chunk: string) => {
    reader.take(chunk);
    if (reader.seen.length >= goal) child.stdout.pause();
  };
  child.stdout.removeAllListeners('data');
  child.stdout.on('data', read);
  child.stdout.resume();
  while (reader.seen.length < goal && Date.now() < deadline && child.exitCode === null) await sleep(5);
}

const ENDS = ['killed', 'killed while nobody reads', 'cut off and killed', 'pipe closed'] as const;

/** Follows from the last token until so many lines are read, and is then ended in one of these ways. */
async function round(reader: Reader, how: (typeof ENDS)[number], count: number): Promise<string> {
  const args = ['audit', 'follow', ...TABLE, '--from', reader.token, '--every', '1s'];
  const child = startConsole(args, { env: auditor.env });
  const closed = once(child, 'close');
  let told = '';
  child.stderr.on('data', (chunk: Buffer) => {
    told += chunk.toString();
  });
  child.stdout.setEncoding('utf8');
  await lines(child, reader, count);
  if (how === 'killed while nobody reads') await sleep(400);
  if (how === 'cut off and killed') {
    await superuser.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [
      login,
    ]);
    // The rest of its page, and then what only another connection can give.
    await lines(child, reader, 650);
  }
  if (how === 'pipe closed') child.stdout.destroy();
  else child.kill('SIGKILL');
  child.stdout.removeAllListeners('data').on('data', (chunk: string) => reader.take(chunk));
  await closed;
  reader.end();
  return told;
}

/** Transactions of 1 to 3 logs that overlap, wait and roll back. */
async function write(number: number, on: () => boolean): Promise<void> {
  const random = seededRandom(seed + number);
  const connection = await connect(database.service);
  await connection.query('set role service_role');
  for (let round = 0; on(); round += 1) {
    await connection.query('begin');
    for (let row = random.between(1, 3); row > 0; row -= 1) {
      await addLogs(connection, 1, random.between(1, 900));
      if (random.chance(0.3)) await sleep(random.between(0, 40));
    }
    // Now and then one stays open while hundreds of later ones commit.
    if (round % 40 === 20) await sleep(2_500);
    await connection.query(random.chance(0.15) ? 'rollback' : 'commit');
    await sleep(random.between(0, 20));
  }
  await connection.close();
}

async function addLogs(connection: Connection, count: number, bytes: number): Promise<void> {
  await connection.query(
    `insert into public.usage_logs (family_id, child_id, usage_type, notes) select $1, $2, 'diaper_change', repeat('n', case when n % 60 = 0 then 150000 else $4 end) from generate_series(1, $3) n`,
    [family.id, family.child, count, bytes],
  );
}

test(`killed with -9, cut off and left without a reader in the middle of a page, again and again, nothing is skipped and nothing comes twice (NESTCTL_TEST_SEED=${seed})`, async () => {
  const random = seededRandom(seed);
  const reader = new Reader();
  const start = await auditor.run(['audit', 'follow', ...TABLE, '--once']);
  reader.token = /--from (\S+)/.exec(start.stderr)?.[1] ?? '';
  const { id: first } = await superuser.one<{ id: string }>(
    'select coalesce(max(id), 0)::text as id from audit.events',
  );
  // Pages of a backlog, so that every end falls into the middle of one; some lines are longer than a pipe holds.
  await addLogs(superuser, 6_000, 300);
  let writing = true;
  const writers = [1, 2].map((number) => write(number, () => writing));
  const told: string[] = [];
  for (let number = 0; number < 16; number += 1) {
    const how = ENDS[number % ENDS.length] as (typeof ENDS)[number];
    told.push(await round(reader, how, random.between(1, 220)));
  }
  writing = false;
  await Promise.all(writers);

  // The first half of what is left by the token of the last whole line, and the second by an export with it.
  await round(reader, 'killed', 40);
  const exported = await auditor.run([
    ...['audit', 'export', ...TABLE, '--format', 'ndjson', '--from', reader.token],
  ]);
  expect(exported.code).toBe(0);
  const rest = exported.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { id: string }).id);
  const there = await superuser.query<{ id: string }>(
    `select e.id::text from audit.events e where e.table_name = 'public.usage_logs' and e.id > $1 order by e.epoch, e.xid, e.id`,
    [first],
  );
  expect([...reader.seen, ...rest]).toEqual(there.map(({ id }) => id));
  // Else this would show nothing.
  expect(there.length).toBeGreaterThan(6_000);
  expect(reader.seen.length).toBeGreaterThan(500);
  expect(reader.halves).toBeGreaterThan(0);
  expect(told.filter((one) => one.includes('Trying again.')).length).toBeGreaterThan(0);
});
