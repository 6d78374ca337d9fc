import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { withConnection } from '../../src/platform/database/connection.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { temporaryFolder } from '../support/evidence.js';
import { type OperatorConsole, operatorConsole } from '../support/operator-console.js';
import { asService, makeFamily, type SmallFamily } from '../support/small-world.js';

const WHY = ['--reason', 'weekly figures are wanted', '--ticket', 'OPS-1'];

let database: TestDatabase;
let family: SmallFamily;
let me: OperatorConsole;
let home: string;
let env: Record<string, string>;

beforeAll(async () => {
  database = await createTestDatabase();
  family = await makeFamily(database, { name: 'Tremblay', child: 'Léa' });
  me = await operatorConsole(database);
});
afterAll(() => database?.drop());
beforeEach(async () => {
  home = temporaryFolder();
  env = { NESTCTL_HOME: home };
  await refreshElsewhere();
});

/** The figures are computed anew by another console, which knows nothing of our cache. */
const refreshElsewhere = () =>
  withConnection(database.owner, async (owner) => {
    await owner.query('refresh materialized view private.weekly_usage');
    await owner.query('refresh materialized view private.weekly_activity');
  });
const usage = async (...args: string[]) => {
  const { code, body } = await me.json(['analytics', 'usage', ...args], { env });
  return {
    code,
    body,
    age: body.meta?.cache_age_ms as number | undefined,
    events: body.result?.weeks.at(-1)?.events,
  };
};
const folder = () => join(home, 'cache');
const entries = () => readdirSync(folder()).filter((name) => name.endsWith('.json'));
const only = () => join(folder(), entries()[0] as string);
const log = () =>
  asService(database, (connection) =>
    connection.query(
      `insert into public.usage_logs (family_id, child_id, usage_type) values ($1, $2, 'diaper_change')`,
      [family.id, family.child],
    ),
  );

test('figures of the whole product are kept, with their age, until --refresh or a refresh of ours', async () => {
  const first = await usage();
  expect(first.age).toBeUndefined();
  await log();
  await refreshElsewhere();
  const second = await usage();
  expect(second.age).toBeGreaterThan(0);
  expect(second.body.result).toEqual(first.body.result);
  expect((await me.run(['analytics', 'usage'], { env })).stdout).toMatch(
    /^kept .* ago on this machine; --refresh asks the server/m,
  );
  const anew = await usage('--refresh');
  expect([anew.age, anew.events]).toEqual([undefined, first.events + 1]);
  expect((await usage()).events).toBe(first.events + 1);
  // Who asks for a server gets its answer.
  expect((await usage('--server', 'primary')).age).toBeUndefined();
  await me.json(['analytics', 'refresh', ...WHY], { env });
  expect((await usage()).age).toBeUndefined();
});

test('it is for one context, server, operator, duty and question', async () => {
  await usage();
  for (const args of [
    ['--duty', 'auditor'],
    ['--since', '30d'],
  ])
    expect((await usage(...args)).age).toBeUndefined();
  const other = await operatorConsole(database, { operator: database.operators[1] });
  expect((await other.json(['analytics', 'usage'], { env })).body.meta.cache_age_ms).toBeUndefined();
  const elsewhere = await operatorConsole(database, { port: 1 });
  expect((await elsewhere.json(['analytics', 'usage'], { env })).body.error.code).toBe('server_down');
});

test('it is closed to others and holds no name, id or address; a family is never kept', async () => {
  await usage();
  await usage('--family', family.id, ...WHY);
  await me.json(['family', 'show', family.id], { env });
  expect(entries()).toHaveLength(1);
  expect([statSync(folder()).mode & 0o777, statSync(only()).mode & 0o777]).toEqual([0o700, 0o600]);
  const text = readFileSync(only(), 'utf8');
  for (const personal of ['Tremblay', 'Léa', '@', family.id, family.child])
    expect(text).not.toContain(personal);
});

test('what is damaged, foreign, open to others, from the future or too old is not believed', async () => {
  await usage();
  const path = only();
  const good = readFileSync(path, 'utf8');
  const changed = (change: (entry: Record<string, unknown>) => void) => {
    const entry = JSON.parse(good);
    change(entry);
    return JSON.stringify(entry);
  };
  expect((await usage()).age).toBeGreaterThan(0);
  for (const bad of [
    '',
    good.slice(0, -5),
    'null',
    '[]',
    changed((entry) => Object.assign(entry, { format: 2 })),
    changed((entry) => Object.assign(entry, { identity: 'another' })),
    changed((entry) => Object.assign(entry, { made_at: Date.now() + 60_000 })),
    changed((entry) => Object.assign(entry, { made_at: Date.now() - 16 * 60_000 })),
    changed((entry) => Object.assign(entry.value as object, { note: 'Léa Tremblay' })),
    `${good}${' '.repeat(300_000)}`,
  ]) {
    writeFileSync(path, bad);
    const { code, age } = await usage();
    expect([bad.slice(0, 60), code, age]).toEqual([bad.slice(0, 60), 0, undefined]);
  }
  writeFileSync(path, good);
  chmodSync(path, 0o644);
  expect((await usage()).age).toBeUndefined();
});

test('it stays small, and where it cannot be kept nothing else changes', async () => {
  await usage();
  for (let at = 0; at < 90; at++) writeFileSync(join(folder(), `${at}.json`), '{}', { mode: 0o600 });
  await usage('--since', '60d');
  expect(entries().length).toBeLessThanOrEqual(64);
  expect((await usage('--since', '60d')).age).toBeGreaterThan(0);

  const blocked = temporaryFolder();
  writeFileSync(join(blocked, 'cache'), 'a file where the folder should be');
  mkdirSync(join(blocked, 'other'));
  const { code, body } = await me.json(['analytics', 'usage'], { env: { NESTCTL_HOME: blocked } });
  expect([code, body.warnings]).toEqual([0, []]);
});
