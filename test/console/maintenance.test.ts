import { expect, onTestFinished, test } from 'vitest';
import { connect, withConnection } from '../../src/platform/database/connection.js';
import { finished, startConsole } from '../support/console.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { temporaryFolder } from '../support/evidence.js';
import { type OperatorConsole, operatorConsole } from '../support/operator-console.js';
import { asService, makeFamily } from '../support/small-world.js';

const WHY = { NESTCTL_REASON: 'scheduled maintenance' };
const BUILT = [
  'wal-archiving',
  'backup',
  'audit-defaults',
  'audit-erasures',
  'audit-partitions',
  'audit-retention',
  'audit-seal',
  'invitations',
  'analytics',
  'evidence',
  'requests',
  'legal-holds',
  'erasures',
  'retention',
  'idle-accounts',
  'decisions',
  'export-shares',
];
const PROMISED = ['drill', 'residency'];
const EXCEPT: Readonly<Record<string, string>> = { 'wal-archiving': 'finding', backup: 'finding' };

async function world(): Promise<{
  database: TestDatabase;
  me: OperatorConsole;
  home: Record<string, string>;
}> {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const me = await operatorConsole(database);
  const home = { ...WHY, NESTCTL_HOME: temporaryFolder() };
  // What seals the log signs; what enters decisions hashes.
  for (const purpose of ['signing', 'ledger'])
    expect((await me.run(['evidence', 'key', 'create', '--for', purpose], { env: home })).code).toBe(0);
  return { database, me, home };
}

const asOwner = <T>(database: TestDatabase, statement: string, values?: unknown[]) =>
  withConnection(database.owner, (connection) => connection.query<T>(statement, values));

/** As if the newest runs had been that much earlier. */
const setBack = (database: TestDatabase, interval: string, job = '%') =>
  withConnection(database.superuser, (connection) =>
    connection.query(`
      alter table ops.maintenance_runs disable trigger user;
      update ops.maintenance_runs set started_at = started_at - interval '${interval}', ended_at = ended_at - interval '${interval}' where job like '${job}';
      alter table ops.maintenance_runs enable trigger user`),
  );

interface JobState {
  readonly job: string;
  readonly state: string;
}
const states = (body: { result: { jobs: JobState[] } }) =>
  Object.fromEntries(body.result.jobs.map(({ job, state }) => [job, state]));

test('jobs do what they say, each run is on record, and then nothing is due', async () => {
  const { database, me, home } = await world();
  const family = await makeFamily(database, { name: 'Tremblay' });
  await asService(database, (connection) =>
    connection.query(
      `insert into public.family_invitations (family_id, email, role, token_hash, created_at, expires_at) values
         ($1, 'late@example.ca', 'extended_family', '\\x01', now() - interval '9 days', now() - interval '1 minute'),
         ($1, 'early@example.ca', 'extended_family', '\\x02', now(), now() + interval '1 day')`,
      [family.id],
    ),
  );
  // Events of this month in a default partition, and no month ahead.
  await withConnection(database.superuser, (connection) =>
    connection.query(`do $$ declare p text; begin
      for p in select relname from pg_class where relnamespace = 'audit'::regnamespace and relkind = 'r' and relname ~ '^events_consent_2'
      loop execute format('drop table audit.%I', p); end loop; end $$`),
  );
  await asService(database, (connection) =>
    connection.query(
      `insert into public.consent_records (user_id, consent_type, status, consent_version) values ($1, 'cookies', 'denied', '1')`,
      [family.gran.id],
    ),
  );

  const before = await me.json(['maintenance', 'status'], { env: home });
  expect(before.code).toBe(3);
  expect(states(before.body)).toEqual(
    Object.fromEntries([...BUILT.map((job) => [job, 'never']), ...PROMISED.map((job) => [job, 'absent'])]),
  );

  const dry = await me.json(['maintenance', 'run', '--dry-run'], { env: home });
  expect([dry.code, dry.body.result.plan.jobs.map(({ job }: JobState) => job)]).toEqual([0, BUILT]);
  expect(await asOwner(database, 'select from ops.maintenance_runs')).toEqual([]);

  const run = await me.json(['maintenance', 'run'], { env: home });
  // The tests' server archives nothing, which is found, and its context names no engine; everything else is done.
  expect(run.code).toBe(3);
  expect(
    run.body.result.jobs.map(({ job, outcome }: { job: string; outcome: string }) => [job, outcome]),
  ).toEqual(BUILT.map((job) => [job, EXCEPT[job] ?? 'done']));
  const counts = Object.fromEntries(
    run.body.result.jobs.map(({ job, counts }: { job: string; counts: object }) => [job, counts]),
  );
  expect(counts['audit-defaults']).toEqual({ moved: 1, partitions: 1, left: 0 });
  expect(counts['audit-partitions']).toEqual({ made: 3 });
  expect(counts.invitations).toEqual({ expired: 1 });
  expect(
    await asOwner(database, 'select email, status from public.family_invitations order by email'),
  ).toEqual([
    { email: 'early@example.ca', status: 'pending' },
    { email: 'late@example.ca', status: 'expired' },
  ]);
  expect(await asOwner(database, 'select from audit.default_partitions() where events > 0')).toEqual([]);
  expect(
    await asOwner(
      database,
      `select relispopulated from pg_class where oid = 'private.weekly_activity'::regclass`,
    ),
  ).toEqual([{ relispopulated: true }]);

  // On record, with who, where and why; and in the audit log.
  const rows = await asOwner<{ job: string; run_by: string; duty: string; outcome: string; host: string }>(
    database,
    'select job, run_by, duty, outcome, host from ops.maintenance_runs order by started_at',
  );
  expect(rows.map(({ job }) => job)).toEqual(BUILT);
  expect(rows[0]).toMatchObject({ run_by: 'camille.roy', duty: 'sre', outcome: 'finding' });
  expect(rows[0]?.host).not.toBe('');
  const events = await asOwner<{ operation: string; reason: string }>(
    database,
    `select operation, reason from audit.events where table_name = 'ops.maintenance_runs'`,
  );
  expect(events).toHaveLength(2 * BUILT.length);
  expect(new Set(events.map(({ reason }) => reason))).toEqual(new Set(['scheduled maintenance']));

  // Nothing due: nothing run, nothing said.
  const again = await me.run(['maintenance', 'run'], { env: home });
  expect(again).toMatchObject({ code: 0, stdout: '', stderr: '' });
  expect((await me.json(['maintenance', 'run'], { env: home })).body.result).toEqual({ jobs: [] });
  // By name it is run all the same, but not with --due.
  const named = ['maintenance', 'run', '--job', 'evidence'];
  expect((await me.json([...named, '--due'], { env: home })).body.result.jobs).toEqual([]);
  expect((await me.json(named, { env: home })).body.result.jobs).toHaveLength(1);
  // With --quiet a run that went well says nothing, and one that found something says what.
  expect(await me.run([...named, '--quiet'], { env: home })).toMatchObject({
    code: 0,
    stdout: '',
    stderr: '',
  });
  const found = await me.run(['maintenance', 'run', '--job', 'wal-archiving', '--quiet'], { env: home });
  expect([found.code, found.stderr]).toEqual([3, '']);
  expect(found.stdout).toContain('archive_mode is off');

  const after = await me.json(['maintenance', 'status'], { env: home });
  expect(after.code).toBe(3);
  expect(states(after.body)).toMatchObject({
    'wal-archiving': 'finding',
    analytics: 'ok',
    backup: 'finding',
  });
});

test('a missed job is a finding, in status and in doctor; a promise without a job never is ok', async () => {
  const { database, me, home } = await world();
  await me.json(['maintenance', 'run'], { env: home });
  const doctor = async () => {
    const { code, body } = await me.json(['doctor'], { env: home });
    const found = body.result.findings.filter(({ name }: { name: string }) => name === 'maintenance');
    return {
      code,
      levels: Object.fromEntries(
        found.map((one: { object: string; level: string }) => [one.object, one.level]),
      ),
      found,
    };
  };
  const well = await doctor();
  expect(well.levels).toMatchObject({
    analytics: 'ok',
    evidence: 'ok',
    backup: 'error',
    drill: 'unknown',
    residency: 'unknown',
  });

  // Due, but within its tolerance.
  await setBack(database, '1 day', 'analytics');
  expect(
    (await me.json(['maintenance', 'run', '--dry-run'], { env: home })).body.result.plan.jobs.map(
      ({ job }: JobState) => job,
    ),
  ).toEqual(['analytics']);
  expect((await doctor()).levels).toMatchObject({ analytics: 'ok' });
  await setBack(database, '1 day', 'analytics');
  expect((await doctor()).levels).toMatchObject({ analytics: 'error', invitations: 'ok' });
  const status = await me.json(['maintenance', 'status'], { env: home });
  expect(states(status.body)).toMatchObject({ analytics: 'missed' });
  // What it says mends it.
  const remedy = (await doctor()).found.find((one: { object: string }) => one.object === 'analytics')
    .remedy as string;
  expect(remedy).toMatch(/^nestctl maintenance run --reason '[^']+' --job analytics$/);
  await me.json(['maintenance', 'run', '--reason', 'make up for what was missed', '--job', 'analytics']);
  expect((await doctor()).levels).toMatchObject({ analytics: 'ok' });
});

test('before the first run there is one finding, and it is no pass', async () => {
  const { me, home } = await world();
  const { body } = await me.json(['doctor'], { env: home });
  const found = body.result.findings.filter(({ name }: { name: string }) => name === 'maintenance');
  expect(found.map(({ object, level }: { object: string; level: string }) => [object, level])).toEqual([
    [null, 'warning'],
    ...PROMISED.map((job) => [job, 'unknown']),
  ]);
});

test('a job that fails is recorded and told, and does not stop the others', async () => {
  const { database, me, home } = await world();
  await asOwner(database, 'drop materialized view private.weekly_activity');
  const all = await me.json(['maintenance', 'run'], { env: home });
  const outcome = (job: string) => all.body.result.jobs.find((one: JobState) => one.job === job);
  expect(outcome('analytics')).toMatchObject({ outcome: 'failed' });
  expect(outcome('evidence')).toMatchObject({ outcome: 'done' });
  // Without the finding of the archive: partly done.
  const two = await me.json(['maintenance', 'run', '--job', 'analytics', '--job', 'evidence'], { env: home });
  expect(two.code).toBe(9);
  // None succeeded.
  const one = await me.json(['maintenance', 'run', '--job', 'analytics'], { env: home });
  expect([one.code, one.body.error.code]).toEqual([1, 'maintenance_failed']);
  expect(one.body.error.message).toMatch(/^analytics: /);
  const { body } = await me.json(['maintenance', 'status'], { env: home });
  expect(states(body)).toMatchObject({ analytics: 'failed', evidence: 'ok' });
  // It stays due until it succeeds.
  const due = await me.json(['maintenance', 'run', '--dry-run'], { env: home });
  expect(due.body.result.plan.jobs.map(({ job }: JobState) => job)).toEqual(['analytics']);
});

test('two at once: the second says who runs since when, or waits and then finds nothing due', async () => {
  const { database, me, home } = await world();
  const holder = await connect(database.operators[1], {
    settings: { role: 'nestsync_sre', 'nestsync.reason': 'a run by hand' },
  });
  onTestFinished(() => holder.close());
  await holder.query('select pg_advisory_lock(1852142452, 2)');
  await holder.query(`select ops.start_maintenance('analytics', 'other-machine')`);
  const busy = await me.json(['maintenance', 'run'], { env: home });
  expect([busy.code, busy.body.error.code]).toEqual([6, 'maintenance_busy']);
  expect(busy.body.error.message).toMatch(
    /dev\.singh on other-machine has been running "analytics" since 20\d\d-/,
  );
  expect(states((await me.json(['maintenance', 'status'], { env: home })).body)).toMatchObject({
    analytics: 'running',
  });

  // Several processes at once: each job is run once.
  const waiting = [
    'maintenance',
    'run',
    '--wait',
    '1m',
    '--job',
    'evidence',
    '--job',
    'invitations',
    '--due',
  ];
  const three = [0, 1, 2].map(() => me.json(waiting, { env: home }));
  await new Promise((resolve) => setTimeout(resolve, 2500));
  await holder.close();
  const results = await Promise.all(three);
  expect(results.map(({ code }) => code)).toEqual([0, 0, 0]);
  expect(results.map(({ body }) => body.result.jobs.length).sort()).toEqual([0, 0, 2]);
  expect(
    await asOwner(database, `select job, outcome from ops.maintenance_runs order by started_at`),
  ).toEqual([
    { job: 'analytics', outcome: 'abandoned' },
    { job: 'evidence', outcome: 'done' },
    { job: 'invitations', outcome: 'done' },
  ]);
});

test('interrupted in a job: the job is undone, on record, and its lock is free', async () => {
  const { database, me, home } = await world();
  await makeFamily(database, { name: 'Tremblay' });
  const blocker = await connect(database.superuser);
  onTestFinished(() => blocker.close());
  await blocker.query('begin; lock table public.family_invitations in access exclusive mode');
  const child = startConsole(['maintenance', 'run', '--job', 'invitations', '--job', 'evidence'], {
    env: { ...me.env, ...home },
  });
  child.stdin.end();
  const ended = finished(child);
  await expect
    .poll(
      () =>
        asOwner(database, `select from ops.maintenance_runs where job = 'invitations' and ended_at is null`),
      { timeout: 10_000 },
    )
    .toHaveLength(1);
  child.kill('SIGINT');
  const { code, stderr } = await ended;
  expect(code).toBe(130);
  expect(stderr).toContain('not: invitations, evidence');
  await blocker.query('rollback');
  expect(await asOwner(database, 'select job, outcome, error_code from ops.maintenance_runs')).toEqual([
    { job: 'invitations', outcome: 'failed', error_code: 'interrupted' },
  ]);
  await expect
    .poll(() =>
      asOwner(
        database,
        `select from pg_locks where locktype = 'advisory' and classid = 1852142452 and database = (select oid from pg_database where datname = current_database())`,
      ),
    )
    .toEqual([]);
});

test('killed in a job: the next run says that it was abandoned, and goes on', async () => {
  const { database, me, home } = await world();
  const blocker = await connect(database.superuser);
  onTestFinished(() => blocker.close());
  await blocker.query('begin; lock table public.family_invitations in access exclusive mode');
  const child = startConsole(['maintenance', 'run', '--job', 'invitations'], { env: { ...me.env, ...home } });
  child.stdin.end();
  await expect
    .poll(() => asOwner(database, 'select from ops.maintenance_runs'), { timeout: 10_000 })
    .toHaveLength(1);
  child.kill('SIGKILL');
  await finished(child);
  await blocker.query('rollback');
  const next = await me.json(['maintenance', 'run', '--job', 'evidence', '--wait', '20s'], { env: home });
  expect(next.code).toBe(0);
  expect(states((await me.json(['maintenance', 'status'], { env: home })).body)).toMatchObject({
    invitations: 'failed',
    evidence: 'ok',
  });
  expect(
    await asOwner(database, `select outcome from ops.maintenance_runs where job = 'invitations'`),
  ).toEqual([{ outcome: 'abandoned' }]);
});

test('sre and admin run it, others read it; a name that is none, and a promise without a job, are told', async () => {
  const { database, home } = await world();
  const support = await operatorConsole(database, {
    operator: await database.makeOperator('support'),
    owner: false,
  });
  expect((await support.json(['maintenance', 'run'], { env: home })).body.error.code).toBe('duty_not_held');
  expect((await support.json(['maintenance', 'status'])).code).toBe(3);
  const me = await operatorConsole(database);
  const no = await me.json(['maintenance', 'run', '--job', 'nonsense'], { env: home });
  expect([no.code, no.body.error.code]).toEqual([2, 'unknown_job']);
  const drill = await me.json(['maintenance', 'run', '--job', 'drill'], { env: home });
  expect([drill.code, drill.body.error.code]).toEqual([6, 'job_not_built']);
  // Under cron there is no terminal to ask for a reason at.
  const silent = await me.json(['maintenance', 'run']);
  expect([silent.code, silent.body.error.code]).toEqual([7, 'reason_missing']);
});
