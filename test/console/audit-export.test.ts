import { readFileSync, statSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startConsole } from '../support/console.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type OperatorConsole, operatorConsole } from '../support/operator-console.js';
import { peakMemory } from '../support/peak-memory.js';
import { asService, makeFamily, type SmallFamily } from '../support/small-world.js';

const HOSTILE = [
  '=cmd|calc',
  '+1;=SUM(A1)',
  'plain "quoted", with comma',
  '-5',
  'line\nbreak',
  'bell\u0007 \u202eright',
];

let database: TestDatabase;
let auditor: OperatorConsole;
let family: SmallFamily;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nestctl-export-'));
  database = await createTestDatabase();
  auditor = await operatorConsole(database, {
    operator: await database.makeOperator('auditor'),
    owner: false,
  });
  family = await makeFamily(database, { name: 'Tremblay', notes: 'wet' });
  await asService(database, async (connection) => {
    for (const text of HOSTILE) {
      await connection.query(
        `select set_config('nestsync.reason', $1, false), set_config('nestsync.request', $1, false)`,
        [text],
      );
      await connection.query('update public.usage_logs set notes = $1 where family_id = $2', [
        text,
        family.id,
      ]);
    }
  });
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await database.drop();
});

const FILTER = ['--family', '', '--duty', 'auditor', '--table', 'usage_logs'];
const filter = () => FILTER.map((word) => (word === '' ? family.id : word));

async function queried() {
  const { body } = await auditor.json([
    'audit',
    'query',
    ...filter(),
    '--sort',
    'time:asc',
    '--limit',
    '1000',
  ]);
  return body.result.events as Record<string, unknown>[];
}

/** RFC 4180. */
function parseCsv(text: string): Record<string, string>[] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n|$)/g)) {
    if (quoted === undefined && plain === '' && end === '') break;
    rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain ?? '');
    if (end === '\n') rows.push([]);
  }
  const [head = [], ...body] = rows.filter((row) => row.length > 0);
  return body.map((row) => Object.fromEntries(head.map((name, at) => [name, row[at] ?? ''])));
}

describe('an export has what a query has', () => {
  test('as NDJSON and as JSON', async () => {
    const events = await queried();
    const comparable = ({ occurred_at: at, ...rest }: Record<string, unknown>) => ({
      ...rest,
      occurred_at: new Date(at as string).toISOString(),
    });
    const lines = await auditor.run(['audit', 'export', ...filter(), '--format', 'ndjson']);
    const objects = lines.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(objects.map(comparable)).toEqual(events.map(comparable));
    const whole = await auditor.run(['audit', 'export', ...filter(), '--format', 'json']);
    expect(JSON.parse(whole.stdout)).toEqual(objects);
    const none = await auditor.run(['audit', 'export', '--table', 'payment_methods', '--format', 'json']);
    expect(JSON.parse(none.stdout)).toEqual([]);
    // Nothing in a pipe can act on a terminal that it ends up on.
    for (const char of ['\u0007', '\u202e']) expect(lines.stdout).not.toContain(char);
    expect(lines.stdout).toContain('\\u202e');
  });

  test('as CSV, where a spreadsheet runs nothing', async () => {
    const { stdout, stderr } = await auditor.run(['audit', 'export', ...filter()]);
    const rows = parseCsv(stdout);
    const events = await queried();
    expect(rows.map(({ id }) => id)).toEqual(events.map(({ id }) => id));
    expect(rows.map(({ after }) => (after === '' ? null : JSON.parse(after ?? '')))).toEqual(
      events.map(({ after }) => after),
    );
    expect(rows.slice(1).map(({ reason }) => reason)).toEqual(
      [
        "'=cmd|calc",
        "+1;'=SUM(A1)",
        'plain "quoted", with comma',
        '-5',
        'line\nbreak',
        'bell␇ \u202eright',
      ].map((text) => (text.startsWith('+1;') ? `'${text}` : text)),
    );
    expect(stderr).toContain(`${events.length} events`);
  });

  test('by a filter with values of every kind, none of which is in the statement', async () => {
    const where = `(time >= 2d and event > 0 and operation in (insert, update) and category = modification and login ~ "service"
      and row in (${family.child}, "a\\"b{c,d}'e") ) or new.notes in ("plain \\"quoted\\", with comma", '{}')`;
    const flags = ['--where', where, '--since', '2d', '--family', family.id, '--duty', 'auditor'];
    const { body } = await auditor.json(['audit', 'query', ...flags, '--sort', 'time:asc']);
    const ids = body.result.events.map(({ id }: { id: string }) => id);
    expect(ids.length).toBeGreaterThan(1);
    const { stdout } = await auditor.run(['audit', 'export', ...flags]);
    expect(parseCsv(stdout).map(({ id }) => id)).toEqual(ids);
  });
});

test('a file is written whole, for its owner only, and the envelope says what is in it', async () => {
  const file = join(folder, 'events.csv');
  const { code, body } = await auditor.json(['audit', 'export', ...filter(), '--output', file]);
  expect(code).toBe(0);
  expect(body.result).toMatchObject({ events: 7, file, format: 'csv' });
  expect(parseCsv(await readFile(file, 'utf8'))).toHaveLength(7);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect((await auditor.json(['audit', 'export', '--output', file])).body.error.code).toBe('file_exists');
  expect((await auditor.json(['audit', 'export'])).body.error.code).toBe('two_documents');
});

test('an sre exports the skeleton, support what its grants and columns let it', async () => {
  const sre = await operatorConsole(database, { operator: await database.makeOperator('sre') });
  const skeleton = await sre.run(['audit', 'export', '--table', 'usage_logs', '--format', 'ndjson']);
  expect(Object.keys(JSON.parse(skeleton.stdout.split('\n')[0] ?? ''))).not.toContain('after');
  expect(skeleton.stdout).not.toContain(family.id);
  const support = await operatorConsole(database, { operator: await database.makeOperator('support') });
  expect((await support.json(['audit', 'export', '--output', join(folder, 'none')])).code).toBe(4);
  await asService(database, (connection) =>
    connection.query(`update public.usage_logs set health_notes = 'rash' where family_id = $1`, [family.id]),
  );
  const seen = await support.run([
    'audit',
    'export',
    '--family',
    family.id,
    '--format',
    'ndjson',
    '--reason',
    'Grandma cannot see the log',
    '--ticket',
    'SUP-1',
  ]);
  expect(seen.stdout).toContain('quoted');
  expect(seen.stdout).not.toContain('rash');
});

test('exports by token, and following on from one, leave nothing out and repeat nothing', async () => {
  const seen: string[] = [];
  let token = 'start';
  const flags = ['--table', 'children', '--format', 'ndjson'];
  for (let round = 0; round < 3; round++) {
    await asService(database, (connection) =>
      connection.query(
        `insert into public.children (family_id, name, date_of_birth) select $1, 'Child ' || i, '2025-01-01' from generate_series(1, 3) i`,
        [family.id],
      ),
    );
    const file = join(folder, `round-${round}`);
    const { body } = await auditor.json(['audit', 'export', ...flags, '--from', token, '--output', file]);
    token = body.result.token;
    seen.push(...ids(readFileSync(file, 'utf8')));
  }
  await asService(database, (connection) =>
    connection.query(`update public.children set name = 'Renamed' where family_id = $1`, [family.id]),
  );
  seen.push(
    ...ids((await auditor.run(['audit', 'follow', '--table', 'children', '--once', '--from', token])).stdout),
  );
  const { body } = await auditor.json(['audit', 'query', '--table', 'children', '--limit', '1000']);
  expect(seen.toSorted()).toEqual(body.result.events.map(({ id }: { id: string }) => id).sort());
});

test.runIf(process.platform === 'linux')(
  'memory does not grow with what is exported',
  async () => {
    await asService(database, async (connection) => {
      for (let round = 0; round < 8; round++) {
        await connection.query(
          `insert into public.usage_logs (family_id, child_id, usage_type, notes)
         select $1, $2, 'diaper_change', repeat('wet ', 60) from generate_series(1, 15000)`,
          [family.id, family.child],
        );
      }
    });
    const { body } = await auditor.json(['audit', 'query', '--group-by', 'table', '--limit', '1']);
    const middle = (await auditor.json(['audit', 'query', '--limit', '1'])).body.result.events[0].id;
    for (const format of ['csv', 'ndjson']) {
      const few = await peak(['--where', `event > ${Number(middle) - 10_000}`, '--format', format]);
      const many = await peak(['--format', format]);
      expect(body.result.groups[0].events).toBeGreaterThan(120_000);
      expect(many.bytes).toBeGreaterThan(10 * few.bytes);
      expect(many.bytes).toBeGreaterThan(80_000_000);
      expect([format, many.peak < few.peak + 60 && many.peak < 200]).toEqual([format, true]);
    }
  },
  240_000,
);

const ids = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line).id as string);

/** The most memory that an export ever had, MiB, and what it wrote; the reader is slow at first. */
async function peak(args: readonly string[]): Promise<{ peak: number; bytes: number }> {
  const child = startConsole(['audit', 'export', '--table', 'usage_logs', ...args], { env: auditor.env });
  child.stdin.end();
  let bytes = 0;
  child.stdout.pause();
  setTimeout(() => child.stdout.resume(), 3_000);
  child.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  child.stdout.pause();
  child.stderr.resume();
  const { code, peak: most } = await peakMemory(child);
  if (code !== 0) throw new Error(`the export ended with ${code}`);
  return { peak: most, bytes };
}
