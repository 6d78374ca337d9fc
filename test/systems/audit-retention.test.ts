import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { archiveLog, planArchive, planRetention, pruneLog } from '../../src/audit/index.js';
import { withCarrier } from '../../src/evidence/index.js';
import type { Context } from '../../src/platform/config/contexts.js';
import { ARCHIVER_LOCK } from '../../src/platform/database/session-lock.js';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import { finished, runConsole, startConsole } from '../support/console.js';
import { type ObjectServer, startObjectServer } from '../support/object-server.js';
import { type Retention, retentionOf } from '../support/retention.js';
import { type SealedLog, sealedLog } from '../support/sealed-log.js';

let server: ObjectServer;
let log: SealedLog;
let retention: Retention;

beforeAll(async () => {
  server = await startObjectServer();
});
afterAll(() => server?.stop());

beforeEach(async () => {
  log = await sealedLog();
  retention = await retentionOf(log);
});
afterEach(async () => {
  await retention.close();
  await log.close();
});

const contextOf = (name: string, { host, port, database, user }: ConnectionTarget) =>
  `[contexts.${name}]\nkind = "server"\nhost = "${host}"\nport = ${port}\ndatabase = "${database}"\nuser = "${user}"\npassword_env = "${name.toUpperCase()}"\n`;

test('killed at any moment and run again, what was approved is pruned, once', async () => {
  const { compliance, approver } = retention;
  const config = join(log.home, 'contexts.toml');
  await writeFile(config, contextOf('test', compliance.target) + contextOf('second', approver.target), {
    mode: 0o600,
  });
  const env = {
    NESTCTL_HOME: log.home,
    NESTCTL_CONFIG: config,
    TEST: compliance.target.password as string,
    SECOND: approver.target.password as string,
  };
  const run = async (...words: string[]) => {
    const { code, stdout } = await runConsole([...words, '--json'], { env });
    return { code, body: JSON.parse(stdout) };
  };
  const WHY = ['--context', 'test', '--reason', 'yearly retention', '--ticket', 'PRIV-12'];
  const args = ['audit', 'retention', ...WHY, '--yes'];
  const months = ['2015-03-01', '2015-04-01'];
  let events = 0;
  for (const month of months) events += await retention.oldMonth(month);

  const dry = await run('audit', 'retention', ...WHY, '--dry-run');
  expect([dry.code, dry.body.result.needs_approval]).toEqual([0, true]);
  expect(dry.body.result.plan.months.map(({ month }: { month: string }) => month)).toEqual(
    months.map((month) => month.slice(0, 7)),
  );
  const asked = await run(...args);
  expect(asked.code).toBe(8);
  expect(asked.body.result.approve).toContain('approval grant');
  const own = await run('approval', 'grant', asked.body.result.approval.id, ...WHY, '--yes');
  expect(own.code).toBe(4);
  const granted = await run(
    ...['approval', 'grant', asked.body.result.approval.id, '--context', 'second'],
    ...['--reason', 'the years are over', '--yes'],
  );
  expect(granted.code).toBe(0);

  const killedAt = async (moment: string) => {
    const child = startConsole([...args, '--json'], { env });
    const over = finished(child);
    child.stdin.end();
    let ended = false;
    void over.then(() => {
      ended = true;
    });
    while (!ended && (await log.superuser.query(moment)).length === 0) await sleep(2);
    child.kill('SIGKILL');
    const { signal, stdout, stderr } = await over;
    expect(signal, `${moment}: ${stdout}${stderr}`).toBe('SIGKILL');
    // What the server was at when its console was killed it ends first.
    const atWork = `select 1 from pg_locks where locktype = 'advisory' and classid = ${ARCHIVER_LOCK[0]} and objid = ${ARCHIVER_LOCK[1]}
      and database = (select oid from pg_database where datname = current_database())`;
    while ((await log.superuser.query(atWork)).length > 0) await sleep(20);
  };
  await killedAt('select 1 from audit.prunings');
  await killedAt('select 1 from audit.prunings where recorded_at is not null');
  const recorded = await run(...args);
  expect(recorded.code).toBe(8);
  expect(recorded.body.result.waiting.length).toBe(2);
  expect((await run(...args)).code).toBe(8);
  await log.seal();
  await killedAt('select 1 from audit.prunings where dropped_at is not null');
  const last = await run(...args);
  expect(last.code).toBe(0);
  expect((await run(...args)).body.result).toMatchObject({ pruned: [], waiting: [] });

  const kept = await log.superuser.query<{ events: number; record: string }>(
    'select events::int, record from audit.prunings where dropped_at is not null',
  );
  expect(kept.length).toBe(2);
  expect(kept.reduce((sum, month) => sum + month.events, 0)).toBe(events);
  const { listRecords } = await import('../../src/evidence/index.js');
  const { records } = await listRecords(log.evidence, {
    chain: 'audit',
    type: 'audit-retention',
    limit: 100,
  });
  expect(records.length).toBe(2);
  await log.seal();
  const verified = await run('audit', 'verify', '--context', 'test');
  expect(verified.code).toBe(0);
  expect(verified.body.result.pruned.map(({ month }: { month: string }) => month)).toEqual(
    months.map((month) => month.slice(0, 7)),
  );
  const query = await run('audit', 'query', ...WHY, '--limit', '1');
  expect(query.body.warnings).toContainEqual(
    expect.objectContaining({ message: expect.stringContaining('were pruned') }),
  );

  await retention.oldMonth('2015-05-01');
  await retention.approve();
  const { code, body } = await run(...args);
  expect(code).toBe(8);
  expect(body.meta.events.tables).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ table: 'audit.prunings', operation: 'insert' }),
      expect.objectContaining({ table: 'audit.prunings', operation: 'update' }),
    ]),
  );
}, 240_000);

/** An archived month whose locks end so soon, and how to prune there. */
async function archived(bucket: string, leastLock: number) {
  await server.makeBucket(bucket, { ObjectLockEnabledForBucket: true });
  vi.stubEnv('AWS_ACCESS_KEY_ID', server.keys.id);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', server.keys.secret);
  const context: Context = {
    ...retention.context,
    object_store: {
      endpoint: `http://127.0.0.1:${server.port}`,
      bucket,
      region: server.region,
      path_style: true,
    },
  };
  const events = await retention.oldMonth();
  const session = retention.compliance;
  await archiveLog(session, context, await planArchive(session, new Date('2020-01-01')), { leastLock });
  await log.seal();
  return {
    month: { category: 'modification', month: '2015-03', events },
    prune: async () => await pruneLog(session, context, await planRetention(session)),
    everything: async () =>
      await withCarrier(context, async ({ store }) => {
        const found: { readonly key: string; readonly text: string }[] = [];
        for await (const { key, id, marker } of store.versions('')) {
          if (marker || !key.includes('/archive/')) continue;
          const bytes = await buffer(store.get(key, { version: id }));
          found.push({ key, text: (key.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8') });
        }
        return found;
      }),
  };
}

test('of an archived month people go at once, what is locked stays and is named, and it is no pruned month yet', async () => {
  const { month, prune, everything } = await archived('locked', 86_400_000);
  const before = await everything();
  expect(before.some(({ text }) => text.includes('Tremblay'))).toBe(true);
  const { months } = await planRetention(retention.compliance);
  expect(months).toMatchObject([{ ...month, state: 'new', archive: expect.any(String) }]);
  await expect(prune()).rejects.toMatchObject({ code: 'approval_pending' });
  await retention.approve();
  expect(await prune()).toMatchObject({ pruned: [], waiting: [month], locked: [], destroyed_versions: 0 });
  expect(await everything()).toEqual(before);
  await log.seal();
  const done = await prune();
  expect(done).toMatchObject({ pruned: [], waiting: [], locked: [month], destroyed_versions: 1 });
  expect(done.locked[0]?.until.getTime()).toBeGreaterThan(Date.now() + 86_000_000);
  const left = await everything();
  expect(left.length).toBe(before.length - 1);
  expect(left.filter(({ key, text }) => key.includes('/personal/') || text.includes('Tremblay'))).toEqual([]);
  await log.seal();
  expect(await log.verify()).toMatchObject({ verdict: 'intact', archived: [month], pruned: [] });
  for (const statement of [
    'select audit.finish_destroyed(id) from audit.prunings',
    'select audit.drop_pruned(id) from audit.prunings',
  ])
    await expect(retention.compliance.query(statement)).rejects.toMatchObject({ kind: 'conflict' });
  expect(await prune()).toMatchObject({ locked: [month], destroyed_versions: 0 });
});

test('once its locks have ended, every version of every object of an archived month goes', async () => {
  const { month, prune, everything } = await archived('ended', 25_000);
  const ends = Date.now() + 26_000;
  await retention.approve();
  await prune();
  await log.seal();
  await sleep(Math.max(0, ends - Date.now()));
  expect(await prune()).toMatchObject({ pruned: [month], waiting: [], locked: [], destroyed_versions: 4 });
  expect(await everything()).toEqual([]);
  await log.seal();
  expect(await log.verify()).toMatchObject({
    verdict: 'intact',
    faults: [],
    doubts: [],
    archived: [],
    pruned: [month],
  });
  const uncovered = await retention.compliance.query(
    'select t.table_name::text from audit.captured_tables t, audit.coverage(t.table_name) c where c.faults > 0',
  );
  expect(uncovered).toEqual([]);
  expect((await planRetention(retention.compliance)).months).toEqual([]);
}, 120_000);
