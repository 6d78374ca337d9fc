import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { withConnection } from '../../src/platform/database/connection.js';
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
  readonly app_user: string | null;
  readonly family_id: string | null;
  readonly subject_user: string | null;
  readonly record: string | null;
  readonly request_id: string | null;
  readonly ticket: string | null;
  readonly before: Record<string, unknown> | null;
  readonly after: Record<string, unknown> | null;
}

let database: TestDatabase;
let family: SmallFamily;
let other: SmallFamily;
let auditor: OperatorConsole;
let everything: Event[];
let halfway: string;

beforeAll(async () => {
  database = await createTestDatabase();
  auditor = await operatorConsole(database, {
    operator: await database.makeOperator('auditor'),
    owner: false,
  });
  family = await makeFamily(database, { name: 'Tremblay', notes: 'wet' });
  other = await makeFamily(database, { name: 'Gagnon' });
  halfway = new Date().toISOString();
  const support = await operatorConsole(database);
  await support.json(['access', 'open', '--family', family.id, ...WHY]);
  await asService(database, async (connection) => {
    await connection.query(`update public.usage_logs set notes = 'dry' where family_id = $1`, [family.id]);
    await connection.query('delete from public.usage_logs where family_id = $1', [other.id]);
  });
  await withConnection(database.app, (connection) =>
    connection.transaction(async () => {
      await connection.query(
        `select set_config('role', 'authenticated', true), set_config('request.jwt.claims', $1, true), set_config('nestsync.request', 'req-7', true)`,
        [JSON.stringify({ sub: family.core.id, role: 'authenticated' })],
      );
      await connection.query(`update public.children set name = 'Léo' where family_id = $1`, [family.id]);
    }),
  );
  everything = await query('--limit', '1000');
});
afterAll(() => database.drop());

async function query(...args: string[]): Promise<Event[]> {
  const { code, body } = await auditor.json(['audit', 'query', ...args]);
  if (code !== 0) throw new Error(JSON.stringify(body));
  return body.result.events;
}

const ids = (events: readonly { id: string }[]) => events.map(({ id }) => id);

describe.concurrent('audit query', () => {
  test('reads the whole log newest first, in the shape that scripts rely on', async ({ expect }) => {
    expect(everything.length).toBeGreaterThan(15);
    const times = everything.map(({ occurred_at }) => occurred_at);
    expect(times).toEqual([...times].sort().reverse());
    expect(Object.keys(everything[0] ?? {}).sort()).toEqual([
      'after',
      'app_user',
      'before',
      'category',
      'changed_columns',
      'duty',
      'epoch',
      'erased_by',
      'family_id',
      'id',
      'occurred_at',
      'operation',
      'reason',
      'record',
      'request_id',
      'session_login',
      'subject_user',
      'table_name',
      'ticket',
      'xid',
    ]);
    const stored = await withConnection(database.superuser, (connection) =>
      connection.query<{ id: string }>(
        'select e.id::text from audit.events e order by e.occurred_at desc, e.id desc',
      ),
    );
    expect(ids(everything)).toEqual(ids(stored).slice(-everything.length));
  });

  // Each filter against the same question asked of the whole log; each must find something, and not everything.
  const filters: [name: string, args: () => string[], holds: (event: Event) => boolean][] = [
    ['family', () => ['--family', family.id, '--duty', 'auditor'], (e) => e.family_id === family.id],
    [
      'user',
      () => ['--user', family.core.id, '--duty', 'auditor'],
      (e) => [e.app_user, e.subject_user].includes(family.core.id),
    ],
    [
      'operator',
      () => ['--operator', 'camille.roy'],
      (e) => e.session_login === 'camille.roy' && e.duty !== null,
    ],
    ['duty', () => ['--by-duty', 'support'], (e) => e.duty === 'support'],
    ['table', () => ['--table', 'usage_logs'], (e) => e.table_name === 'public.usage_logs'],
    [
      'table of another schema',
      () => ['--table', 'ops.access_grants'],
      (e) => e.table_name === 'ops.access_grants',
    ],
    ['operation', () => ['--operation', 'update'], (e) => e.operation === 'update'],
    ['key', () => ['--key', family.child], (e) => e.record === family.child],
    ['since', () => ['--since', halfway], (e) => e.occurred_at >= halfway],
    ['until', () => ['--until', halfway], (e) => e.occurred_at < halfway],
    ['request', () => ['--request', 'req-7'], (e) => e.request_id === 'req-7'],
    ['ticket', () => ['--with-ticket', 'SUP-1'], (e) => e.ticket === 'SUP-1'],
    [
      'several at once',
      () => [
        '--family',
        family.id,
        '--duty',
        'auditor',
        '--table',
        'usage_logs',
        '--operation',
        'update',
        '--since',
        halfway,
      ],
      (e) =>
        e.family_id === family.id &&
        e.table_name === 'public.usage_logs' &&
        e.operation === 'update' &&
        e.occurred_at >= halfway,
    ],
    [
      'person, request and table',
      () => [
        '--user',
        family.core.id,
        '--duty',
        'auditor',
        '--request',
        'req-7',
        '--table',
        'children',
        '--until',
        '2999-01-01',
      ],
      (e) => e.app_user === family.core.id && e.request_id === 'req-7' && e.table_name === 'public.children',
    ],
  ];
  test.each(filters)('by %s', async (_, args, holds) => {
    // Others ask meanwhile, which adds events of their own; what was there is what is compared.
    const known = new Set(ids(everything));
    const found = (await query(...args(), '--limit', '1000')).filter(({ id }) => known.has(id));
    const expected = everything.filter(holds);
    if (expected.length === 0 || expected.length === everything.length)
      throw new Error('the filter was not put to the test');
    if (JSON.stringify(ids(found)) !== JSON.stringify(ids(expected)))
      throw new Error(`found ${ids(found)}, expected ${ids(expected)}`);
  });

  test('finds nothing, without an error, for values that are nowhere', async ({ expect }) => {
    expect(await query('--request', randomUUID(), '--operator', 'nobody')).toEqual([]);
    expect(await query('--since', '1s', '--until', '2999-12-31', '--key', randomUUID())).toEqual([]);
  });

  test('a table that does not exist is no empty answer', async ({ expect }) => {
    const { code, body } = await auditor.json(['audit', 'query', '--table', 'usage_log']);
    expect([code, body.error.code]).toEqual([2, 'unknown_table']);
  });

  test('reads dates in the zone that is named', async ({ expect }) => {
    const event = everything[0] as Event;
    const day = (zone: string, at: number) =>
      new Intl.DateTimeFormat('en-CA', { timeZone: zone, dateStyle: 'short' }).format(at);
    const zone = 'Pacific/Kiritimati';
    const there = day(zone, Date.parse(event.occurred_at));
    const found = await query('--since', there, '--until', there, '--zone', zone, '--limit', '1000');
    expect(ids(found)).toContain(event.id);
    const dayBefore = day(zone, Date.parse(event.occurred_at) - 86_400_000);
    expect(ids(await query('--since', dayBefore, '--until', dayBefore, '--zone', zone))).not.toContain(
      event.id,
    );
  });

  test('pages without skipping or repeating while new events arrive', async ({ expect }) => {
    const known = ids(everything);
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      await asService(database, (connection) =>
        connection.query(`update public.families set description = $1 where id = $2`, [
          randomUUID(),
          other.id,
        ]),
      );
      const more: string[] = cursor === null ? [] : ['--cursor', cursor];
      const { body } = await auditor.json(['audit', 'query', '--limit', '9', ...more]);
      seen.push(...ids(body.result.events));
      cursor = body.meta.next_cursor;
    } while (cursor !== null);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.filter((id) => known.includes(id))).toEqual(known);
  });

  test('support sees events within its grants only, and is told so where it has none', async ({ expect }) => {
    const me = await operatorConsole(database, {
      operator: await database.makeOperator('support'),
      owner: false,
    });
    const refused = async (...args: string[]) => {
      const { code, body } = await me.json(['audit', 'query', ...args]);
      return [code, body.error.code];
    };
    expect(await refused()).toEqual([4, 'no_grant']);
    expect(await refused('--family', family.id)).toEqual([4, 'no_grant']);
    expect(await refused('--user', family.gran.id)).toEqual([4, 'no_grant']);
    const { body } = await me.json(['audit', 'query', '--family', family.id, '--limit', '1000', ...WHY]);
    expect(body.result.events.length).toBeGreaterThan(5);
    const open = await me.json(['audit', 'query', '--limit', '1000']);
    const reached = open.body.result.events as Event[];
    expect(
      reached.every(
        (event) =>
          event.family_id === family.id ||
          [family.core.id, family.gran.id].includes(event.subject_user ?? ''),
      ),
    ).toBe(true);
    const hidden = everything.find((event) => event.family_id === other.id) as Event;
    const shown = await me.json(['audit', 'show', hidden.id]);
    expect([shown.code, shown.body.error.code]).toEqual([5, 'not_found']);
    const mine = everything.find((event) => event.family_id === family.id) as Event;
    expect((await me.json(['audit', 'show', mine.id])).body.result.id).toBe(mine.id);
  });

  test('an sre reads the skeleton: no person, no values, and no search by them', async ({ expect }) => {
    const me = await operatorConsole(database, {
      operator: await database.makeOperator('sre'),
      owner: false,
    });
    const { body } = await me.json(['audit', 'query', '--table', 'usage_logs']);
    expect(body.meta.duty).toBe('sre');
    expect(body.result.events.length).toBeGreaterThan(0);
    for (const event of body.result.events as Event[]) {
      const { app_user, family_id, subject_user, record, before, after, ticket } = event;
      expect([app_user, family_id, subject_user, record, before, after, ticket]).toEqual(Array(7).fill(null));
    }
    const { code, body: refused } = await me.json(['audit', 'query', '--family', family.id]);
    expect([code, refused.error.code]).toEqual([4, 'duty_not_allowed']);
    expect((await me.json(['audit', 'show', (everything[0] as Event).id])).code).toBe(0);
  });
});

describe.concurrent('values', () => {
  test('are shown one line a column, only where they changed, and without the nulls of an insert', async ({
    expect,
  }) => {
    const updates = [
      'audit',
      'query',
      '--family',
      family.id,
      '--duty',
      'auditor',
      '--table',
      'usage_logs',
      '--values',
    ];
    const { stdout } = await auditor.run([...updates, '--operation', 'update']);
    expect(stdout.split('\n').slice(1)).toEqual(['└ notes: "wet" → "dry"', '']);
    const inserted = (await auditor.run([...updates, '--operation', 'insert'])).stdout;
    expect(inserted).toContain('notes: "wet"');
    expect(inserted).not.toContain('null');
  });

  test('before and after are there in JSON for every kind of change', async ({ expect }) => {
    const one = (operation: string, table: string, id: string) =>
      everything.find(
        (e) => e.operation === operation && e.table_name === table && e.family_id === id,
      ) as Event;
    const inserted = one('insert', 'public.usage_logs', family.id);
    expect([inserted.before, inserted.after?.notes]).toEqual([null, 'wet']);
    const updated = one('update', 'public.usage_logs', family.id);
    expect([updated.before?.notes, updated.after?.notes]).toEqual(['wet', 'dry']);
    const deleted = one('delete', 'public.usage_logs', other.id);
    expect([deleted.before?.usage_type, deleted.after]).toEqual(['diaper_change', null]);
    const byMember = one('update', 'public.children', family.id);
    expect([byMember.app_user, byMember.request_id, byMember.duty]).toEqual([family.core.id, 'req-7', null]);
  });

  test('one event is shown whole, with its leaf; a number that is none, or too large for one, is refused', async ({
    expect,
  }) => {
    const event = everything.find((e) => e.operation === 'update') as Event;
    const { body } = await auditor.json(['audit', 'show', event.id]);
    expect(body.result).toMatchObject(event);
    expect(body.result.leaf).toMatch(/^[0-9a-f]{64}$/);
    const refused = async (id: string) => {
      const { code, body: answer } = await auditor.json(['audit', 'show', id]);
      return [id, code, answer.error.code];
    };
    expect(await refused('999999999999999999')).toEqual(['999999999999999999', 5, 'not_found']);
    expect(await refused('99999999999999999999')).toEqual(['99999999999999999999', 2, 'usage']);
    expect(await refused('1e3')).toEqual(['1e3', 2, 'usage']);
  });
});
