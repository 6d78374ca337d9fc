import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { from as copyFrom } from 'pg-copy-streams';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Connection, withConnection } from '../../src/platform/database/connection.js';
import { startConsole } from '../support/console.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { temporaryFolder } from '../support/evidence.js';
import { type OperatorConsole, operatorConsole } from '../support/operator-console.js';
import { peakMemory } from '../support/peak-memory.js';
import { makeFamily, makeGuardian, type SmallFamily } from '../support/small-world.js';
import { OpenZip } from '../support/zip-file.js';

const ROWS = 1_000_000;
const WHY = ['--reason', 'her access request', '--ticket', 'DSR-1'];

let database: TestDatabase;
let me: OperatorConsole;
let family: SmallFamily;

beforeAll(async () => {
  database = await createTestDatabase();
  me = await operatorConsole(database, { operator: await database.makeOperator('compliance'), owner: false });
  family = await makeFamily(database, { name: 'Tremblay' });
  await makeGuardian(database, { family: family.id, id: family.child }, family.core.id);
  await withConnection(
    database.superuser,
    (superuser) =>
      superuser.query(
        `insert into public.usage_logs (family_id, child_id, usage_type, logged_at, quantity_used, context, was_wet, was_soiled, product_rating, time_since_last_change, notes, created_by, created_at)
         select $1, $2, (array['diaper_change', 'wipe_use', 'overnight_change'])[1 + n % 3], at, n % 1000, (array['home', 'daycare', null])[1 + n % 3], nullif(n % 3, 0) = 1, n % 5 = 0, nullif(n % 6, 0),
           make_interval(days => n % 3, mins => n % 1440, secs => n % 60 + 0.123456),
           (array[null, '', 'ligne une' || chr(10) || 'ligne deux', '=1+1', 'il a dit "non", 👶🏽; ' || n, E'a\\tb\\\\c', '٣ مرات'])[1 + n % 7], $3, at - interval '1 microsecond'
         from generate_series(1, $4::integer - 1) n, lateral (select timestamptz '2016-02-29 23:59:59.999999+00' + n * interval '301.000007 seconds' as at) t`,
        [family.id, family.child, family.core.id, ROWS],
      ),
    { settings: { session_replication_role: 'replica' } },
  );
}, 600_000);
afterAll(() => database?.drop());

it('a million rows are packed in constant memory, and are back whole from JSON and from CSV, types included', async () => {
  for (const words of [['evidence', 'key', 'create', ...WHY]]) expect((await me.run(words)).code).toBe(0);
  const asked = ['--kind', 'access', '--channel', 'email', '--asks', 'all', '--user', family.core.id];
  const { number } = (await me.json(['request', 'open', ...asked, ...WHY, '--yes'])).body.result.request;
  await me.json(['request', 'verify-identity', number, '--method', 'signed_in', ...WHY, '--yes']);
  const file = join(temporaryFolder(), 'package.zip');
  const child = startConsole(['export', 'create', number, '--file', file, ...WHY, '--yes'], { env: me.env });
  child.stdin.end();
  child.stdout.resume();
  child.stderr.resume();
  const { code, peak } = await peakMemory(child);
  expect(code).toBe(0);
  const megabytes = peak * 1.048576;
  expect(megabytes).toBeLessThan(200);
  expect((await me.json(['export', 'verify', file])).body.result).toMatchObject({ verified: true });

  const zip = await OpenZip.open(file);
  const files = [...zip.entries.keys()].filter((path) => /^\w+\/usage_logs\.(json|csv)$/.test(path));
  // Which came how: provided, observed, inferred and assigned.
  expect(files.length).toBeGreaterThanOrEqual(6);
  await withConnection(database.superuser, async (superuser) => {
    for (const path of files) {
      const schema = JSON.parse(
        (await zip.text(`schema/${path.replace(/\.\w+$/, '')}.schema.json`)) ?? '',
      ) as { items: { properties: Record<string, { 'x-sql': string }> } };
      const columns = Object.entries(schema.items.properties).map(([name, { 'x-sql': type }]) => ({
        name,
        type,
      }));
      const names = columns.map(({ name }) => name);
      await superuser.query('drop table if exists loaded, lines');
      await superuser.query(
        `create temp table loaded (${columns.map(({ name, type }) => `${name} ${type}`).join(', ')})`,
      );
      if (path.endsWith('.csv')) await loadCsv(superuser, await zip.stream(path), names);
      else await loadJson(superuser, await zip.stream(path), names);
      const loaded = names
        .map((name) => (name === 'created_by' ? `l.${name}::text` : `l.${name}`))
        .join(', ');
      const there = names.map((name) => (name === 'created_by' ? `s.${name}::text` : `s.${name}`)).join(', ');
      const [counts] = await superuser.query(
        `select count(*)::integer as rows, count(*) filter (where (${loaded}) is distinct from (${there}))::integer as different
         from loaded l full join (select * from public.usage_logs where family_id = '${family.id}') s on s.id = l.id`,
      );
      expect([path, counts]).toEqual([path, { rows: ROWS, different: 0 }]);
    }
  });
}, 1_200_000);

async function load(superuser: Connection, into: string, text: Readable): Promise<void> {
  await pipeline(text, superuser.client.query(copyFrom(`copy ${into}`)));
}

/** As PostgreSQL reads CSV; without the apostrophe that keeps spreadsheets from running a cell. */
async function loadCsv(superuser: Connection, csv: Readable, names: readonly string[]): Promise<void> {
  await load(superuser, `loaded (${names.join(', ')}) from stdin (format csv, header match)`, csv);
  if (names.includes('notes'))
    await superuser.query(`update loaded set notes = substr(notes, 2) where notes like '''=%'`);
}

/** As any reader of JSON does it, an object a line. */
async function loadJson(superuser: Connection, json: Readable, names: readonly string[]): Promise<void> {
  await superuser.query('create temp table lines (object json)');
  const lines = new PassThrough();
  const writing = load(superuser, `lines from stdin (format csv, quote E'\\x01', delimiter E'\\x02')`, lines);
  for await (const line of createInterface({ input: json, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line === '[' || line === ']') continue;
    if (!lines.write(`${line.replace(/,$/, '')}\n`))
      await new Promise((resolve) => lines.once('drain', resolve));
  }
  lines.end();
  await writing;
  await superuser.query(
    `insert into loaded select ${names.map((name) => `r.${name}`).join(', ')} from lines, json_populate_record(null::loaded, object) r`,
  );
}
