import { describe, expect, onTestFinished, test } from 'vitest';
import { checkCoverage, sealLog, verifyLog } from '../../src/audit/index.js';
import { connect } from '../../src/platform/database/connection.js';
import { openSession } from '../../src/platform/database/session.js';
import { attack, cutTo, freshConsole, UNSEAL, victim } from '../support/attacks.js';
import { createTestDatabase } from '../support/database.js';
import { type SealedLog, sealedLog } from '../support/sealed-log.js';

describe('an event', () => {
  test('that was edited is named', async () => {
    const log = await victim();
    await attack(log.superuser, `update audit.events set reason = 'lawful' where id = ${log.event}`);
    expect(await log.faults()).toEqual([`edited ${log.event}`]);
  });

  test.each([
    ['who did it', `session_login = 'somebody.else'`],
    ['when', `occurred_at = occurred_at + interval '1 microsecond'`],
    ['whose it is', 'family_id = gen_random_uuid()'],
    ['what it says', `new_row = replace(new_row::text, 'Tremblay', 'Trembley')::json`],
    ['its salt', `salts = array[salts[1], sha256('x'), salts[3]]`],
    ['whose name stands in it', `named_new = array['somebody']`],
    ['its leaf', `leaf = sha256('x')`],
    ['what was empty', `app_user = gen_random_uuid()`],
    ['what lies beside it', `named_new = named_new || 'smuggled'::text`],
  ])('in which %s was edited is named', async (_, change) => {
    const log = await victim();
    await attack(log.superuser, `update audit.events set ${change} where id = ${log.event}`);
    expect(new Set((await log.verify()).faults.map(({ event }) => event))).toEqual(new Set([log.event]));
  });

  test('that was edited together with its leaf is named', async () => {
    const log = await victim();
    await attack(
      log.superuser,
      `update audit.events set reason = 'lawful' where id = ${log.event}`,
      `update audit.events e set leaf = audit.leaf_of(e) where id = ${log.event}`,
    );
    expect(await log.faults()).toEqual([`edited ${log.event}`]);
  });

  test('that was edited together with its leaf and the tree gives away the range', async () => {
    const log = await victim();
    const { size } = await log.verify();
    await attack(
      log.superuser,
      `update audit.events set new_row = replace(new_row::text, 'Tremblay', 'Trembley')::json where id = ${log.event}`,
      `with old as (select leaf from audit.events where id = ${log.event}),
        new as (update audit.events e set leaf = audit.leaf_of(e) where id = ${log.event} returning leaf)
       update audit.tiles t set hashes = overlay(t.hashes placing new.leaf from position(old.leaf in t.hashes))
       from old, new where t.level = 0 and position(old.leaf in t.hashes) > 0`,
    );
    expect(await log.faults()).toEqual([
      expect.stringMatching(/^families_changed family [0-9a-f]{64}$/),
      `rewritten leaves ${size - 3} to ${size - 1}`,
    ]);
  });

  test('that was deleted is named, and so are two that lie far apart', async () => {
    const log = await victim();
    const first = await log.superuser.one<{ id: string }>('select min(id)::text as id from audit.events');
    await attack(log.superuser, `delete from audit.events where id in (${first.id}, ${log.event})`);
    expect(await log.faults()).toEqual([`deleted ${first.id}`, `deleted ${log.event}`].sort());
  });

  test('that was inserted backdated, with a leaf of its own, is named', async () => {
    const log = await victim();
    await attack(
      log.superuser,
      `create temporary table forged as select * from audit.events where id = ${log.event}`,
      'update forged set id = 9000000, leaf = audit.leaf_of(row(9000000, xid, occurred_at, epoch, category, operation, table_name, session_login, duty, request_id, app_user, family_id, subject_user, record_id, record_key, changed_columns, old_row, new_row, named_columns, named_old, named_new, reason, ticket, salts, leaf, erased_hashes, erased_requests)::audit.events)',
      'insert into audit.events select * from forged',
    );
    expect(await log.faults()).toEqual(['inserted 9000000']);
    // The sealer does not take it in.
    expect((await log.seal()).sealed).toBe(0);
  });

  test('of a transaction that has not happened yet is named', async () => {
    const log = await victim();
    await attack(
      log.superuser,
      `create temporary table forged as select * from audit.events where id = ${log.event}`,
      `update forged set id = 9000000, xid = '4000000000'`,
      'insert into audit.events select * from forged',
    );
    expect(await log.faults()).toContain('inserted 9000000');
  });

  test('that was edited before it was sealed is named', async () => {
    const log = await victim();
    await log.write('Late');
    await attack(log.superuser, `update audit.events set ticket = 'X-1' where new_row ->> 'name' = 'Late'`);
    const [fault] = await log.faults();
    expect(fault).toMatch(/^edited \d+$/);
    await log.seal();
    expect(await log.faults()).toEqual([fault]);
  });
});

describe('the whole log', () => {
  test('whose tail was cut off, seal and all, is known to the console that saw it', async () => {
    const log = await victim();
    const before = await log.verify();
    const { watermark } = await log.superuser.one<{ watermark: string }>(
      'select watermark::text from audit.tree',
    );
    await log.write('to be hidden');
    await log.seal();
    await attack(log.superuser, ...cutTo(before.size, watermark));
    expect(await log.faults()).toEqual([`tail_cut leaves ${before.size} to ${before.size}`]);
    await expect(log.seal()).rejects.toMatchObject({ code: 'log_cut' });
    // One who never saw more has nothing to go by.
    const fresh = await freshConsole(log);
    onTestFinished(() => fresh.leave());
    expect((await fresh.verify()).verdict).toBe('intact');
  });

  test('of which any checkpoint was deleted, the newest too, is known to the console that saw it', async () => {
    const log = await victim();
    await log.write('one more');
    const { checkpoint } = await log.seal();
    for (const place of ['id = (select max(id) from audit.checkpoints)', 'true']) {
      await attack(log.superuser, `delete from audit.checkpoints where ${place}`);
      expect(await log.faults()).toContain(`deleted checkpoint ${checkpoint.size} of ${checkpoint.madeAt}`);
    }
  });

  test('that was written anew without the key is known for it', async () => {
    const log = await victim();
    await attack(
      log.superuser,
      `delete from audit.events where id = (select min(id) from audit.events)`,
      ...UNSEAL,
    );
    await log.write('so many', 'that it is', 'longer than', 'before');
    const stranger = await sealedLog({ server: log.database.server });
    onTestFinished(() => stranger.close());
    const sre = await openSession(log.operator, { duty: 'sre', reason: 'forging the log' });
    await sealLog(sre, stranger.evidence);
    await sre.close();
    const faults = await log.faults();
    expect(faults.map((one) => one.replace(/\d+$/, 'N'))).toEqual([
      'rewritten leaves 0 to N',
      'unknown_key checkpoint N',
    ]);
    await expect(log.seal()).rejects.toMatchObject({ code: expect.stringMatching(/^log_(cut|rewritten)$/) });
  });

  test('that was written anew with the key is known to who saw the other', async () => {
    const log = await victim();
    await attack(
      log.superuser,
      `delete from audit.events where id = (select min(id) from audit.events)`,
      ...UNSEAL,
    );
    const forger = await freshConsole(log);
    onTestFinished(() => forger.leave());
    await forger.seal();
    expect((await forger.verify()).verdict).toBe('intact');
    const [fault] = await log.faults();
    expect(fault).toMatch(/^rewritten_with_key leaves/);
    await forger.write('so many', 'that it is', 'longer than', 'before');
    await forger.seal();
    expect((await log.faults()).filter((one) => one.startsWith('rewritten_with_key'))).toHaveLength(1);
  });

  test('that was written anew with the key, by the only console there is, is known to the store', async () => {
    const log = await victim();
    const { checkpoint } = await log.seal();
    await attack(
      log.superuser,
      `delete from audit.events where id = (select min(id) from audit.events)`,
      ...UNSEAL,
    );
    const forger = await freshConsole(log);
    onTestFinished(() => forger.leave());
    await forger.write('so many', 'that it is', 'longer than', 'before');
    await forger.seal();
    expect(await forger.faults()).toEqual([]);
    expect(await forger.faults({ carried: [checkpoint.note] })).toEqual([
      `rewritten_with_key leaves 0 to ${checkpoint.size - 1}`,
    ]);
  });

  test('that was emptied is named, and so are the rows that it told of', async () => {
    const log = await victim();
    const { size } = await log.verify();
    await attack(log.superuser, 'truncate audit.events');
    const { faults, more_faults } = await log.verify();
    expect(new Set(faults.map(({ kind }) => kind))).toEqual(new Set(['deleted']));
    expect(faults.length + more_faults).toBeGreaterThanOrEqual(Math.min(size, 100));
    const auditor = await openSession(await log.database.makeOperator('auditor'), {
      duty: 'auditor',
      reason: 'tests of an emptied log',
    });
    onTestFinished(() => auditor.close());
    expect((await checkCoverage(auditor, { only: ['public.families'] })).faults).toBe(303);
  });

  test('of which a partition was taken away, altered and put back is named by its event', async () => {
    const log = await victim();
    const { part, parent, bound } = await log.superuser.one<{ part: string; parent: string; bound: string }>(`
      select e.tableoid::regclass::text as part, i.inhparent::regclass::text as parent, pg_get_expr(c.relpartbound, c.oid) as bound
      from audit.events e join pg_inherits i on i.inhrelid = e.tableoid join pg_class c on c.oid = e.tableoid where e.id = ${log.event}`);
    await log.superuser.query(`alter table ${parent} detach partition ${part}`);
    expect((await log.verify()).faults.map(({ kind }) => kind)).toContain('deleted');
    await attack(log.superuser, `update ${part} set session_login = 'somebody.else' where id = ${log.event}`);
    await log.superuser.query(`alter table ${parent} attach partition ${part} ${bound}`);
    expect(await log.faults()).toEqual([`edited ${log.event}`]);
  });

  test('that goes on in two copies is known as forked', async () => {
    const log = await victim();
    const copy = await createTestDatabase({ server: log.database.server, template: await released(log) });
    onTestFinished(() => copy.drop());
    const reopened = await connect(log.database.superuser);
    onTestFinished(() => reopened.close());
    await reopened.query(`insert into public.families (name) values ('here')`);
    const sre = await openSession(log.operator, { duty: 'sre', reason: 'tests of forked logs' });
    onTestFinished(() => sre.close());
    await sealLog(sre, log.evidence);

    const there = await connect(copy.superuser);
    onTestFinished(() => there.close());
    await there.query(`insert into public.families (name) values ('there')`);
    const elsewhere = await freshConsole({
      ...log,
      database: copy,
      operator: { ...log.operator, database: copy.name },
    });
    onTestFinished(() => elsewhere.leave());
    await elsewhere.seal();
    const { faults } = await verifyLog(elsewhere.sre, log.evidence);
    expect(faults.map(({ kind }) => kind)).toEqual(['forked']);
  });
});

/** Nobody may be connected to what is copied. */
async function released(log: SealedLog): Promise<string> {
  await log.sre.close();
  await log.superuser.close();
  return log.database.name;
}
