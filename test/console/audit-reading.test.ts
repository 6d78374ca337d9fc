import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withConnection } from '../../src/platform/database/connection.js';
import { finished, startConsole } from '../support/console.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type OperatorConsole, operatorConsole } from '../support/operator-console.js';
import { asService, makeFamily, type SmallFamily } from '../support/small-world.js';

const WHY = ['--reason', 'Grandma cannot see the log', '--ticket', 'SUP-1'];

interface Event {
  readonly id: string;
  readonly occurred_at: string;
  readonly operation: string;
  readonly table_name: string;
  readonly session_login: string;
  readonly duty: string | null;
  readonly category: string;
  readonly app_user: string | null;
  readonly family_id: string | null;
  readonly subject_user: string | null;
  readonly record: string | null;
  readonly ticket: string | null;
  readonly changed_columns: string[] | null;
  readonly before: Record<string, unknown> | null;
  readonly after: Record<string, unknown> | null;
}

let database: TestDatabase;
let family: SmallFamily;
let auditor: OperatorConsole;
let log: string;
let everything: Event[];

beforeAll(async () => {
  database = await createTestDatabase();
  auditor = await operatorConsole(database, {
    operator: await database.makeOperator('auditor'),
    owner: false,
  });
  family = await makeFamily(database, { name: 'Tremblay', notes: 'a long Night shift' });
  const other = await makeFamily(database, { name: 'Gagnon', notes: 'wet' });
  const admin = await operatorConsole(database, { operator: await database.makeOperator('support') });
  await admin.json(['access', 'open', '--family', family.id, ...WHY]);
  await asService(database, async (connection) => {
    const set = (what: string, id: string) =>
      connection.query(`update public.usage_logs set ${what} where family_id = $1`, [id]);
    await set(`notes = 'the "night" is over', health_notes = 'rash', quantity_used = 3`, family.id);
    await set(`notes = null`, family.id);
    await set(`product_rating = 4, was_wet = true`, other.id);
    await connection.query('delete from public.usage_logs where family_id = $1', [other.id]);
    const [row] = await connection.query<{ id: string }>(
      'select id from public.usage_logs where family_id = $1',
      [family.id],
    );
    log = row?.id as string;
  });
  everything = await events('--limit', '1000');
});
afterAll(() => database.drop());

async function events(...args: string[]): Promise<Event[]> {
  const { code, body } = await auditor.json(['audit', 'query', ...args]);
  if (code !== 0) throw new Error(JSON.stringify(body));
  return body.result.events;
}
const ids = (list: readonly { id: string }[]) => list.map(({ id }) => id);

describe('--where', () => {
  const logs = (e: Event) => e.table_name === 'public.usage_logs';
  const text = (image: Event['after'], column: string) =>
    typeof image?.[column] === 'string' ? (image[column] as string) : undefined;
  // Each must find something, and not everything.
  const filters: [where: () => string, holds: (e: Event) => boolean][] = [
    [
      () => 'table = usage_logs and operation in (UPDATE, DELETE) and any.notes ~ "night"',
      (e) =>
        logs(e) &&
        e.operation !== 'insert' &&
        [e.before, e.after].some((image) => /night/i.test(text(image, 'notes') ?? '')),
    ],
    [() => 'new.notes ~ "NIGHT"', (e) => /night/i.test(text(e.after, 'notes') ?? '')],
    [() => `new.notes = 'the "night" is over'`, (e) => e.after?.notes === 'the "night" is over'],
    [() => 'new.notes is null', (e) => e.after !== null && 'notes' in e.after && e.after.notes === null],
    [() => 'old.notes is not null', (e) => e.before?.notes !== undefined && e.before.notes !== null],
    [() => 'new.notes != wet', (e) => e.after !== null && 'notes' in e.after && e.after.notes !== 'wet'],
    [() => 'new.quantity_used > 2', (e) => Number(e.after?.quantity_used ?? 0) > 2],
    [() => 'any.was_wet = true', (e) => e.before?.was_wet === true || e.after?.was_wet === true],
    [() => 'changed has product_rating', (e) => e.changed_columns?.includes('product_rating') === true],
    [() => 'duty is not null', (e) => e.duty !== null],
    [() => 'not (duty is null or table ~ grants)', (e) => e.duty !== null && !/grants/.test(e.table_name)],
    [() => 'ticket = SUP-1 or operation = delete', (e) => e.ticket === 'SUP-1' || e.operation === 'delete'],
    [() => 'ticket != SUP-1', (e) => e.ticket !== 'SUP-1'],
    [() => `family = ${family.id} and not table = usage_logs`, (e) => e.family_id === family.id && !logs(e)],
    [() => `user = ${family.core.id}`, (e) => [e.app_user, e.subject_user].includes(family.core.id)],
    [() => `row = ${family.child}`, (e) => e.record === family.child],
    [() => 'category not in (modification, access)', (e) => !['modification', 'access'].includes(e.category)],
    [
      () => `event >= ${everything[5]?.id} and event < ${everything[2]?.id}`,
      (e) => Number(e.id) >= Number(everything[5]?.id) && Number(e.id) < Number(everything[2]?.id),
    ],
    [
      () => `table = usage_logs and time < "${everything[3]?.occurred_at}"`,
      (e) => logs(e) && e.occurred_at < (everything[3]?.occurred_at ?? ''),
    ],
    [
      () => 'login ~ SERVICE and (old.notes ~ wet or new.notes ~ wet)',
      (e) =>
        /service/.test(e.session_login) &&
        [e.before, e.after].some((image) => /wet/.test(text(image, 'notes') ?? '')),
    ],
  ];
  test('finds what the same question finds in the whole log', async () => {
    const known = new Set(ids(everything));
    for (const [where, holds] of filters) {
      const found = (await events('--where', where(), '--limit', '1000')).filter(({ id }) => known.has(id));
      const expected = everything.filter(holds);
      if (expected.length === 0 || expected.length === everything.length)
        throw new Error(`${where()} tests nothing`);
      expect([where(), ids(found)]).toEqual([where(), ids(expected)]);
    }
  });

  test('pages go on where values decide', async () => {
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const more: string[] = cursor === null ? [] : ['--cursor', cursor];
      const { body } = await auditor.json([
        'audit',
        'query',
        '--where',
        'any.notes is not null',
        '--limit',
        '1',
        ...more,
      ]);
      seen.push(...ids(body.result.events));
      cursor = body.meta.next_cursor;
    } while (cursor !== null);
    expect(seen).toEqual(
      ids(everything.filter((e) => [e.before, e.after].some((image) => typeof image?.notes === 'string'))),
    );
  });

  test('a mistake is shown with a caret below its place', async () => {
    const { code, stderr } = await auditor.run(['audit', 'query', '--where', 'table = a and tme > 3h']);
    expect(code).toBe(2);
    const [message, line = '', caret = '', hint] = stderr.split('\n');
    expect(message).toBe('✗ --where, character 15: "tme" is no field.');
    expect([line.trim(), caret.indexOf('^') - line.indexOf('table')]).toEqual(['table = a and tme > 3h', 14]);
    expect(hint).toContain('Did you mean time?');
  });

  test('a column that no table has is no empty answer', async () => {
    const { code, body } = await auditor.json(['audit', 'query', '--where', 'new.notez ~ night']);
    expect([code, body.error.code]).toEqual([2, 'invalid_filter']);
  });

  test('support finds nothing by what it may not read', async () => {
    const me = await operatorConsole(database, { operator: await database.makeOperator('support') });
    const ask = (where: string) =>
      me.json(['audit', 'query', '--family', family.id, '--where', where, ...WHY]);
    expect((await ask('new.health_notes ~ rash')).body.result.events).toEqual([]);
    expect(
      (await ask('not new.health_notes is null and new.quantity_used = 3')).body.result.events,
    ).toHaveLength(1);
    expect((await ask('new.health_notes is not null')).body.result.events).toEqual([]);
    expect(await events('--where', 'new.health_notes ~ rash')).toHaveLength(1);
  });
});

test('--group-by counts what is asked, by time in the zone', async () => {
  const until = ['--until', new Date().toISOString()];
  const counted = async (...args: string[]) =>
    (await auditor.json(['audit', 'query', ...until, ...args])).body.result.groups as Record<
      string,
      unknown
    >[];
  const all = await events('--limit', '1000', ...until);
  const total = (groups: Record<string, unknown>[]) =>
    groups.reduce((sum, { events: count }) => sum + Number(count), 0);
  const byTable = await counted('--group-by', 'table,operation', '--limit', '1000');
  expect(total(byTable)).toBe(all.length);
  for (const { table, operation, events: count } of byTable) {
    expect(count).toBe(all.filter((e) => e.table_name === table && e.operation === operation).length);
  }
  const zone = 'Pacific/Kiritimati';
  const [day] = await counted('--group-by', 'day', '--zone', zone);
  const local = new Intl.DateTimeFormat('en-CA', {
    timeZone: zone,
    dateStyle: 'short',
    timeStyle: 'short',
    hour12: false,
  });
  expect(local.format(new Date(day?.day as string))).toMatch(/, (00|24):00$/);
  const values = await counted('--group-by', 'family', '--where', 'any.notes ~ night');
  expect(values).toMatchObject([{ family: family.id, events: 3 }]);
  const { stdout } = await auditor.run([
    'audit',
    'query',
    ...until,
    '--group-by',
    'operation',
    '--format',
    'csv',
  ]);
  expect(stdout.split('\r\n')[0]).toBe('operation,events,first,last');
});

describe('one row', () => {
  test('history tells its life from the insert on: who, when, why and each value', async () => {
    const { code, stdout } = await auditor.run(['audit', 'history', 'usage_logs', log]);
    expect(code).toBe(0);
    const lines = stdout.split('\n');
    const began = lines.findIndex((line) => / update usage_logs {2}by /.test(line));
    expect(
      lines
        .slice(began + 1, began + 4)
        .map((line) => line.slice(2))
        .sort(),
    ).toEqual([
      'health_notes: null → "rash"',
      'notes: "a long Night shift" → "the \\"night\\" is over"',
      'quantity_used: 1 → 3',
    ]);
    const { body } = await auditor.json(['audit', 'history', 'usage_logs', log]);
    expect(body.result.events.map(({ operation }: Event) => operation)).toEqual([
      'insert',
      'update',
      'update',
    ]);
    const newest = await auditor.json(['audit', 'history', 'usage_logs', log, '--newest', '--limit', '1']);
    expect(newest.body.result.events[0].after).toMatchObject({ notes: null });
    const gone = await auditor.json(['audit', 'history', 'usage_logs', family.id]);
    expect([gone.code, gone.body.error.code]).toEqual([5, 'not_found']);
    const csv = await auditor.run([
      'audit',
      'history',
      'usage_logs',
      log,
      '--format',
      'csv',
      '--columns',
      'what,column,before,after',
    ]);
    expect(csv.stdout).toContain('update,quantity_used,1,3');
  });

  test('blame names the last writer of each column', async () => {
    const { body } = await auditor.json(['audit', 'blame', 'usage_logs', log]);
    const columns = new Map<string, { value: unknown; event: Event }>(
      body.result.columns.map((one: { column: string }) => [one.column, one]),
    );
    const [inserted, first, second] = (
      await auditor.json(['audit', 'history', 'usage_logs', log])
    ).body.result.events.map(({ id }: Event) => id);
    expect([columns.get('notes')?.value, columns.get('notes')?.event.id]).toEqual([null, second]);
    expect([columns.get('quantity_used')?.value, columns.get('quantity_used')?.event.id]).toEqual([3, first]);
    expect(columns.get('usage_type')?.event.id).toBe(inserted);
    const live = await withConnection(database.superuser, (connection) =>
      connection.one<Record<string, unknown>>('select * from public.usage_logs where id = $1', [log]),
    );
    expect([...columns.keys()].sort()).toEqual(Object.keys(live).sort());
    expect(body.result.complete).toBe(true);
  });
});

test('stats draw how much happened, and every hour of it', async () => {
  const { body } = await auditor.json(['audit', 'stats', '--since', '6h']);
  const { by_time: byTime, by_table: byTable, by_login: byLogin, events: count } = body.result;
  expect(byTime.length).toBeGreaterThanOrEqual(6);
  expect(byTable.reduce((sum: number, { events: one }: { events: number }) => sum + one, 0)).toBe(count);
  expect(byLogin.map(({ label }: { label: string }) => label)).toContainEqual(
    expect.stringMatching(/ as support$/),
  );
  expect(count).toBeGreaterThanOrEqual(everything.length - 5);
  const { stdout } = await auditor.run(['audit', 'stats', '--since', '6h']);
  expect(stdout).toMatch(/usage_logs +\d+ +█/);
  const days = await auditor.json(['audit', 'stats', '--since', '10d', '--zone', 'America/St_Johns']);
  expect(days.body.result.span).toBe('day');
  expect(days.body.result.events).toBeGreaterThanOrEqual(count);
});

describe('questions are in the log themselves', () => {
  const asked = async (kind: string) =>
    await withConnection(database.superuser, (connection) =>
      connection.query<{
        operator: string;
        question: Record<string, unknown>;
        request_id: string;
        reason: string;
        new_row: unknown;
      }>(
        `select r.operator, r.question, e.request_id, e.reason, e.new_row from audit.readings r
           join audit.events e on e.record_id = r.id and e.table_name = 'audit.readings'
         where r.kind = $1 order by r.asked_at`,
        [kind],
      ),
    );

  test('who asked, what, under which request; each once, however many pages', async () => {
    const where = `family = ${family.id} and new.name ~ "Léa"`;
    const before = (await asked('query')).length;
    const { body } = await auditor.json(['audit', 'query', '--where', where]);
    const paged = ['audit', 'query', '--table', 'users', '--limit', '1'];
    const first = await auditor.json(paged);
    await auditor.json([...paged, '--cursor', first.body.meta.next_cursor]);
    const rows = (await asked('query')).slice(before);
    expect(rows.map(({ question }) => question)).toEqual([{ where }, { table: 'users' }]);
    expect(rows[0]).toMatchObject({ request_id: body.meta.request, reason: 'reading the audit log' });
    for (const [kind, args] of [
      ['show', ['show', everything[0]?.id ?? '']],
      ['history', ['history', 'children', family.child]],
      ['blame', ['blame', 'children', family.child]],
      ['stats', ['stats', '--since', '1h']],
      ['group', ['query', '--group-by', 'table']],
      ['follow', ['follow', '--once']],
    ] as const) {
      const known = (await asked(kind)).length;
      const { code } = await auditor.run(['audit', ...args]);
      expect([kind, code, (await asked(kind)).length]).toEqual([kind, 0, known + 1]);
    }
  });

  test('the skeleton says nothing of people, and the record is committed before a question that fails', async () => {
    const sre = await operatorConsole(database, { operator: await database.makeOperator('sre') });
    const { body } = await sre.json(['audit', 'query', '--table', 'audit.readings', '--limit', '1000']);
    expect(body.result.events.length).toBeGreaterThan(3);
    expect(JSON.stringify(body.result)).not.toContain(family.id);
    const before = (await asked('show')).length;
    expect((await auditor.json(['audit', 'show', '999999999'])).code).toBe(5);
    expect((await asked('show')).length).toBe(before + 1);
  });

  test('the record is nobody’s to write, change or delete', async () => {
    await withConnection(database.operators[0], async (connection) => {
      await connection.query('set role nestsync_admin');
      for (const statement of [
        `insert into audit.readings (duty, kind) values ('admin', 'query')`,
        `update audit.readings set question = '{}'`,
        'delete from audit.readings',
      ]) {
        await expect(connection.query(statement)).rejects.toMatchObject({ code: 'permission_denied' });
      }
    });
    await withConnection(database.owner, async (connection) => {
      await expect(connection.query('delete from audit.readings')).rejects.toThrow();
    });
  });
});

describe('audit follow', () => {
  test('prints a JSON line for each event, and goes on behind the token of any', async () => {
    const since = ['--since', '1h', '--table', 'usage_logs', '--once'];
    const { code, stdout, stderr } = await auditor.run(['audit', 'follow', ...since]);
    expect(code).toBe(0);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Event & { token: string });
    const all = everything.filter((e) => e.table_name === 'public.usage_logs').map(({ id }) => id);
    expect(ids(lines).sort()).toEqual(all.sort());
    const middle = lines[2];
    const rest = await auditor.run([
      'audit',
      'follow',
      '--table',
      'usage_logs',
      '--once',
      '--from',
      middle?.token ?? '',
    ]);
    expect(
      rest.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).id),
    ).toEqual(ids(lines.slice(3)));
    const token = /--from (\S+)/.exec(stderr)?.[1] ?? '';
    expect(
      (await auditor.run(['audit', 'follow', '--table', 'usage_logs', '--once', '--from', token])).stdout,
    ).toBe('');
    const bad = await auditor.json(['audit', 'follow', '--once', '--from', `${token}x`]);
    expect([bad.code]).toEqual([2]);
  });

  test('runs until it is interrupted, and then says how to go on', async () => {
    const child = startConsole(
      ['audit', 'follow', '--table', 'families', '--format', 'table', '--every', '1s'],
      { env: auditor.env },
    );
    const lines: string[] = [];
    child.stdout.on('data', (chunk: Buffer) => lines.push(chunk.toString()));
    const ended = finished(child);
    for (let round = 0; lines.length === 0 && round < 300; round++) {
      await asService(database, (connection) =>
        connection.query(`update public.families set description = $1 where id = $2`, [
          `Round ${round}`,
          family.id,
        ]),
      );
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    child.kill('SIGINT');
    const { code, stderr } = await ended;
    expect(code).toBe(130);
    expect(stderr).toMatch(/nestctl audit follow --from \S+/);
    expect(lines[0]).toMatch(/update families {2}description {2}by /);
  });

  test('is no result that comes whole', async () => {
    expect((await auditor.json(['audit', 'follow', '--once'])).body.error.code).toBe('one_by_one');
  });
});
