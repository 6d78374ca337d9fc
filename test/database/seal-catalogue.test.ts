import { describe, expect, onTestFinished, test } from 'vitest';
import { verifyLog } from '../../src/audit/index.js';
import { connect, withConnection } from '../../src/platform/database/connection.js';
import { openSession } from '../../src/platform/database/session.js';
import { attack, freshConsole, victim } from '../support/attacks.js';

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
      'a view that hides rows',
      'create or replace view audit.baselines as select b.table_name, b.family_id, b.record, b.salt, b.digest from audit.unlogged_rows b where false',
      ['catalogue_changed view audit.baselines'],
    ],
    [
      'a view made anew as it was',
      `do $$ begin execute 'create or replace view audit.baselines as ' || pg_get_viewdef('audit.baselines'); end $$`,
      ['catalogue_changed view audit.baselines'],
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
      'another body of a capture function, put back afterwards',
      `do $$ declare good text := pg_get_functiondef('audit.capture_public_families()'::regprocedure); begin
        create or replace function audit.capture_public_families() returns trigger language plpgsql security definer
          set search_path = pg_catalog, pg_temp set timezone = 'UTC' as 'begin return null; end';
        insert into public.families (name) values ('hidden');
        execute good; end $$`,
      ['function_changed function audit.capture_public_families()'],
    ],
    [
      'another number for the epoch of what is written',
      'create or replace function audit.current_epoch() returns integer language sql stable parallel safe return 7',
      ['function_changed function audit.current_epoch()'],
    ],
    [
      'UPDATE of one column granted',
      'grant update (reason) on audit.events to service_role',
      ['catalogue_changed grants audit.events'],
    ],
    [
      'another owner',
      'alter table audit.readings owner to service_role',
      ['catalogue_changed grants audit.readings'],
    ],
    ['the schema opened', 'grant create on schema audit to service_role', ['catalogue_changed schema audit']],
    [
      'a captured table that is not known as one any more',
      `delete from audit.captured_tables where table_name = 'public.families'::regclass`,
      ['catalogue_changed captured public.families'],
    ],
    [
      'a login whose sessions leave no events',
      'alter role service_role in database current set session_replication_role = replica',
      ['catalogue_changed setting current service_role', 'catalogue_changed setting current service_role'],
    ],
    [
      'an event trigger that opens what is made later',
      `create function public.opens() returns event_trigger language plpgsql as 'begin if current_setting($$nestsync.once$$, true) is null then
         perform set_config($$nestsync.once$$, $$1$$, false); grant truncate on audit.events_modification_default to service_role; end if; end';
       create event trigger opens on ddl_command_end when tag in ('CREATE TABLE') execute function public.opens();
       create table public.harmless (id integer); drop event trigger opens; drop function public.opens(); drop table public.harmless`,
      ['truncate_granted partitions audit.events', 'truncate_granted partitions audit.events'],
    ],
    [
      'row security switched off',
      'alter table audit.events no force row level security',
      ['catalogue_changed grants audit.events'],
    ],
  ];
  test.each(statements)('gives away %s', async (_, statement, expected) => {
    const log = await victim();
    await log.superuser.query(statement.replace('database current', `database ${log.database.name}`));
    const wanted = expected.map((one) => one.replace('setting current', `setting ${log.database.name}`));
    expect(await log.faults()).toEqual(wanted);
    // Sealing goes on, and does not make it good.
    await log.write('afterwards').catch(() => undefined);
    await log.seal();
    expect(new Set(await log.faults())).toEqual(new Set(wanted));
  });

  test.each([
    ['events', 'alter table audit.events owner to service_role'],
    ['tiles', 'alter table audit.tiles owner to service_role; revoke all on audit.tiles from nestsync_sre'],
  ])('gives away %s that nobody can read any more, and says that they were not compared', async (_, act) => {
    const log = await victim();
    await log.superuser.query(act);
    const { verdict, faults, doubts, events } = await log.verify();
    expect(verdict).toBe('tampered');
    expect(faults.map(({ kind }) => kind)).toContain('catalogue_changed');
    expect(doubts).toMatchObject([{ object: 'events' }]);
    expect(events).toBe(0);
    // Nor is it passed over that all was put back as it was, between two checkpoints.
    await log.seal().catch(() => undefined);
    expect((await log.verify()).verdict).toBe('tampered');
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

  test('may change by a migration whose clock was stepped back by hours', async () => {
    const log = await victim();
    await log.superuser.query(
      `alter table public.families disable trigger audit_update; alter table public.families enable trigger audit_update`,
    );
    await log.superuser.query(
      `insert into ops.migration_runs (migration, direction, up_sha256, console_version, duration_ms, snapshot_id, ran_at)
       select '9999_test', 'up', repeat('0', 64), 'test', 1, max(id), now() - interval '9 hours' from ops.catalogue_snapshots`,
    );
    expect(await log.verify()).toMatchObject({ verdict: 'intact', faults: [] });
    await log.seal();
    expect(await log.verify()).toMatchObject({ verdict: 'intact', faults: [] });
    // One that is struck out again excuses nothing.
    await attack(log.superuser, `delete from ops.migration_runs where migration = '9999_test'`);
    expect(await log.faults()).toEqual(['catalogue_changed migrations ops.migration_runs']);
  });

  test('gives away a server on which every session leaves no events', async () => {
    const log = await victim();
    const other = await connect(log.database.superuser);
    onTestFinished(async () => {
      await other.query('alter system reset session_replication_role');
      await other.query('select pg_reload_conf()');
      await other.close();
    });
    await other.query('alter system set session_replication_role = replica');
    await other.query('select pg_reload_conf()');
    await expect
      .poll(() => withConnection(log.database.superuser, (one) => one.query('show session_replication_role')))
      .toEqual([{ session_replication_role: 'replica' }]);
    const sre = await openSession(log.operator, { duty: 'sre', reason: 'tests of settings' });
    onTestFinished(() => sre.close());
    const { faults } = await verifyLog(sre, log.evidence);
    expect(new Set(faults.map(({ kind, object }) => `${kind} ${object}`))).toEqual(
      new Set(['catalogue_changed setting every session']),
    );
  });

  test('gives away a login that may act as the owner', async () => {
    const log = await victim();
    const login = await log.database.makeLogin();
    await log.superuser.query(`grant ${log.database.owner.user} to ${login.user}`);
    expect(await log.faults()).toEqual(['catalogue_changed members owner of audit.events']);
  });
});

describe('what is kept beside the log', () => {
  test.each([
    [
      'the first epoch, for another cluster',
      `update audit.epochs set timeline = 9`,
      ['catalogue_changed epoch 1', 'unrecorded_recovery epoch 1'],
    ],
    [
      'the first epoch, a little',
      `update audit.epochs set began_at = began_at - interval '1 hour'`,
      ['catalogue_changed epoch 1'],
    ],
    ['the name of the log', 'update audit.tree set log_id = gen_random_uuid()', ['rewritten log']],
    ['the watermark, ahead', `update audit.tree set watermark = '4000000000'`, ['tiles_damaged tree']],
    ['since when transactions run on', 'update audit.tree set first_epoch = 2', ['tiles_damaged tree']],
    ['how much is sealed', 'update audit.tree set size = size + 1', ['tiles_damaged tiles']],
    [
      'the category beside a leaf',
      `update audit.tiles set entries = set_byte(entries, 29, get_byte(entries, 29) # 1) where level = 0 and number = 0`,
      [expect.stringMatching(/^tiles_damaged \d+$/)],
    ],
    [
      'the family of a leaf that is of none, to one that there is not',
      `update audit.tiles set families = set_byte(families, 0, 1)
       where level = 0 and number = 0 and substr(families, 1, 4) = '\\x00000000'`,
      ['families_changed leaf 0'],
    ],
    [
      'what a checkpoint is kept under, beside its note',
      `alter table audit.checkpoints drop constraint checkpoints_note; update audit.checkpoints set size = size - 1 where id = (select min(id) from audit.checkpoints)`,
      ['rewritten checkpoint 1'],
    ],
    [
      'a salt of the rows from before the log',
      `update audit.unlogged_rows set salt = '\\x00' where record = (select min(record) from audit.unlogged_rows)`,
      ['catalogue_changed baseline audit.unlogged_rows'],
    ],
  ])('gives away an edit of %s', async (_, statement, expected) => {
    const log = await victim();
    await attack(log.superuser, statement);
    expect(await log.faults()).toEqual(expected);
  });

  test('gives away a catalogue that was edited or removed', async () => {
    const log = await victim();
    const newest = '(select catalogue from audit.checkpoints order by id desc limit 1)';
    const { fingerprint } = await log.superuser.one<{ fingerprint: string }>(
      `select ${newest} as fingerprint`,
    );
    const named = [`catalogue_changed ${fingerprint.slice(0, 16)}`];
    await attack(
      log.superuser,
      `update audit.catalogues set content = content || '{"x": ["y", null]}' where fingerprint = ${newest}`,
    );
    expect(await log.faults()).toEqual(named);
    await attack(log.superuser, `delete from audit.catalogues where fingerprint = ${newest}`);
    expect(await log.faults()).toEqual(named);
  });

  test('gives away a checkpoint that was removed to whoever saw it', async () => {
    const log = await victim();
    const first = await log.superuser.one<{ size: string; note: string }>(
      'select size, note from audit.checkpoints order by id limit 1',
    );
    await attack(
      log.superuser,
      'delete from audit.checkpoints where id = (select min(id) from audit.checkpoints)',
    );
    expect(await log.faults()).toEqual([
      expect.stringMatching(new RegExp(`^deleted checkpoint ${first.size} `)),
    ]);
    const fresh = await freshConsole(log);
    onTestFinished(() => fresh.leave());
    expect(await fresh.faults()).toEqual([]);
    expect(await fresh.faults({ carried: [first.note] })).toHaveLength(1);
  });
});
