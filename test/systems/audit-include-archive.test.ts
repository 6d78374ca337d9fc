import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type AuditEvent,
  activity,
  type EventFilter,
  type Grouping,
  groupEvents,
  queryEvents,
  readLog,
  readWhere,
} from '../../src/audit/index.js';
import { withCarrier } from '../../src/evidence/index.js';
import type { Session } from '../../src/platform/database/session.js';
import { type ArchivedLog, archivedLog } from '../support/archived-log.js';
import { type Random, seededRandom, testSeed } from '../support/model/random.js';
import { type ObjectServer, startObjectServer } from '../support/object-server.js';
import { datedBack } from '../support/old-events.js';
import { asService, makeFamily, type SmallFamily } from '../support/small-world.js';

const seed = testSeed();
let server: ObjectServer;
let old: ArchivedLog;
let families: SmallFamily[];
let buckets = 0;

beforeAll(async () => {
  server = await startObjectServer();
});
afterAll(() => server?.stop());

beforeEach(async () => {
  buckets += 1;
  old = await archivedLog(server, `include-${buckets}`);
  families = [];
  for (const month of ['2024-03-01', '2024-04-01']) {
    families.push(await writeHistory());
    await datedBack(
      old.log.database,
      month,
      `category in ('modification', 'consent') and table_name like 'public.%' and occurred_at > now() - interval '1 day'`,
    );
  }
  families.push(await writeHistory());
  await old.log.seal();
});
afterEach(() => old.close());

/** A family, a life in it, and a consent. */
async function writeHistory(): Promise<SmallFamily> {
  const { database } = old.log;
  const family = await makeFamily(database, { name: `Tremblay ${families.length}`, notes: 'wet night' });
  await asService(database, async (connection) => {
    await connection.query(`update public.users set last_name = 'Roy' where id = $1`, [family.gran.id]);
    await connection.query(
      `insert into public.usage_logs (family_id, child_id, usage_type, caregiver_name, created_by) values ($1, $2, 'diaper_change', 'Gran Roy', $3)`,
      [family.id, family.child, family.gran.id],
    );
    await connection.query(`update public.children set name = 'Léo' where family_id = $1 and id = $2`, [
      family.id,
      family.child,
    ]);
    await connection.query(`delete from public.usage_logs where family_id = $1 and notes is not null`, [
      family.id,
    ]);
  });
  return family;
}

const wish = () => ({ context: old.context, onBegin: () => undefined, onProgress: () => undefined });

/** Pages through the whole answer. */
async function ask(
  session: Session,
  filter: EventFilter,
  limit: number,
  oldestFirst: boolean,
  archive: boolean,
) {
  const events: AuditEvent[] = [];
  let cursor: string | undefined;
  do {
    const page = { limit, cursor, oldestFirst };
    const question = { filter, page, ...(archive && { archive: wish() }) };
    const found = await readLog(
      session,
      (work) => work(session),
      question,
      (reader, within) => queryEvents(reader, within, page),
    );
    events.push(...found.events);
    cursor = found.nextCursor;
  } while (cursor !== undefined);
  return events;
}

const readTime = (input: string) => new Date(input);

function randomFilter(random: Random, known: readonly AuditEvent[]): EventFilter {
  const family = random.pick(families);
  const event = random.pick(known);
  const where = random.pick([
    `new.notes ~ "night" or old.notes ~ "night"`,
    `category = consent or table = children`,
    `changed has name and not (family = ${family.id})`,
    `operation in (update, delete) and any.name is not null`,
    `time >= 2024-04-01T00:00:00Z and category in (modification, access)`,
    `by is null and reason is null and event >= ${event.id}`,
    `xid = ${event.xid} or new.caregiver_name = "Gran Roy"`,
  ]);
  const choices: (() => EventFilter)[] = [
    () => ({ family: family.id }),
    () => ({ user: random.pick([family.gran.id, family.core.id]) }),
    () => ({ table: random.pick(['children', 'usage_logs', 'users', 'families']) }),
    () => ({ operation: random.pick(['insert', 'update', 'delete'] as const) }),
    () => ({ key: event.record ?? family.child }),
    () => ({ transaction: event.xid }),
    () => ({ since: event.occurred_at }),
    () => ({ until: event.occurred_at }),
    () => ({ where: readWhere(where, readTime) }),
    () => ({}),
  ];
  return Object.assign({}, ...random.some(choices, random.between(1, 2)).map((choose) => choose()));
}

test(`the same questions have the same answers, in the same order, before and after their months are archived (NESTCTL_TEST_SEED=${seed})`, async () => {
  const random = seededRandom(seed);
  const session = old.compliance;
  // What is asked is in the log itself: only what was there before is looked at.
  const until = new Date();
  const known = await ask(session, { until }, 200, false, false);
  const questions = Array.from({ length: 24 }, () => {
    const { until: own = until, ...filter } = randomFilter(random, known);
    const bounded = { ...filter, until: own < until ? own : until };
    return { filter: bounded, limit: random.pick([3, 7, 200]), oldestFirst: random.chance(0.5) };
  });
  const answers = (archive: boolean) => async () => {
    const all = [];
    for (const { filter, limit, oldestFirst } of questions)
      all.push(await ask(session, filter, limit, oldestFirst, archive));
    return all;
  };
  const by: Grouping[] = ['month', 'table', 'person'];
  const counts = async (archive: boolean) => {
    const question = { filter: { until }, ...(archive && { archive: wish() }) };
    return await readLog(
      session,
      (work) => work(session),
      question,
      async (reader, filter) => ({
        groups: await groupEvents(reader, filter, { by, zone: 'UTC', limit: 1000 }),
        activity: await activity(reader, { ...filter, since: new Date('2024-01-01'), until }, 'UTC'),
      }),
    );
  };
  const [before, counted] = [await answers(false)(), await counts(false)];
  const found = before.filter((events) => events.length > 0).length;
  expect(found, 'questions that find nothing prove nothing').toBeGreaterThan(questions.length / 3);
  await old.archive();
  const left = await old.log.superuser.query(`select from audit.events where occurred_at < '2025-01-01'`);
  expect(left).toEqual([]);
  expect((await ask(session, { until }, 200, false, false)).length).toBeLessThan(known.length);
  for (const [at, events] of (await answers(true)()).entries()) {
    const { where, ...rest } = questions[at]?.filter ?? {};
    expect(events, `seed ${seed}: ${JSON.stringify({ ...rest, where: where?.text })}`).toEqual(before[at]);
  }
  expect(await counts(true)).toEqual(counted);
}, 240_000);

test('an event that is shown before is shown from its archive; without the flag its month is named', async () => {
  const [{ id }] = (await old.log.superuser.query<{ id: string }>(
    `select id::text from audit.events where category = 'consent' or (category = 'modification' and table_name = 'public.usage_logs' and operation = 'DELETE') order by events.id limit 1`,
  )) as [{ id: string }];
  const show = (...more: string[]) => old.console(old.compliance, 'audit', 'show', id, '--json', ...more);
  const before = JSON.parse((await show()).stdout);
  expect(before.result.id).toBe(id);
  await old.archive();
  const missing = await show();
  expect(missing.code, missing.stdout).toBe(5);
  expect(JSON.parse(missing.stdout).error).toMatchObject({
    code: 'event_archived',
    message: expect.stringContaining('modification 2024-03'),
    next: expect.stringContaining(`nestctl audit show ${id} --include-archive`),
  });
  const after = await show('--include-archive');
  expect(JSON.parse(after.stdout).result).toEqual(before.result);
  expect((await old.console(old.compliance, 'audit', 'show', '999999', '--include-archive')).code).toBe(5);
}, 240_000);

test('history, blame, stats and export tell the same with the flag as before', async () => {
  const [family] = families as [SmallFamily];
  const until = ['--since', '2024-01-01', '--until', '2024-12-31'];
  const file = (name: string) => ['--output', join(old.log.home, name)];
  const commands = [
    ['history', 'children', family.child],
    ['blame', 'children', family.child],
    ['stats', ...until, '--where', 'any.name is not null or table = users'],
    ['export', ...until, '--format', 'json', ...file('export.json')],
    ['export', ...until, '--where', 'new.notes ~ "night"', '--format', 'csv', ...file('export.csv')],
  ];
  const tell = async (more: readonly string[]) => {
    const told = [];
    for (const command of commands) {
      const { code, stdout, stderr } = await old.console(
        old.compliance,
        'audit',
        ...command,
        ...more,
        '--json',
      );
      expect(code, stdout + stderr).toBe(0);
      told.push(JSON.parse(stdout).result);
    }
    for (const name of ['export.json', 'export.csv']) {
      const path = join(old.log.home, name);
      told.push(await readFile(path, 'utf8'));
      await rm(path);
    }
    return told;
  };
  const before = await tell([]);
  await old.archive();
  const lacking = await old.console(old.compliance, 'audit', 'history', 'children', family.child);
  expect(lacking.code).toBe(5);
  expect(await tell(['--include-archive'])).toEqual(before);
}, 240_000);

describe('a bundle of archived months', () => {
  const exported = async (family: string) => {
    const file = join(old.log.home, `${family}.bundle`);
    const args = ['audit', 'export', '--family', family, '--bundle', file, '--json'];
    return { file, ...(await old.console(old.compliance, ...args)) };
  };
  const offline = async (file: string, ...more: string[]) => {
    const { code, stdout } = await old.console(old.compliance, 'audit', 'verify', '--offline', file, ...more);
    return { code, stdout };
  };

  test('has the leaves alone of what is archived, proves that they are all, and says so with exit 9', async () => {
    const [archived, , kept] = families as [SmallFamily, SmallFamily, SmallFamily];
    const before = await exported(archived.id);
    expect(JSON.parse(before.stdout).result).toMatchObject({ leaf_only: 0 });
    expect((await offline(before.file)).code).toBe(0);
    await rm(before.file);
    await old.archive();
    await old.log.seal();
    const after = await exported(archived.id);
    const { result, warnings } = JSON.parse(after.stdout);
    const { events } = JSON.parse(before.stdout).result;
    // The question for the bundle before is in the family's history too, and is in the database.
    expect(result.leaf_only).toBe(events);
    expect(result.events).toBe(events + 1);
    expect(warnings).toContainEqual(expect.objectContaining({ code: 'archived_months' }));
    expect(await readFile(after.file, 'utf8')).not.toContain('Gran Roy');
    const judged = await offline(after.file, '--family', archived.id);
    expect(judged.code, judged.stdout).toBe(9);
    expect(judged.stdout).toContain(`of ${events} events only the leaf is there`);
    expect((await offline((await exported(kept.id)).file)).code).toBe(0);
    const flagged = await old.console(
      old.compliance,
      ...['audit', 'export', '--family', kept.id, '--bundle', 'x.bundle', '--include-archive'],
    );
    expect(flagged.code).toBe(2);
    expect(flagged.stderr).toContain('has no --include-archive');
  }, 240_000);

  test('of a family that is none says so, and does not pass for one to which nothing happened', async () => {
    const none = '00000000-0000-4000-8000-000000000001';
    const { file, code, stdout } = await exported(none);
    expect(code, stdout).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      result: { events: 0 },
      warnings: [{ code: 'no_events', message: expect.stringContaining('look whether it is the right one') }],
    });
    const judged = await offline(file);
    expect(judged.stdout).toContain('The log has nothing of family');
    expect(judged.stdout).not.toContain('Nothing is missing');
  }, 120_000);
});

describe('archived', () => {
  beforeEach(() => old.archive());

  const query = async (session: Session, ...args: string[]) =>
    await old.console(session, 'audit', 'query', '--include-archive', '--json', ...args);

  test('the console answers from there, says what it reads, and asks nothing of months outside', async () => {
    const [family] = families;
    const auditor = await old.operator('auditor');
    const lacking = await old.console(
      auditor,
      ...['audit', 'query', '--json', '--family', family?.id ?? '', '--until', '2024-12-31'],
    );
    expect(JSON.parse(lacking.stdout)).toMatchObject({
      result: { events: [] },
      warnings: [
        { code: 'archived_months', message: expect.stringContaining('--include-archive reads those') },
      ],
    });
    const read = async () => (await server.requests(old.bucket)).filter((line) => line.includes('/archive/'));
    const asked = (await read()).length;
    for (const outside of [
      ['--since', '2024-05-01'],
      ['--until', '2024-02-28'],
      ['--where', 'category = access and duty is null'],
      ['--where', 'time > 2025-01-01 and table = children'],
      // The page is full of what came since.
      ['--limit', '5'],
    ])
      expect((await query(auditor, ...outside)).code, outside.join(' ')).toBe(0);
    expect((await read()).length, 'nothing was asked of the store').toBe(asked);

    const whole = await query(auditor, '--family', family?.id ?? '', '--limit', '4', '--sort', 'time');
    expect(whole.code, whole.stdout + whole.stderr).toBe(0);
    expect(whole.stderr).toMatch(
      /reading the archive of modification 2024-03, modification 2024-04: 4 objects, .* events/,
    );
    const { result, meta, warnings } = JSON.parse(whole.stdout);
    expect(result.events.map(({ table_name }: AuditEvent) => table_name)[0]).toBe('public.families');
    expect(warnings).toEqual([]);
    const more = await query(
      auditor,
      '--family',
      family?.id ?? '',
      '--sort',
      'time',
      '--cursor',
      meta.next_cursor,
    );
    const ids = [...result.events, ...JSON.parse(more.stdout).result.events].map(({ id }: AuditEvent) => id);
    expect(ids).toEqual([...new Set(ids)]);
    expect(ids.length).toBeGreaterThan(6);
    const question = await old.log.superuser.query(
      `select 1 from audit.readings where operator = $1 and question @> '{"archive": true}' and family_id = $2`,
      [auditor.target.user, family?.id],
    );
    expect(question.length).toBe(1);
    expect((await query(auditor, '--server', 'replica')).code).toBe(2);
    const followed = await old.console(auditor, 'audit', 'follow', '--since', '2024-01-01', '--once');
    expect(followed.code, followed.stderr).toBe(0);
    expect(followed.stderr).toContain('Archived months are not looked into: modification 2024-03');
  }, 120_000);

  test('who reads no payload gets none from the store, and support nothing at all', async () => {
    const [family] = families;
    const sre = await old.operator('sre');
    const named = await sre.query<{ kind: string }>(
      'select distinct kind from audit.archive_objects order by kind',
    );
    expect(named.map(({ kind }) => kind)).toEqual(['leaves', 'manifest', 'skeleton']);
    const fetched = async () =>
      (await server.requests(old.bucket)).filter(
        (line) => line.includes('GET') && line.includes('/personal/'),
      ).length;
    const before = await fetched();
    const bones = await query(sre, '--until', '2024-12-31', '--table', 'users', '--limit', '100');
    expect(bones.code, bones.stdout + bones.stderr).toBe(0);
    const { events } = JSON.parse(bones.stdout).result;
    expect(events.length).toBeGreaterThan(4);
    expect(bones.stdout).not.toContain(family?.gran.id);
    expect(events.every((event: AuditEvent) => event.before === null && event.record === null)).toBe(true);
    expect(await fetched(), 'no personal object was fetched').toBe(before);

    const support = await old.operator('support');
    await expect(support.query('select from audit.archive_objects')).rejects.toMatchObject({
      code: 'permission_denied',
    });
    const refused = await query(
      support,
      '--family',
      family?.id ?? '',
      '--reason',
      'a question',
      '--ticket',
      'SUP-1',
    );
    expect(refused.code, refused.stdout).toBe(4);
    await expect(ask(support, { family: family?.id }, 20, false, true)).rejects.toMatchObject({
      code: 'archive_not_read',
    });
  }, 120_000);

  test('what was erased answers as erased; until an erasure has reached the archive, it is not read', async () => {
    const [family] = families as [SmallFamily];
    await old.erase(family.gran.id, ['Gran Roy'], 'DEL-7');
    const due = await query(old.compliance, '--family', family.id);
    expect(due.code, due.stdout).toBe(6);
    expect(JSON.parse(due.stdout).error).toMatchObject({
      code: 'erasure_due',
      next: expect.stringContaining('audit archive'),
    });
    await old.archive();
    const whole = await query(old.compliance, '--until', '2024-03-31', '--limit', '100');
    expect(whole.code, whole.stdout + whole.stderr).toBe(0);
    for (const trace of [family.gran.id, 'Gran Roy']) expect(whole.stdout).not.toContain(trace);
    const erased = JSON.parse(whole.stdout).result.events.filter(
      ({ erased_by }: AuditEvent) => erased_by !== null,
    );
    expect(erased.length).toBeGreaterThanOrEqual(3);
    expect(erased.every(({ erased_by }: AuditEvent) => erased_by?.[0] === 'DEL-7')).toBe(true);
    const log = erased.find(({ table_name }: AuditEvent) => table_name === 'public.usage_logs');
    expect(log).toMatchObject({
      family_id: family.id,
      after: { usage_type: 'diaper_change', caregiver_name: null },
    });
    const gone = await query(old.compliance, '--user', family.gran.id, '--until', '2024-12-31');
    expect(JSON.parse(gone.stdout).result.events).toEqual([]);
  }, 120_000);
});

describe('tampered with', () => {
  beforeEach(() => old.archive());

  /** As whoever may write to the store and owns the database. */
  async function forge(kind: 'personal' | 'skeleton', change: (text: string) => string, digest: boolean) {
    const { superuser } = old.log;
    const object = await superuser.one<{ archive_id: string; key: string; version: string }>(
      `select o.archive_id, o.key, o.version from audit.archive_objects o join audit.archives a on a.id = o.archive_id
       where o.kind = $1 and a.month = '2024-03-01' and a.category = 'modification'`,
      [kind],
    );
    const sent = await withCarrier(old.context, async ({ store }) => {
      const text = gunzipSync(await buffer(store.get(object.key))).toString('utf8');
      const changed = change(text);
      expect(changed).not.toBe(text);
      return await store.put(object.key, gzipSync(Buffer.from(changed)));
    });
    await superuser.query(`set session_replication_role = 'replica'`);
    await superuser.query(
      `update audit.archive_objects set version = $3, sha256 = case when $4 then $5 else sha256 end where archive_id = $1 and key = $2`,
      [object.archive_id, object.key, sent.version, digest, sent.sha256],
    );
    await superuser.query(`set session_replication_role = 'origin'`);
  }

  const asked = async () =>
    await old.console(
      old.compliance,
      'audit',
      'query',
      '--include-archive',
      '--json',
      '--until',
      '2024-12-31',
    );

  test.each([
    ['a personal object', 'personal', (text: string) => text.replace('Gran Roy', 'Gran Foy'), false],
    [
      'a personal object, with its digest in the database',
      'personal',
      (text: string) => text.replace('Gran Roy', 'Gran Foy'),
      true,
    ],
    [
      'parts that are made to look erased',
      'personal',
      (text: string) => {
        const [line = '', ...lines] = text.split('\n');
        const { salts, id } = JSON.parse(line);
        const gone = { id, salts: salts.map(() => null), erased_requests: salts.map(() => 'DEL-1') };
        return [JSON.stringify(gone), ...lines].join('\n');
      },
      true,
    ],
    [
      'parts put where there were none',
      'personal',
      (text: string) =>
        text.replace('"salts":[null', '"app_user":"00000000-0000-4000-8000-000000000000","salts":[null'),
      true,
    ],
    ['events left out', 'personal', (text: string) => text.slice(text.indexOf('\n') + 1), true],
    [
      'a skeleton, with its digest in the database',
      'skeleton',
      (text: string) => text.replace('"INSERT"', '"DELETE"'),
      true,
    ],
  ] as const)(
    '%s is refused with exit 3, and nothing of it is shown',
    async (_, kind, change, digest) => {
      await forge(kind, change, digest);
      const { code, stdout, stderr } = await asked();
      expect(code, stdout + stderr).toBe(3);
      expect(JSON.parse(stdout)).toMatchObject({
        ok: false,
        error: {
          code: 'archive_damaged',
          exitCode: 3,
          next: expect.stringContaining('nestctl audit verify'),
        },
      });
      expect(stdout).not.toContain('Foy');
    },
    120_000,
  );

  test('an object that is gone, and an archive that nobody signed', async () => {
    const { superuser } = old.log;
    const { key } = await superuser.one<{ key: string }>(
      `select key from audit.archive_objects where kind = 'personal' order by key limit 1`,
    );
    await withCarrier(old.context, ({ store }) => store.removeAll(key));
    expect(JSON.parse((await asked()).stdout)).toMatchObject({
      error: { code: 'archive_damaged', exitCode: 3 },
    });
    await superuser.query(`set session_replication_role = 'replica'`);
    await superuser.query(`update audit.archives set events = events + 1`);
    expect(JSON.parse((await asked()).stdout)).toMatchObject({
      error: { code: 'unproven_archive', exitCode: 3 },
    });
  }, 120_000);
});
