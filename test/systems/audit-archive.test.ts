import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import {
  archiveLog,
  auditJobs,
  type EventFilter,
  planArchive,
  recordReading,
} from '../../src/audit/index.js';
import { listRecords, withCarrier } from '../../src/evidence/index.js';
import type { Context } from '../../src/platform/config/contexts.js';
import { openSession, type Session } from '../../src/platform/database/session.js';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import { finished, runConsole, startConsole } from '../support/console.js';
import { type ObjectServer, startObjectServer } from '../support/object-server.js';
import { datedBack, seniors } from '../support/old-events.js';
import { type SealedLog, sealedLog } from '../support/sealed-log.js';
import { asService, makeFamily, type SmallFamily } from '../support/small-world.js';

let server: ObjectServer;
let log: SealedLog;
let context: Context;
let compliance: Session;
let approver: Session;
let family: SmallFamily;
let buckets = 0;

beforeAll(async () => {
  server = await startObjectServer();
});
afterAll(() => server?.stop());

beforeEach(async () => {
  log = await sealedLog();
  buckets += 1;
  await server.makeBucket(`archive-${buckets}`, { ObjectLockEnabledForBucket: true });
  vi.stubEnv('NESTCTL_HOME', log.home);
  vi.stubEnv('AWS_ACCESS_KEY_ID', server.keys.id);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', server.keys.secret);
  const { operator } = log;
  context = {
    name: 'test',
    kind: 'server',
    host: operator.host,
    port: operator.port,
    database: operator.database,
    user: operator.user,
    object_store: {
      endpoint: `http://127.0.0.1:${server.port}`,
      bucket: `archive-${buckets}`,
      region: server.region,
      path_style: true,
    },
  };
  compliance = await officer();
  approver = await officer();
  family = await makeFamily(log.database, { name: 'Tremblay', notes: 'wet' });
  await asService(log.database, async (connection) => {
    await connection.query(`update public.users set last_name = 'Roy' where id = $1`, [family.gran.id]);
    await connection.query(
      `insert into public.usage_logs (family_id, child_id, usage_type, caregiver_name, created_by) values ($1, $2, 'diaper_change', 'Gran Roy', $3)`,
      [family.id, family.child, family.gran.id],
    );
  });
});
afterEach(async () => {
  await compliance.close();
  await approver.close();
  await log.close();
  vi.unstubAllEnvs();
});

async function officer(): Promise<Session> {
  const target: ConnectionTarget = await log.database.makeOperator('compliance');
  await seniors(log.superuser, target.user);
  return await openSession(target, { duty: 'compliance', reason: 'tests of archiving' });
}

/** What is logged of the household now, as of an old month. */
async function oldMonth(month = '2024-03-01'): Promise<number> {
  const moved = await datedBack(
    log.database,
    month,
    `category = 'modification' and table_name like 'public.%'`,
  );
  await log.seal();
  return moved;
}

const cutoff = () => new Date(Date.now() - 100 * 86_400_000);

async function archive(options?: Parameters<typeof archiveLog>[3]) {
  return await archiveLog(compliance, context, await planArchive(compliance, cutoff()), options);
}

/** Every version of every object of the archives: its key, and what is in it. */
async function everything(): Promise<{ key: string; id: string; text: string; lockedUntil: Date | null }[]> {
  return await withCarrier(context, async ({ store }) => {
    const found = [];
    for await (const { key, id, marker } of store.versions('')) {
      if (marker) continue;
      const bytes = await buffer(store.get(key, { version: id }));
      const text = (key.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('latin1');
      found.push({ key, id, text, lockedUntil: (await store.head(key, id))?.retain_until ?? null });
    }
    return found;
  });
}

const holding = async (text: string) =>
  (await everything()).filter((object) => object.text.includes(Buffer.from(text).toString('latin1')));

/** As privacy erases somebody: an approved plan, used up by the transaction that erases. */
async function erase(person: string, names: readonly string[]): Promise<void> {
  const plan = JSON.stringify({ request: 'DEL-7', person, names });
  const { id } = await compliance.one<{ id: string }>(
    `select id from ops.request_approval('erasure', $1::jsonb, 'a request for erasure', 'PRIV-1')`,
    [plan],
  );
  await approver.query(`select ops.decide_approval($1, 'granted', 'checked the identity')`, [id]);
  await compliance.transaction(() =>
    compliance.query(
      `select e.request from ops.use_approval('erasure', $1::jsonb) u, audit.erase_subject(u) e`,
      [plan],
    ),
  );
}

test('a month goes to the store, is gone from the database, and the log and the rows still verify', async () => {
  const moved = await oldMonth();
  const before = await log.verify();
  expect(before).toMatchObject({ verdict: 'intact', archived: [], faults: [] });
  const done = await archive();
  expect(done.months).toEqual([{ category: 'modification', month: '2024-03', events: moved }]);
  const left = await log.superuser.query(
    `select 1 from audit.events where occurred_at < '2025-01-01' union all select 1 where to_regclass('audit.events_modification_2024_03') is not null`,
  );
  expect(left).toEqual([]);
  await log.seal();
  const after = await log.verify();
  expect(after.faults).toEqual([]);
  expect(after).toMatchObject({
    verdict: 'intact',
    doubts: [],
    archived: [{ category: 'modification', month: '2024-03', events: moved, looked_at: 'tree' }],
  });
  const coverage = await compliance.query<{ t: string; faults: number; named: unknown }>(
    `select t.table_name::text as t, c.faults::int, c.named from audit.captured_tables t, audit.coverage(t.table_name) c where c.faults > 0`,
  );
  expect(coverage).toEqual([]);
  const lacking = (filter: EventFilter) => recordReading(compliance, { kind: 'query', filter });
  for (const filter of [
    {},
    { since: new Date('2024-03-31T23:00:00Z') },
    { until: new Date('2024-03-01T00:01:00Z') },
  ])
    expect(await lacking(filter)).toBe(
      'Archived months are not looked into: modification 2024-03. The answer lacks their events.',
    );
  for (const filter of [
    { since: new Date('2024-04-01T00:00:00Z') },
    { until: new Date('2024-03-01T00:00:00Z') },
  ])
    expect(await lacking(filter)).toBeUndefined();
});

test('what belongs to people is not locked, what is locked names nobody, and both give every leaf', async () => {
  await oldMonth();
  await archive();
  const objects = await everything();
  const archived = objects.filter(({ key }) => key.includes('/archive/'));
  expect(archived.map(({ key }) => key.split('/').at(-2)).sort()).toEqual(
    expect.arrayContaining(['personal', 'skeleton']),
  );
  for (const { key, text, lockedUntil } of archived) {
    if (key.includes('/personal/')) expect(lockedUntil, key).toBeNull();
    else {
      expect(lockedUntil?.toISOString(), key).toBe('2031-04-01T00:00:00.000Z');
      for (const name of [family.gran.id, family.id, 'Gran Roy', 'Tremblay'])
        expect(text).not.toContain(name);
    }
  }
  expect((await holding('Gran Roy')).length).toBe(1);
});

test('archived, erased, verified: lawfully erased, and no version of any object holds the personal parts', async () => {
  await oldMonth();
  await archive();
  await log.seal();
  await erase(family.gran.id, ['Gran Roy']);
  await log.seal();
  expect((await log.verify()).doubts).toEqual([
    expect.objectContaining({
      object: 'request DEL-7',
      detail: expect.stringContaining('nestctl audit archive'),
    }),
  ]);
  expect((await holding('Gran Roy')).length).toBe(1);
  const done = await archive();
  expect(done).toMatchObject({ months: [], destroyed_versions: 1 });
  expect(done.erased_parts).toBeGreaterThanOrEqual(3);
  for (const trace of [family.gran.id, 'Gran Roy']) expect(await holding(trace), trace).toEqual([]);
  expect((await holding(family.id)).length).toBe(1);
  await log.seal();
  const auditor = await officer();
  const { verifyLog } = await import('../../src/audit/index.js');
  const report = await verifyLog(auditor, log.evidence);
  await auditor.close();
  expect(report).toMatchObject({ verdict: 'lawfully_erased', faults: [], doubts: [] });
  expect(report.erased).toEqual([{ request: 'DEL-7', events: expect.any(Number) }]);
  expect(await archive()).toMatchObject({ erased_parts: 0, destroyed_versions: 0 });
});

test('maintenance carries an erasure into the archives, by a login that may know whom it is about', async () => {
  const job = auditJobs.find(({ name }) => name === 'audit-erasures');
  const { signal } = new AbortController();
  const run = async (session: Session, where = context) =>
    await job?.run?.({ session, context: where, signal });
  expect(await run(log.sre)).toMatchObject({ outcome: 'done', counts: { due: 0 } });
  await oldMonth();
  await archive();
  await erase(family.gran.id, ['Gran Roy']);
  expect(await run(log.sre)).toMatchObject({
    outcome: 'finding',
    detail: expect.stringMatching(/does not hold the duty compliance: nestctl audit archive$/),
  });
  const login = await log.database.makeOperator('sre', 'compliance');
  const maintenance = await openSession(login, { duty: 'sre', reason: 'tests of maintenance' });
  try {
    const { object_store: _, ...storeless } = context;
    expect(await run(maintenance, storeless)).toMatchObject({ outcome: 'finding', counts: { due: 1 } });
    expect((await holding('Gran Roy')).length).toBe(1);
    expect(await run(maintenance)).toMatchObject({
      outcome: 'done',
      detail: '1 reached their archives',
      counts: { due: 0, versions: 1 },
    });
    for (const trace of [family.gran.id, 'Gran Roy']) expect(await holding(trace), trace).toEqual([]);
    expect(await run(maintenance)).toMatchObject({ outcome: 'done', detail: 'none is due' });
  } finally {
    await maintenance.close();
  }
  await log.seal();
  expect((await log.verify()).faults).toEqual([]);
});

test('an erasure reaches a month that is on its way', async () => {
  const moved = await oldMonth();
  for (const stage of ['copying', 'comparing']) {
    await expect(
      archive({
        onProgress: (_, what) => {
          if (what.endsWith(stage)) throw new Error('cut off');
        },
      }),
    ).rejects.toThrow('cut off');
  }
  expect((await holding('Gran Roy')).length).toBe(1);
  await erase(family.gran.id, ['Gran Roy']);
  expect((await archive()).months).toEqual([{ category: 'modification', month: '2024-03', events: moved }]);
  for (const trace of [family.gran.id, 'Gran Roy']) expect(await holding(trace), trace).toEqual([]);
  await log.seal();
  expect(await log.faults()).toEqual([]);
});

test('killed at any moment and run again, nothing is lost and nothing is written twice', async () => {
  const { operator } = log;
  const officers = await log.superuser.query<{ login: string }>(
    `select login from ops.operator_duties where duty = 'compliance' order by granted_at limit 1`,
  );
  expect(officers.length).toBe(1);
  const target = compliance.target;
  const store = context.object_store;
  const config = join(log.home, 'contexts.toml');
  await writeFile(
    config,
    [
      `[contexts.test]\nkind = "server"\nhost = "${operator.host}"\nport = ${operator.port}`,
      `database = "${operator.database}"\nuser = "${target.user}"\npassword_env = "ARCHIVIST"`,
      `[contexts.test.object_store]\nendpoint = "${store?.endpoint}"\nbucket = "${store?.bucket}"`,
      `region = "${store?.region}"\npath_style = true\n`,
    ].join('\n'),
    { mode: 0o600 },
  );
  const env = {
    NESTCTL_HOME: log.home,
    NESTCTL_CONFIG: config,
    ARCHIVIST: target.password as string,
    AWS_ACCESS_KEY_ID: server.keys.id,
    AWS_SECRET_ACCESS_KEY: server.keys.secret,
  };
  const args = ['audit', 'archive', '--older-than', '100d', '--reason', 'archive', '--yes', '--json'];
  const months = ['2024-03-01', '2024-04-01'];
  let moved = 0;
  for (const month of months) {
    await asService(log.database, (connection) =>
      connection.query(`update public.children set name = $1 where id = $2`, [`Léo ${month}`, family.child]),
    );
    moved += await datedBack(
      log.database,
      month,
      `category = 'modification' and table_name like 'public.%' and occurred_at > now() - interval '1 day'`,
    );
  }
  await log.seal();
  const reached = [
    `select 1 from audit.archives`,
    `select 1 from audit.archives where recorded_at is not null`,
    `select 1 from audit.archives where dropped_at is not null`,
    `select 1 from audit.archives where category = 'modification' and month = '2024-04-01' and recorded_at is not null`,
  ];
  for (const [turn, moment] of reached.entries()) {
    const child = startConsole(args, { env });
    const over = finished(child);
    child.stdin.end();
    let ended = false;
    void over.then(() => {
      ended = true;
    });
    while (!ended && (await log.superuser.query(moment)).length === 0) await sleep(2);
    child.kill('SIGKILL');
    const { signal, stderr, stdout } = await over;
    expect(signal, `turn ${turn}: ${stdout}${stderr}`).toBe('SIGKILL');
  }
  const last = await runConsole(args, { env });
  expect(last.code, last.stdout + last.stderr).toBe(0);
  const { tables } = JSON.parse(last.stdout).meta.events;
  expect(tables).toContainEqual(expect.objectContaining({ table: 'audit.archives', operation: 'update' }));
  const kept = await log.superuser.query<{ events: number }>(
    `select events::int from audit.archives where dropped_at is not null`,
  );
  expect(kept.length).toBe(2);
  expect(kept.reduce((sum, { events }) => sum + events, 0)).toBe(moved);
  const objects = (await everything()).filter(({ key }) => key.includes('/archive/'));
  expect(new Set(objects.map(({ key }) => key)).size).toBe(objects.length);
  const lines = objects
    .filter(({ key }) => key.includes('/personal/'))
    .flatMap(({ text }) =>
      text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).id as string),
    );
  expect(new Set(lines).size).toBe(moved);
  expect(lines.length).toBe(moved);
  const { records } = await listRecords(log.evidence, { chain: 'audit', type: 'audit-archive', limit: 100 });
  expect(records.length).toBe(2);
  await log.seal();
  expect(await log.faults()).toEqual([]);
}, 180_000);

test('a partition that was dropped without an archive, or with one that nobody signed, is tampering', async () => {
  const moved = await oldMonth();
  await log.superuser.query('drop table audit.events_modification_2024_03');
  const faults = await log.faults();
  expect(faults.length).toBe(Math.min(moved, 100));
  expect(faults.every((fault) => fault.startsWith('deleted '))).toBe(true);
  const { size } = await log.superuser.one<{ size: string }>('select size::text from audit.tree');
  await log.superuser.query(
    `insert into audit.archives (category, month, tree_from, tree_size, place, events, first_leaf, last_leaf, leaves, manifest, record, recorded_at, recorded_by, dropped_at, dropped_by)
     values ('modification', '2024-03-01', 0, $1, 'nowhere', $2, 0, $2, repeat('a', 64), repeat('a', 64), '{}', now(), 'x', now(), 'x')`,
    [size, moved],
  );
  expect(await log.faults()).toEqual(
    expect.arrayContaining(['unproven_archive archive of modification 2024-03', ...faults]),
  );
});

test('nothing is dropped that the store does not hold byte for byte', async () => {
  await oldMonth();
  await expect(
    archive({
      onProgress: (_, what) => {
        if (what.endsWith('comparing')) throw new Error('cut off');
      },
    }),
  ).rejects.toThrow('cut off');
  const [object] = await log.superuser.query<{ key: string }>(
    `select key from audit.archive_objects where kind = 'personal'`,
  );
  await withCarrier(context, async ({ store }) => {
    await store.removeAll(object?.key ?? '');
    await store.put(object?.key ?? '', gzipSync(Buffer.from('{}\n')));
  });
  await expect(archive()).rejects.toMatchObject({
    code: expect.stringMatching(/^(archive_damaged|object_unknown)$/),
  });
  expect(
    await log.superuser.query(`select to_regclass('audit.events_modification_2024_03')::text as there`),
  ).toEqual([{ there: 'audit.events_modification_2024_03' }]);
  await expect(compliance.query(`select audit.drop_archived(gen_random_uuid())`)).rejects.toMatchObject({
    kind: 'not_found',
  });
});
