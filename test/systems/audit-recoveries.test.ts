import { describe, expect, onTestFinished, test } from 'vitest';
import { sealLog, verifyLog } from '../../src/audit/index.js';
import { withConnection } from '../../src/platform/database/connection.js';
import { openSession } from '../../src/platform/database/session.js';
import { attack, freshConsole } from '../support/attacks.js';
import { type Cluster, clusterOf } from '../support/cluster-copies.js';
import { createTestDatabase, makeTemplate, movedTo } from '../support/database.js';
import { kindsOf, recordEpoch } from '../support/recoveries.js';
import { newHome, openSealedLog, type SealedLog } from '../support/sealed-log.js';
import { type OwnServer, startTestServer } from '../support/server.js';
import { startSystem } from '../support/servers.js';

/** A console that has sealed and seen what there is, on a server of its own. */
interface Watched {
  readonly cluster: Cluster;
  /** The console, connected anew: its server was restarted. */
  open(): Promise<SealedLog>;
}

async function watched(server: OwnServer, folder?: string): Promise<Watched> {
  onTestFinished(() => server.stop());
  await makeTemplate(server);
  const database = await createTestDatabase({ server });
  await withConnection(database.superuser, async (connection) => {
    await connection.query('set session_replication_role = replica');
    await connection.query(`update ops.operators set registered_at = now() - interval '3 days'`);
    await connection.query(`update ops.operator_duties set granted_at = now() - interval '3 days'`);
    await connection.query('reset session_replication_role');
    await connection.query(
      `insert into public.families (name) select 'F' || n from generate_series(1, 300) n`,
    );
  });
  const home = newHome();
  const open = async () => {
    const log = await openSealedLog(database, database.operators[0], home);
    onTestFinished(() => log.leave());
    return log;
  };
  const log = await open();
  await log.seal();
  expect(await log.verify()).toMatchObject({ verdict: 'intact', faults: [] });
  return { cluster: await clusterOf(server, folder), open };
}

const ownServer = () => startTestServer({ settings: { wal_keep_size: '1GB' } });

describe('an old data folder that is put back', () => {
  test('is a rollback, whatever is written next, until it is recorded', async () => {
    const { cluster, open } = await watched(await ownServer());
    const old = await cluster.setAside('old');
    const log = await open();
    const { size } = await log.verify();
    await log.write('lost', 'lost too');
    await log.seal();
    await cluster.putBack(old);

    const after = await open();
    expect(await after.faults()).toEqual([`rolled_back leaves ${size} to ${size + 1}`]);
    await expect(after.seal()).rejects.toMatchObject({ code: 'log_cut' });
    await after.write('before anybody knew');
    expect(kindsOf(await after.verify())).toEqual(['rolled_back']);

    expect(await recordEpoch(after, after.database)).toMatchObject({ epoch: 2, adopted: 0 });
    const rewound = [{ epoch: 2, from: size, to: size + 2, evidence: 'incident OPS-14' }];
    expect(await after.verify()).toMatchObject({ verdict: 'rewound', faults: [], rewound });
    await after.write('later');
    await after.seal();
    expect(await after.verify()).toMatchObject({ verdict: 'rewound', faults: [], rewound, unsealed: 0 });
    // The same state without its record, and with one that says less than was signed.
    await attack(after.superuser, 'update audit.epochs set seen_size = tree_size where epoch = 2');
    expect(kindsOf(await after.verify())).toEqual(['unproven_epoch', 'catalogue_changed']);
    await attack(after.superuser, 'delete from audit.epochs where epoch = 2');
    expect(kindsOf(await after.verify())).toContain('catalogue_changed');
    expect((await after.verify()).verdict).toBe('tampered');
  }, 300_000);

  test('is a fork as soon as somebody signs what follows, and so is a copy that goes on beside', async () => {
    const { cluster, open } = await watched(await ownServer());
    const old = await cluster.setAside('old');
    const log = await open();
    await log.write('here', 'and here', 'and here again');
    const { checkpoint } = await log.seal();

    const beside = await cluster.startBeside(old);
    onTestFinished(() => beside.stop());
    const database = movedTo(log.database, beside.port);
    const other = await freshConsole({ ...log, database, operator: database.operators[0] });
    onTestFinished(() => other.leave());
    await other.write('there');
    await other.seal();
    // Neither knows of the other: what one has seen, or a store, tells.
    expect(await other.verify()).toMatchObject({ verdict: 'intact', faults: [] });
    expect(kindsOf(await other.verify({ carried: [checkpoint.note] }))).toEqual(['forked']);
    expect(kindsOf(await verifyLog(other.sre, log.evidence))).toEqual(['forked']);
    await other.write('there', 'there', 'there');
    await other.seal();
    expect(kindsOf(await verifyLog(other.sre, log.evidence))).toEqual(['forked']);
    await expect(sealLog(other.sre, log.evidence)).rejects.toMatchObject({ code: 'log_rewritten' });
    expect(await log.verify()).toMatchObject({ verdict: 'intact', faults: [] });
  }, 300_000);
});

describe('a recovery to a point in time', () => {
  test.each([
    ['behind all that was sealed', false],
    ['before the end of what was sealed', true],
  ])(
    '%s is tampering until it is recorded',
    async (_, loses) => {
      const { cluster, open } = await watched(await ownServer());
      const base = await cluster.setAside('base');
      const log = await open();
      await log.write('kept', 'kept too');
      const { size } = await log.seal();
      await log.superuser.query(`select pg_create_restore_point('before')`);
      await log.write('not recovered');
      if (loses) await log.seal();
      await cluster.recoverTo(base, 'before');

      const after = await open();
      const { timeline } = await after.superuser.one<{ timeline: number }>(
        'select (audit.cluster()).timeline',
      );
      expect(timeline).toBe(2);
      expect(kindsOf(await after.verify())).toEqual([
        'unrecorded_recovery',
        ...(loses ? ['rolled_back'] : []),
      ]);
      await expect(after.seal()).rejects.toMatchObject({ code: 'conflict' });
      expect(await recordEpoch(after, after.database)).toMatchObject({ epoch: 2, adopted: 0 });
      await after.write('later');
      await after.seal();
      expect(await after.verify()).toMatchObject({
        verdict: loses ? 'rewound' : 'intact',
        faults: [],
        unsealed: 0,
        rewound: loses ? [{ epoch: 2, from: size, to: size + 1 }] : [],
      });
      // A second recovery, of the same backup to the same point, has the same number for its timeline and no record.
      await cluster.recoverTo(base, 'before');
      const again = await open();
      expect(kindsOf(await again.verify())).toContain('unrecorded_recovery');
    },
    300_000,
  );
});

describe('another identifier of the system', () => {
  test('is tampering until it is recorded, and its record leaves nothing behind', async () => {
    const server = await startSystem({ version: 15, kind: 'plain' });
    const { cluster, open } = await watched(server, server.programs);
    const log = await open();
    await log.write('not sealed in time');
    await cluster.changeIdentifier();

    const after = await open();
    expect(kindsOf(await after.verify())).toEqual(['unrecorded_recovery']);
    await expect(after.seal()).rejects.toMatchObject({ code: 'conflict' });
    // Written into the log by hand it is an edit.
    await after.superuser.query('begin');
    await attack(
      after.superuser,
      'update audit.epochs set system_identifier = (select system_identifier::text from pg_control_system())',
    );
    await after.superuser.query('commit');
    expect(await after.faults()).toEqual(['catalogue_changed epoch 1']);
    await attack(
      after.superuser,
      'update audit.epochs set system_identifier = (system_identifier::numeric - 1)::text',
    );

    await after.write('too early');
    expect(await recordEpoch(after, after.database)).toMatchObject({ epoch: 2, adopted: expect.any(Number) });
    await after.write('later');
    await after.seal();
    expect(await after.verify()).toMatchObject({ verdict: 'intact', faults: [], unsealed: 0 });
    // What runs on since the move is bound to it.
    await attack(after.superuser, 'update audit.tree set first_epoch = 1');
    expect(await after.faults()).toContain('tiles_damaged tree');
  }, 300_000);

  test('with an old data folder behind it is a rollback too', async () => {
    const server = await startSystem({ version: 15, kind: 'plain' });
    const { cluster, open } = await watched(server, server.programs);
    const old = await cluster.setAside('old');
    const log = await open();
    await log.write('lost');
    await log.seal();
    await cluster.putBack(old);
    await cluster.changeIdentifier();
    const after = await open();
    expect(kindsOf(await after.verify())).toEqual(['unrecorded_recovery', 'rolled_back']);
    await recordEpoch(after, after.database);
    await after.write('later');
    await after.seal();
    expect(await after.verify()).toMatchObject({ verdict: 'rewound', faults: [], unsealed: 0 });
    // Whoever signs for a database does so for that one alone.
    const sre = await openSession(after.operator, { duty: 'sre', reason: 'tests of sealing' });
    onTestFinished(() => sre.close());
    expect(await sealLog(sre, after.evidence)).toMatchObject({ sealed: expect.any(Number) });
  }, 300_000);
});
