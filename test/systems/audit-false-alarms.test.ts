import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { checkCoverage, sealLog, verifyLog } from '../../src/audit/index.js';
import { type Connection, connect, withConnection } from '../../src/platform/database/connection.js';
import { openSession } from '../../src/platform/database/session.js';
import {
  createTestDatabase,
  makeTemplate,
  movedTo,
  type TestDatabase,
  targetOn,
} from '../support/database.js';
import { kindsOf, recordEpoch } from '../support/recoveries.js';
import { newHome, openSealedLog, type SealedLog } from '../support/sealed-log.js';
import { type OwnServer, startTestServer } from '../support/server.js';
import { startSystem } from '../support/servers.js';
import { startStandby } from '../support/standby.js';

const EVENTS = Number(process.env.EVENTS ?? 200_000);
const WRITERS = 20;
const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000);

/** Numbers that come again with the same seed. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

async function ownServer(prepared = 0): Promise<OwnServer> {
  const server = await startTestServer({ settings: { max_prepared_transactions: prepared } });
  onTestFinished(() => server.stop());
  await makeTemplate(server);
  return server;
}

/** A log whose sealer and approver have held the duty for days. */
async function logOn(server: OwnServer): Promise<SealedLog> {
  const database = await createTestDatabase({ server });
  await withConnection(database.superuser, async (connection) => {
    await connection.query('set session_replication_role = replica');
    await connection.query(`update ops.operators set registered_at = now() - interval '3 days'`);
    await connection.query(`update ops.operator_duties set granted_at = now() - interval '3 days'`);
  });
  const log = await openSealedLog(database, database.operators[0], newHome());
  onTestFinished(() => log.leave());
  return log;
}

describe('many writers at once', () => {
  test(`${EVENTS} events of ${WRITERS} writers with aborts, savepoints, long and prepared transactions (seed ${SEED})`, async () => {
    const server = await ownServer(20);
    const log = await logOn(server);
    const { superuser } = log.database;
    let writing = true;
    let left = EVENTS;
    const writer = async (number: number) => {
      const next = random(SEED + number);
      const connection = await connect(superuser);
      try {
        for (let round = 0; left > 0; round += 1) {
          const size = 1 + Math.floor(next() ** 3 * 200);
          left -= size;
          await transaction(connection, `w${number}r${round}`, { size, next, last: left < EVENTS / 10 });
        }
      } finally {
        await connection.close();
      }
    };
    const sealer = async () => {
      let most = 0;
      while (writing) {
        const { sealed } = await sealLog(log.sre, log.evidence, { batch: 5_000 });
        most = Math.max(most, sealed);
        // While they write, the log verifies.
        if (most > 0 && sealed % 7 === 0) expect((await log.verify()).faults).toEqual([]);
        await sleep(200);
      }
    };
    const sealing = sealer();
    await Promise.all(Array.from({ length: WRITERS }, (_, number) => writer(number)));
    writing = false;
    await sealing;

    // What prepared transactions hold back is named, and is sealed once they end.
    const { held } = await log.sre.one<{ held: string }>('select held_by as held from audit.seal_status()');
    expect(held).toBe('prepared transaction');
    expect(await log.verify()).toMatchObject({ verdict: 'intact', faults: [] });
    const prepared = await log.superuser.query<{ gid: string }>('select gid from pg_prepared_xacts');
    for (const [at, { gid }] of prepared.entries())
      await log.superuser.query(`${at % 2 === 0 ? 'commit' : 'rollback'} prepared '${gid}'`);
    await log.seal();
    const report = await log.verify();
    expect(report).toMatchObject({ verdict: 'intact', faults: [], unsealed: 0 });
    expect(report.size).toBe(report.events);
    expect(report.events).toBeGreaterThan(EVENTS / 2);
    const auditor = await openSession(log.database.operators[0], {
      duty: 'auditor',
      reason: 'tests of coverage',
    });
    onTestFinished(() => auditor.close());
    expect((await checkCoverage(auditor, { only: ['public.families'] })).uncovered).toEqual([]);
  }, 900_000);
});

let gid = 0;

/** Prepared ones are left behind near the end: whatever comes after them cannot be sealed. */
async function transaction(
  connection: Connection,
  name: string,
  { size, next, last }: { readonly size: number; readonly next: () => number; readonly last: boolean },
): Promise<void> {
  const kind = next();
  await connection.query('begin');
  await connection.query(
    `insert into public.families (name) select '${name}' || n from generate_series(1, ${size}) n`,
  );
  if (kind < 0.15) {
    await connection.query('savepoint s');
    await connection.query(`update public.families set name = name || 'x' where name like '${name}%'`);
    await connection.query(kind < 0.1 ? 'rollback to savepoint s' : 'release savepoint s');
  }
  if (kind > 0.15 && kind < 0.2) await sleep(next() * 300);
  if (kind > 0.2 && kind < 0.3) {
    await connection.query(`delete from public.families where name = '${name}1'`);
  }
  if (kind > 0.95 && last && gid < 6) {
    gid += 1;
    await connection.query(`prepare transaction 'left-${gid}'`);
  } else await connection.query(kind > 0.85 ? 'rollback' : 'commit');
}

describe('another life of the cluster', () => {
  test('a failover is tampering until it is recorded, and what it gave up is named', async () => {
    const server = await ownServer();
    const log = await logOn(server);
    await log.write('Roy', 'Tremblay');
    await log.seal();
    const standby = await startStandby(server);
    onTestFinished(() => standby.stop());
    await standby.catchUp();
    const there = { ...log.database.superuser, port: standby.port };
    const database = movedTo(log.database, standby.port);
    // A replica verifies like its primary.
    const onReplica = await openSession(
      { ...log.operator, port: standby.port },
      { duty: 'sre', reason: 'tests of replicas' },
    );
    expect(await verifyLog(onReplica, log.evidence)).toMatchObject({ verdict: 'intact', faults: [] });
    await onReplica.close();

    // Sealed on the primary, and never seen by the standby.
    await withConnection(there, async (connection) => {
      await connection.query(`alter system set primary_conninfo = ''`);
      await connection.query('select pg_reload_conf()');
      await sleep(1_000);
    });
    await log.write('lost', 'lost too');
    const { size } = await log.seal();
    await withConnection(there, (connection) => connection.query('select pg_promote()'));
    const sre = await openSession(
      { ...log.operator, port: standby.port },
      { duty: 'sre', reason: 'tests of failover' },
    );
    onTestFinished(() => sre.close());

    expect(kindsOf(await verifyLog(sre, log.evidence))).toEqual(['unrecorded_recovery', 'rolled_back']);
    await expect(sealLog(sre, log.evidence)).rejects.toMatchObject({ code: 'conflict' });
    await withConnection(there, (connection) =>
      connection.query(`insert into public.families (name) values ('after')`),
    );
    const begun = await recordEpoch(log, database);
    expect(begun).toMatchObject({ epoch: 2, adopted: 0 });
    await withConnection(there, (connection) =>
      connection.query(`insert into public.families (name) values ('later')`),
    );
    await sealLog(sre, log.evidence);
    const report = await verifyLog(sre, log.evidence);
    expect(report).toMatchObject({ verdict: 'rewound', faults: [], unsealed: 0 });
    expect(report.rewound).toEqual([{ epoch: 2, from: size - 2, to: size, evidence: 'incident OPS-14' }]);
    // The old primary, still alive, goes on with a history that was given up.
    await log.write('split brain');
    await log.seal().catch(() => undefined);
    // It counts its transactions from before the heads that the console has seen of the other.
    expect(kindsOf(await log.verify())).toEqual(['rolled_back']);
    // A record that nobody approved is none.
    await withConnection(there, (connection) =>
      connection.query(
        `insert into audit.epochs (epoch, system_identifier, timeline, tree_size, seen_size) select 3, system_identifier, timeline, 0, 0 from audit.epochs where epoch = 2`,
      ),
    );
    expect(kindsOf(await verifyLog(sre, log.evidence))).toContain('unproven_epoch');
  }, 300_000);

  test('a dump into a new cluster goes on where it was, with what was written before the record', async () => {
    const old = await startSystem({ version: 15, kind: 'plain' });
    onTestFinished(() => old.stop());
    const fresh = await startSystem({ version: 15, kind: 'plain' });
    onTestFinished(() => fresh.stop());
    await makeTemplate(old);
    await makeTemplate(fresh);
    const log = await logOn(old);
    await log.superuser.query(
      `insert into public.families (name) select 'F' || n from generate_series(1, 700) n`,
    );
    await log.seal();
    await log.write('not sealed in time');

    const name = log.database.name;
    await withConnection(targetOn(fresh, fresh.superuser, 'postgres'), (connection) =>
      connection.query(`create database ${name} template template0 owner nestsync_owner`),
    );
    const url = (server: OwnServer, port: number) =>
      `postgres://${server.superuser}:${server.passwords[server.superuser]}@127.0.0.1:${port}/${name}`;
    await promisify(execFile)('sh', [
      '-c',
      `/usr/lib/postgresql/15/bin/pg_dump -Fc '${url(old, old.port)}' | /usr/lib/postgresql/15/bin/pg_restore --exit-on-error -d '${url(fresh, fresh.port)}'`,
    ]);
    const as = (login: string) => targetOn(fresh, login, name);
    const database: TestDatabase = {
      ...log.database,
      server: fresh,
      superuser: as(fresh.superuser),
      owner: as(log.database.owner.user),
      operators: [as(log.database.operators[0].user), as(log.database.operators[1].user)],
    };
    const sre = await openSession(database.operators[0], { duty: 'sre', reason: 'tests of a move' });
    onTestFinished(() => sre.close());
    const found = kindsOf(await verifyLog(sre, log.evidence));
    expect(found).toContain('unrecorded_recovery');
    await expect(sealLog(sre, log.evidence)).rejects.toMatchObject({ code: 'conflict' });
    await withConnection(database.superuser, (connection) =>
      connection.query(`insert into public.families (name) values ('too early')`),
    );
    expect(await recordEpoch(log, database)).toMatchObject({ epoch: 2, adopted: expect.any(Number) });
    await withConnection(database.superuser, (connection) =>
      connection.query(`insert into public.families (name) select 'new' || n from generate_series(1, 300) n`),
    );
    await sealLog(sre, log.evidence);
    expect(await verifyLog(sre, log.evidence)).toMatchObject({ verdict: 'intact', faults: [], unsealed: 0 });
    // A row smuggled in afterwards, under the old epoch, is one.
    await withConnection(database.superuser, async (connection) => {
      await connection.query('set session_replication_role = replica');
      await connection.query(
        'create temporary table forged as select * from audit.events where epoch = 1 limit 1',
      );
      await connection.query('update forged set id = 9000000');
      await connection.query('insert into audit.events select * from forged');
    });
    expect(kindsOf(await verifyLog(sre, log.evidence))).toContain('inserted');
  }, 300_000);
});
