import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sealStatus } from '../../src/audit/index.js';
import { type Connection, connect, withConnection } from '../../src/platform/database/connection.js';
import { attack, cutTo, freshConsole, UNSEAL } from '../support/attacks.js';
import { type Random, seededRandom, testSeed } from '../support/model/random.js';
import { newHome, openSealedLog, type SealedLog } from '../support/sealed-log.js';
import { type SystemServer, startSystem } from '../support/servers.js';
import { type Undone, undone } from '../support/undone.js';

const seed = testSeed();

/** Transactions with savepoints and aborts, some long. */
async function write(connection: Connection, name: string, random: Random): Promise<void> {
  await connection.query('begin');
  await connection.query(
    `insert into public.families (name) select '${name} ' || n from generate_series(1, ${random.between(1, 12)}) n`,
  );
  if (random.chance(0.3)) {
    await connection.query('savepoint s');
    await connection.query(`update public.families set name = name || 'x' where name like '${name} %'`);
    await connection.query(random.chance(0.5) ? 'rollback to savepoint s' : 'release savepoint s');
  }
  if (random.chance(0.2)) await sleep(random.between(1, 60));
  if (random.chance(0.3)) await connection.query(`delete from public.families where name = '${name} 1'`);
  await connection.query(random.chance(0.2) ? 'rollback' : 'commit');
}

// 15 and 17 are those of the other tests of sealing.
describe.each([16, 18] as const)(`PostgreSQL %i, NESTCTL_TEST_SEED=${seed}`, (version) => {
  let server: SystemServer;
  let log: SealedLog;
  let undoing: Undone;

  beforeAll(async () => {
    server = await startSystem({ version, kind: 'plain' }, { max_prepared_transactions: 5 });
    const database = await server.migratedDatabase();
    log = await openSealedLog(database, database.operators[0], newHome());
    undoing = await undone(log);
  });
  afterAll(async () => {
    await undoing?.close();
    await log?.close();
    await server?.stop();
  });

  test('what eight writers leave is sealed while they write, and is intact all the time', async () => {
    let writing = true;
    const writers = Array.from({ length: 8 }, (_, number) =>
      withConnection(log.database.superuser, async (connection) => {
        const random = seededRandom(seed + number);
        for (let round = 0; round < 60; round += 1) await write(connection, `w${number}r${round}`, random);
      }),
    );
    const sealing = (async () => {
      while (writing) {
        await log.seal(200);
        expect((await log.verify()).faults).toEqual([]);
        await sleep(50);
      }
    })();
    await Promise.all(writers);
    writing = false;
    await sealing;
    await log.seal();
    const report = await log.verify();
    expect(report).toMatchObject({ verdict: 'intact', faults: [], doubts: [], unsealed: 0 });
    expect(report.size).toBe(report.events);
    expect(report.size).toBeGreaterThan(1_500);
  });

  test('a long transaction and a prepared one hold the rest back, are named, and are sealed when they end', async () => {
    const { size } = await log.seal();
    const open = await connect(log.database.superuser, { applicationName: 'long one' });
    await open.query(`begin; insert into public.families (name) values ('long')`);
    await log.write('quick');
    expect(await log.seal()).toMatchObject({ sealed: 0, size });
    expect((await sealStatus(log.sre)).held_by).toMatchObject({ kind: 'session', application: 'long one' });
    await open.query(`prepare transaction 'left behind'`);
    await open.close();
    await log.write('quick again');
    expect(await log.seal()).toMatchObject({ sealed: 0, size });
    expect((await sealStatus(log.sre)).held_by).toMatchObject({
      kind: 'prepared transaction',
      gid: 'left behind',
    });
    expect(await log.verify()).toMatchObject({ verdict: 'intact', faults: [], unsealed: 2 });
    await log.superuser.query(`commit prepared 'left behind'`);
    expect(await log.seal()).toMatchObject({ sealed: 3, size: size + 3 });
    expect(await log.verify()).toMatchObject({ verdict: 'intact', faults: [], unsealed: 0 });
  });

  const EVENT = `(select id from audit.events where new_row ->> 'name' = 'quick')`;
  const attacks: readonly (readonly [string, readonly string[], string])[] = [
    ['an edited event', [`update audit.events set reason = 'lawful' where id = ${EVENT}`], 'edited'],
    ['a deleted event', [`delete from audit.events where id = ${EVENT}`], 'deleted'],
    [
      'a backdated event',
      [
        `insert into audit.events select (jsonb_populate_record(e, '{"id": 9000000}')).* from audit.events e where e.id = ${EVENT}`,
      ],
      'inserted',
    ],
    ['a cut tail', cutTo(300, '(watermark)'), 'tail_cut'],
    ['an empty log', ['delete from audit.events', ...UNSEAL], 'tail_cut'],
    ['a damaged tree', ['delete from audit.tiles where level = 0 and number = 1'], 'tiles_damaged'],
    [
      'an event in the history of another family',
      [`update audit.family_chains set head = sha256('x') where number = 1`],
      'families_changed',
    ],
    [
      'an erasure of nobody’s',
      [
        `update audit.events e set family_id = null, subject_user = null, record_id = null, record_key = null, changed_columns = null, old_row = null, new_row = null,
          salts[2] = null, erased_hashes = array[null, audit.part_hash(e, 2), null] || array_fill(null::bytea, array[cardinality(salts) - 3]),
          erased_requests = array[null, 'DEL-1', null] || array_fill(null::text, array[cardinality(salts) - 3]) where id = ${EVENT}`,
      ],
      'unlawful_erasure',
    ],
    ['another cluster', ['update audit.epochs set timeline = 9'], 'unrecorded_recovery'],
    [
      'a trigger switched off',
      ['alter table public.families disable trigger audit_update'],
      'trigger_disabled',
    ],
    [
      'a trigger switched off for a while',
      [
        'alter table public.families disable trigger audit_update',
        'alter table public.families enable trigger audit_update',
      ],
      'trigger_touched',
    ],
    [
      'another body of a capture function',
      [
        `create or replace function audit.capture_public_families() returns trigger language plpgsql as 'begin return null; end'`,
      ],
      'function_changed',
    ],
    ['TRUNCATE granted', ['grant truncate on audit.events to service_role'], 'truncate_granted'],
  ];
  test.each(attacks)('tells %s', async (_, statements, kind) => {
    const { watermark } = await log.superuser.one<{ watermark: string }>(
      `select (array_agg(xid order by xid))[301]::text as watermark from audit.events`,
    );
    const { verdict, faults } = await undoing.tell(async (superuser) => {
      for (const statement of statements) await superuser.query(statement.replace('(watermark)', watermark));
    });
    expect(verdict).toBe('tampered');
    expect(faults.map((fault) => fault.kind)).toContain(kind);
    expect(await log.verify()).toMatchObject({ verdict: 'intact', faults: [] });
  });

  test('tells a log that was written anew with the key', async () => {
    await attack(
      log.superuser,
      'delete from audit.events where id = (select min(id) from audit.events)',
      ...UNSEAL,
    );
    const forger = await freshConsole(log);
    await forger.seal();
    expect((await forger.verify()).verdict).toBe('intact');
    expect(await log.faults()).toContainEqual(expect.stringMatching(/^rewritten_with_key leaves 0/));
    await forger.leave();
  });
});
