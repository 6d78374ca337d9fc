import { describe, expect, onTestFinished, test } from 'vitest';
import { sealLog, verifyLog } from '../../src/audit/index.js';
import { connect } from '../../src/platform/database/connection.js';
import { openSession } from '../../src/platform/database/session.js';
import { attack, cutTo, freshConsole, UNSEAL } from '../support/attacks.js';
import { createTestDatabase } from '../support/database.js';
import { type SealedLog, sealedLog } from '../support/sealed-log.js';

interface Victim extends SealedLog {
  /** An event in the middle of what is sealed: the number of a family's. */
  readonly event: string;
}

/** A log with a few hundred events, sealed twice, that verifies. */
async function victim(): Promise<Victim> {
  const log = await sealedLog();
  onTestFinished(() => log.close());
  await log.superuser.query(
    `insert into public.families (name) select 'F' || n from generate_series(1, 300) n`,
  );
  await log.seal();
  await log.write('Roy', 'Tremblay', 'Gagnon');
  await log.seal();
  expect((await log.verify()).verdict).toBe('intact');
  const { id } = await log.superuser.one<{ id: string }>(
    `select id::text from audit.events where new_row ->> 'name' = 'Tremblay'`,
  );
  return { ...log, event: id };
}

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
    expect(await log.faults()).toEqual([`rewritten leaves ${size - 3} to ${size - 1}`]);
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
    expect(fault).toMatch(/^(rewritten_with_key|tail_cut) leaves/);
    await forger.write('so many', 'that it is', 'longer than', 'before');
    await forger.seal();
    expect((await log.faults()).filter((one) => one.startsWith('rewritten_with_key'))).toHaveLength(1);
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

describe('what the log rests on', () => {
  const statements: readonly (readonly [string, string, readonly string[]])[] = [
    [
      'a trigger switched off',
      'alter table public.families disable trigger audit_update',
      [
        'trigger_disabled trigger public.families audit_update',
        'trigger_disabled trigger public.families audit_update',
      ],
    ],
    [
      'a trigger switched off for a while',
      `alter table public.families disable trigger audit_update; update public.families set name = 'hidden' where name = 'Roy';
       alter table public.families enable trigger audit_update`,
      ['trigger_touched trigger public.families audit_update'],
    ],
    [
      'another body of a capture function',
      `create or replace function audit.capture_public_families() returns trigger language plpgsql security definer
        set search_path = pg_catalog, pg_temp set timezone = 'UTC' as 'begin return null; end'`,
      ['function_changed function audit.capture_public_families()'],
    ],
    [
      'TRUNCATE granted',
      'grant truncate on audit.events to service_role',
      ['truncate_granted grants audit.events', 'truncate_granted grants audit.events'],
    ],
    [
      'TRUNCATE of a partition granted',
      `do $$ begin execute format('grant truncate on audit.%I to service_role', 'events_modification_default'); end $$`,
      ['truncate_granted partitions audit.events', 'truncate_granted partitions audit.events'],
    ],
    [
      'a rule that swallows events',
      'create rule swallow as on insert to audit.events do instead nothing',
      ['catalogue_changed rule audit.events swallow'],
    ],
    [
      'the trigger that keeps events dropped',
      'drop trigger events_append_only on audit.events',
      [
        'catalogue_changed partitions audit.events',
        'trigger_disabled trigger audit.events events_append_only',
      ],
    ],
    [
      'row security switched off',
      'alter table audit.events no force row level security',
      ['catalogue_changed grants audit.events'],
    ],
  ];
  test.each(statements)('gives away %s', async (_, statement, expected) => {
    const log = await victim();
    await log.superuser.query(statement);
    expect(await log.faults()).toEqual(expected);
    // Sealing goes on, and does not make it good.
    await log.write('afterwards').catch(() => undefined);
    await log.seal();
    expect(new Set(await log.faults())).toEqual(new Set(expected));
  });

  test('may change by a migration', async () => {
    const log = await victim();
    await log.superuser.query(
      `alter table public.families disable trigger audit_update; alter table public.families enable trigger audit_update`,
    );
    await log.superuser.query(
      `insert into ops.migration_runs (migration, direction, up_sha256, console_version, duration_ms, snapshot_id)
       select '9999_test', 'up', repeat('0', 64), 'test', 1, max(id) from ops.catalogue_snapshots`,
    );
    expect(await log.verify()).toMatchObject({ verdict: 'intact', faults: [] });
    await log.seal();
    expect(await log.verify()).toMatchObject({ verdict: 'intact', faults: [] });
  });
});
