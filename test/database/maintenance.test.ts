import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runMaintenance } from '../../src/maintenance/index.js';
import type { Context } from '../../src/platform/config/contexts.js';
import { type Connection, connect, withConnection } from '../../src/platform/database/connection.js';
import { openSession, openSessionPool, type SessionPool } from '../../src/platform/database/session.js';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import {
  type JobResult,
  type JobWork,
  type MaintenanceJob,
  walArchiving,
} from '../../src/platform/maintenance/index.js';
import { createTestDatabase, makeTemplate, type TestDatabase } from '../support/database.js';
import { type OwnServer, startTestServer } from '../support/server.js';

const LOCK = 'select pg_advisory_lock(1852142452, 2)';
const context = { name: 'test' } as Context;

let database: TestDatabase;
let sre: ConnectionTarget;
beforeAll(async () => {
  database = await createTestDatabase();
  sre = await database.makeOperator('sre');
});
afterAll(() => database?.drop());

const asOwner = <T>(statement: string, values?: unknown[]) =>
  withConnection(database.owner, (connection) => connection.query<T>(statement, values));

const job = (name: string, run: MaintenanceJob['run'], limit = 60_000): MaintenanceJob => ({
  name,
  summary: `a job of the tests`,
  period: 'daily',
  tolerance: 0,
  limit,
  ...(run === undefined ? {} : { run }),
});
const done = job('well', async () => ({ outcome: 'done', detail: 'all well' }));

async function withPool<T>(work: (pool: SessionPool) => Promise<T>): Promise<T> {
  const pool = await openSessionPool(sre, { duty: 'sre', reason: 'tests of maintenance' }, { size: 2 });
  try {
    return await work(pool);
  } finally {
    await pool.close();
  }
}

const run = (jobs: readonly MaintenanceJob[], signal = new AbortController().signal) =>
  withPool((pool) =>
    runMaintenance(pool, jobs, { due: false, context, patience: 0, signal, tell: () => undefined }),
  );

describe('a job', () => {
  test('that takes too long is cancelled on the server, at its time, and the next one runs', async () => {
    let pid = 0;
    const slow = async ({ session }: JobWork) => {
      pid = (await session.one<{ pid: number }>('select pg_backend_pid() as pid')).pid;
      await session.query('select pg_sleep(60)');
      return { outcome: 'done', detail: 'never said' } as const;
    };
    const began = Date.now();
    const finished = await run([job('slow', slow, 700), done]);
    expect(Date.now() - began).toBeLessThan(10_000);
    expect(finished.map(({ job: name, outcome, error_code }) => [name, outcome, error_code])).toEqual([
      ['slow', 'failed', 'job_timeout'],
      ['well', 'done', null],
    ]);
    expect(await asOwner(`select from pg_stat_activity where pid = ${pid} and state = 'active'`)).toEqual([]);
  });

  test('that ends by itself when told to leaves the supervisor its duty', async () => {
    const obedient = ({ signal }: JobWork) =>
      new Promise<JobResult>((resolve) => {
        signal.addEventListener('abort', () => resolve({ outcome: 'done', detail: 'never said' }));
      });
    const finished = await run([job('obedient', obedient, 300), done]);
    expect(finished.map(({ error_code }) => error_code)).toEqual(['job_timeout', null]);
  });

  test('that waits for something else than the server is left after its time', async () => {
    const deaf = async () => {
      await sleep(20_000, undefined, { ref: false });
      return { outcome: 'done', detail: 'never said' } as const;
    };
    const began = Date.now();
    const finished = await run([job('deaf', deaf, 300), done]);
    expect(Date.now() - began).toBeLessThan(10_000);
    expect(finished.map(({ error_code }) => error_code)).toEqual(['job_timeout', null]);
  });

  test('that breaks with anything at all is recorded without what it said, and loses its session alone', async () => {
    const finished = await run([
      job('broken', async () => {
        throw new TypeError('Tremblay gran@example.ca');
      }),
      job('cut', async ({ session }) => {
        const { pid } = await session.one<{ pid: number }>('select pg_backend_pid() as pid');
        await withConnection(database.superuser, (other) =>
          other.query('select pg_terminate_backend($1)', [pid]),
        );
        await session.query('select 1');
        return { outcome: 'done', detail: 'never said' };
      }),
      job('dirty', async ({ session }) => {
        await session.query('begin');
        await session.query(`set local role nestsync_admin`).catch(() => undefined);
        return { outcome: 'done', detail: 'left a transaction open' };
      }),
      job('after', async ({ session }) => {
        const { role } = await session.one<{ role: string }>(`select current_setting('role') as role`);
        return { outcome: 'done', detail: role };
      }),
    ]);
    expect(finished.map(({ job: name, outcome, detail }) => [name, outcome, detail])).toEqual([
      ['broken', 'failed', 'nestctl itself failed (TypeError).'],
      ['cut', 'failed', expect.stringMatching(/^The (server is stopping|connection to) /)],
      ['dirty', 'done', 'left a transaction open'],
      ['after', 'done', 'nestsync_sre'],
    ]);
    const kept = await asOwner<{ text: string }>(`select r::text as text from ops.maintenance_runs r`);
    expect(kept.map(({ text }) => text).join()).not.toMatch(/gran@|Tremblay/);
  });
});

describe('by hand-written SQL', () => {
  async function refused(work: (session: Connection) => Promise<unknown>, code: string): Promise<void> {
    const session = await openSession(sre, { duty: 'sre', reason: 'hand-written SQL' });
    try {
      await expect(work(session)).rejects.toMatchObject({ code });
    } finally {
      await session.close();
    }
  }

  test('a run begins only under the lock, and ends once', async () => {
    await refused(
      (session) => session.query(`select ops.start_maintenance('analytics', 'here')`),
      'conflict',
    );
    await refused(async (session) => {
      await session.query(LOCK);
      const { id } = await session.one<{ id: string }>(
        `select id from ops.start_maintenance('analytics', 'here')`,
      );
      await session.query(`select ops.end_maintenance($1, 'done', 'all well')`, [id]);
      await session.query(`select ops.end_maintenance($1, 'failed', 'on second thoughts')`, [id]);
    }, 'conflict');
  });

  test('nobody but the console writes the record, and nobody alters it', async () => {
    for (const statement of [
      `insert into ops.maintenance_runs (job, duty, host, server, wal_lsn) values ('analytics', 'sre', '', '', '0/0')`,
      `update ops.maintenance_runs set outcome = 'done'`,
      'delete from ops.maintenance_runs',
    ])
      await refused((session) => session.query(statement), 'permission_denied');
    await run([done]);
    await expect(asOwner(`update ops.maintenance_runs set outcome = 'failed'`)).rejects.toMatchObject({
      code: 'conflict',
    });
    await expect(asOwner('delete from ops.maintenance_runs')).rejects.toMatchObject({
      code: 'duty_not_allowed',
    });
    await expect(asOwner('truncate ops.maintenance_runs')).rejects.toMatchObject({
      code: 'duty_not_allowed',
    });
  });

  test('another operator ends no run of yours', async () => {
    const session = await openSession(sre, { duty: 'sre', reason: 'hand-written SQL' });
    const other = await openSession(database.operators[1], { duty: 'sre', reason: 'hand-written SQL' });
    try {
      await session.query(LOCK);
      const { id } = await session.one<{ id: string }>(
        `select id from ops.start_maintenance('analytics', 'here')`,
      );
      await expect(other.query(`select ops.end_maintenance($1, 'done', 'x')`, [id])).rejects.toMatchObject({
        code: 'not_found',
      });
    } finally {
      await session.close();
      await other.close();
    }
  });

  test.each(['support', 'compliance', 'auditor'] as const)(
    '%s reads the record and runs nothing',
    async (duty) => {
      const operator = await database.makeOperator(duty);
      const session = await openSession(operator, { duty, reason: 'hand-written SQL' });
      try {
        expect((await session.query('select from ops.maintenance_runs')).length).toBeGreaterThan(0);
        for (const call of [
          `ops.start_maintenance('analytics', 'here')`,
          'ops.prepare_audit_partitions()',
          'ops.empty_audit_defaults()',
          'ops.expire_invitations()',
        ])
          await expect(session.query(`select ${call}`), call).rejects.toMatchObject({
            code: 'permission_denied',
          });
      } finally {
        await session.close();
      }
    },
  );

  test('a registered duty is needed, not the role alone', async () => {
    const person = await database.makeLogin('', 'nestsync_sre');
    const session = await connect(person, {
      settings: { role: 'nestsync_sre', 'nestsync.reason': 'no duty' },
    });
    try {
      expect(await session.query('select from ops.maintenance_runs')).toEqual([]);
      await expect(session.query('select ops.expire_invitations()')).rejects.toMatchObject({
        code: 'duty_not_allowed',
      });
    } finally {
      await session.close();
    }
  });
});

describe('the hourly check of the archive', () => {
  let server: OwnServer;
  let archived: TestDatabase;
  beforeAll(async () => {
    server = await startTestServer({
      settings: { archive_mode: true, archive_library: '', archive_command: 'true', archive_timeout: 0 },
    });
    await makeTemplate(server);
    archived = await createTestDatabase({ server });
  });
  afterAll(() => server?.stop());

  const asSuperuser = <T>(statement: string) =>
    withConnection(archived.superuser, (connection) => connection.query<T>(statement));
  const set = async (setting: string) => {
    await asSuperuser(`alter system set ${setting}`);
    await asSuperuser('select pg_reload_conf()');
  };
  const check = async () => {
    const session = await openSession(archived.operators[0], { duty: 'sre', reason: 'tests of archiving' });
    try {
      await session.query(LOCK);
      const { id } = await session.one<{ id: string }>(
        `select id from ops.start_maintenance('wal-archiving', 'here')`,
      );
      const result = await walArchiving.run?.({ session, context, signal: new AbortController().signal });
      await session.query(`select ops.end_maintenance($1, $2, $3)`, [id, result?.outcome, result?.detail]);
      return result;
    } finally {
      await session.close();
    }
  };
  /** As if what was noted so far had been noted earlier. */
  const setBack = (interval: string) =>
    asSuperuser(`alter table ops.maintenance_runs disable trigger user;
      update ops.maintenance_runs set started_at = started_at - interval '${interval}', ended_at = ended_at - interval '${interval}';
      alter table ops.maintenance_runs enable trigger user`);
  const archive = async () => {
    await asSuperuser('select pg_switch_wal()');
    await expect
      .poll(
        () =>
          asSuperuser<{ done: boolean }>(
            `select last_archived_wal >= pg_walfile_name(pg_current_wal_lsn() - 16777216) as done from pg_stat_archiver`,
          ),
        { timeout: 20_000 },
      )
      .toEqual([{ done: true }]);
  };

  test('says what it can: the setting first, then exactly what is archived', async () => {
    expect(await check()).toMatchObject({
      outcome: 'finding',
      detail: expect.stringMatching(/^archive_timeout is off/),
    });
    await setBack('10 minutes');
    await set(`archive_timeout = '15min'`);
    await expect.poll(check, { timeout: 10_000 }).toMatchObject({ outcome: 'unknown' });

    // What was noted more than an hour ago is still in a segment that is not archived.
    await setBack('61 minutes');
    const behind = await check();
    expect(behind).toMatchObject({
      outcome: 'finding',
      detail: expect.stringMatching(/the RPO of 1 hour is not kept$/),
    });
    expect(Number(behind?.counts?.behind_bytes)).toBeGreaterThan(0);

    await archive();
    expect(await check()).toMatchObject({
      outcome: 'done',
      detail: expect.stringMatching(/^all of .* is archived$/),
    });
    // What was noted a minute ago is not archived, and need not be.
    await setBack('1 minute');
    expect(await check()).toMatchObject({ outcome: 'done' });

    await set(`archive_command = 'false'`);
    await asSuperuser('select pg_switch_wal()');
    await expect.poll(check, { timeout: 20_000, interval: 500 }).toMatchObject({
      outcome: 'finding',
      detail: expect.stringMatching(/^archiving fails at [0-9A-F]{24}$/),
    });
  });
});
