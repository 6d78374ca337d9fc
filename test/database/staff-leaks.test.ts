import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { loadWorld } from '../support/model/load.js';
import { open } from '../support/model/sessions.js';
import { openGrant } from '../support/model/staff-sessions.js';
import type { World } from '../support/model/world.js';

// What a world's health and payment rows hold.
const SECRETS = ['arachides', 'rougeur', 'Mémé', 'aucun', 'Carte Émeraude', '514-555-0199'];

let database: TestDatabase;
let world: World;
let owner: pg.Client;
let support: pg.Client;
let sre: pg.Client;
let family: string;

beforeAll(async () => {
  database = await createTestDatabase();
  owner = await open(database.owner);
  world = await loadWorld(owner, 815, { people: 40, families: 6 });
  family = world.families[0]?.id ?? '';
  // Later changes, so that the log holds the secrets as old values too.
  await owner.query(
    `update public.emergency_profiles set medications = medications || '!', blood_type = 'A+'`,
  );
  await owner.query(`update public.children set allergies_notes = allergies_notes || '!'`);
  await owner.query(`update public.payment_methods set is_default = true`);
  await owner.query('analyze');
  support = await open(await database.makeOperator('support'));
  const person = world.memberships.find((one) => one.family === family)?.person ?? '';
  await openGrant(support, 'support', { kind: 'family', family });
  await openGrant(support, 'support', { kind: 'subject', person });
  await openGrant(support, 'support', { kind: 'directory' });
  await support.query('set role nestsync_support');
  sre = await open(await database.makeOperator('sre'));
  await sre.query('set role nestsync_sre');
});

afterAll(async () => {
  await Promise.all([owner, support, sre].map((client) => client?.end()));
  await database?.drop();
});

/** Rows, notices and errors of a statement as one text: whatever a person at psql would see. */
async function shown(client: pg.Client, statement: string): Promise<{ text: string; code: string }> {
  const notices: string[] = [];
  const listen = (notice: { message?: string | undefined }) => notices.push(notice.message ?? '');
  client.on('notice', listen);
  await client.query('begin');
  try {
    const results: unknown = await client.query(statement);
    const rows = (Array.isArray(results) ? results : [results]).flatMap(
      (result: pg.QueryResult) => result.rows,
    );
    return { text: JSON.stringify([rows, notices]), code: 'ok' };
  } catch (error) {
    const { message, detail, hint, where, code } = error as pg.DatabaseError;
    return { text: JSON.stringify([message, detail, hint, where, notices]), code: code ?? '' };
  } finally {
    await client.query('rollback');
    client.off('notice', listen);
  }
}

const FORBIDDEN = ['emergency_profiles', 'payment_methods'] as const;

describe('support, with every grant it can have,', () => {
  test.each(FORBIDDEN)('is refused %s by every road', async (table) => {
    for (const statement of [
      `select * from public.${table}`,
      `select count(*) from public.${table}`,
      `select 1 from public.${table} limit 0`,
      `table public.${table}`,
      `select t from public.${table} t`,
      `select to_jsonb(t) from public.${table} t`,
      `select ctid from public.${table}`,
      `copy public.${table} to stdout`,
      `copy (select * from public.${table}) to stdout`,
      `explain select * from public.${table}`,
      `explain (analyze, verbose) select * from public.${table}`,
      `update public.${table} set updated_at = now() returning *`,
      `delete from public.${table} returning *`,
      `insert into public.${table} select * from public.${table} returning *`,
      `merge into public.${table} t using (select 1) s on true when matched then do nothing`,
      `lock table public.${table} in share mode`,
      `select * from public.${table} for update`,
      `create temp view v as select * from public.${table}; select * from v`,
      `create temp table t as select * from public.${table}; select * from t`,
      `prepare p_${table} as select * from public.${table}; execute p_${table}`,
      `declare c cursor for select * from public.${table}; fetch all from c`,
      `do $$ begin perform 1 from public.${table}; end $$`,
      `select query_to_xml('select * from public.${table}', true, true, '')`,
      `select table_to_xml('public.${table}', true, true, '')`,
      `select (select count(*) from public.${table}) from public.families`,
    ]) {
      expect((await shown(support, statement)).code, statement).toBe('42501');
    }
  });

  test('finds no secret in any relation, function, log or statistic it can read', async () => {
    const { rows: relations } = await owner.query<{ relation: string; columns: string }>(
      `select c.oid::regclass::text as relation, string_agg(quote_ident(a.attname), ', ') as columns
       from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
       where c.relkind in ('r', 'p', 'v', 'm', 'f') and a.attnum > 0 and not a.attisdropped
         and n.nspname <> 'information_schema' and n.nspname !~ '^pg_(toast|temp)'
         and has_schema_privilege('nestsync_support', n.oid, 'usage')
         and has_column_privilege('nestsync_support', c.oid, a.attnum, 'select')
       group by c.oid`,
    );
    expect(relations.length).toBeGreaterThan(50);
    let sight = '';
    for (const { relation, columns } of relations) {
      const { text } = await shown(support, `select ${columns} from ${relation}`);
      for (const secret of SECRETS) expect(text.includes(secret), `${secret} in ${relation}`).toBe(false);
      if (relation === 'audit.readable_events') sight = text;
    }
    // It does see what it may: the events themselves, and the names of children in them.
    expect(sight).toContain('public.emergency_profiles');
    expect(sight).toContain('Léa');

    const { rows: functions } = await owner.query<{ name: string }>(
      `select p.oid::regprocedure::text as name from pg_proc p
       where p.pronamespace in ('public'::regnamespace, 'private'::regnamespace, 'audit'::regnamespace, 'ops'::regnamespace)
         and has_function_privilege('nestsync_support', p.oid, 'execute') order by 1`,
    );
    const known = [
      'audit.archived_months(timestamp with time zone,timestamp with time zone)',
      'audit.default_partitions()',
      'audit.image(json,text[],text[])',
      'audit.image_for_support(text,jsonb)',
      'audit.leaf_facts(bigint)',
      'audit.leaf_index(bigint)',
      'audit.log_mark()',
      'audit.pruned_months(timestamp with time zone,timestamp with time zone)',
      'audit.receipt()',
      'audit.record_reading(text,jsonb,uuid,uuid,boolean)',
      'ops.add_member(uuid,uuid,text,timestamp with time zone)',
      'ops.approval_state(ops.approvals)',
      'ops.archive_family(uuid,text)',
      'ops.ask_about_family(uuid)',
      'ops.ask_diagnosis(uuid,uuid,text[],text)',
      'ops.ask_why(uuid,text,jsonb,text,timestamp with time zone)',
      'ops.catalogue_at(uuid)',
      'ops.close_access(uuid)',
      'ops.create_family(text,text,text,text,uuid)',
      'ops.create_invitation(uuid,text,text,timestamp with time zone)',
      'ops.decide_approval(uuid,text,text)',
      'ops.diagnose(uuid)',
      'ops.directory_families(uuid)',
      'ops.directory_people(uuid)',
      'ops.explain(uuid,text[],text[],text[],jsonb)',
      'ops.explain_at(uuid,text[],text[],text[],jsonb,xid8[])',
      'ops.explain_counts(uuid,uuid,text[])',
      'ops.explain_family(uuid,uuid[],jsonb,jsonb)',
      'ops.extend_member(uuid,uuid,timestamp with time zone,text)',
      'ops.find_approval(text,jsonb)',
      'ops.link_accounts(uuid,uuid,text,text)',
      'ops.look_up(text,text,text,uuid)',
      'ops.make_move(jsonb,text)',
      'ops.open_access(text,text,text,integer,uuid,uuid)',
      'ops.plan_move(jsonb)',
      'ops.reinstate_user(uuid,text)',
      'ops.rename_family(uuid,text,text)',
      'ops.request_approval(text,jsonb,text,text)',
      'ops.resend_invitation(uuid,uuid,timestamp with time zone,text)',
      'ops.resend_verification(uuid,text)',
      'ops.restore_family(uuid,text)',
      'ops.revoke_invitation(uuid,uuid,text)',
      'ops.row_families(text,uuid)',
      'ops.set_member_permissions(uuid,uuid,text[],text[],text)',
      'ops.set_member_role(uuid,uuid,text,text)',
      'ops.set_member_status(uuid,uuid,text,text)',
      'ops.suspend_user(uuid,text)',
      'ops.transfer_core(uuid,uuid,uuid,text,text,text)',
      'ops.use_approval(text,jsonb)',
      'ops.weekly_activity(date)',
      'ops.weekly_usage(uuid,date)',
      'private.break_glass()',
      'private.decidable_duties()',
      'private.granted_families()',
      'private.granted_users()',
      'private.session_duty()',
      'private.session_operator()',
      'private.subject_families()',
      'private.subject_users()',
    ];
    expect(functions.map(({ name }) => name).filter((name) => !known.includes(name))).toEqual([]);
  });

  test('learns nothing from a function or operator of its own that the planner would rather run first', async () => {
    const trap = `
      create function pg_temp.trap(anyelement) returns boolean language plpgsql cost 0.0000001 as
        $$ begin raise notice 'trapped %', $1; return true; end $$;
      create operator pg_temp.=== (function = pg_temp.trap_text, leftarg = text, rightarg = text);`;
    const helper = `
      create function pg_temp.trap_text(text, text) returns boolean language plpgsql cost 0.0000001 as
        $$ begin raise notice 'trapped %', $1; return true; end $$;`;
    const foreign = world.families[3];
    const names = ['Famille', ...world.families.filter(({ id }) => id !== family).map(({ id }) => id)];
    const granted = new Set(
      (await support.query<{ id: string }>('select id from public.families')).rows.map(({ id }) => id),
    );
    const hidden = names.filter((name) => name !== 'Famille' && !granted.has(name));
    expect(hidden.length).toBeGreaterThan(0);
    expect(foreign).toBeDefined();
    for (const query of [
      'select id from public.families where pg_temp.trap(name)',
      'select id from public.families f where pg_temp.trap(f.id)',
      `select id from public.families where name operator(pg_temp.===) 'x'`,
      'select id from public.users where pg_temp.trap(email)',
      'select id from public.children where pg_temp.trap(family_id)',
      'select f.id from public.families f join public.children c on pg_temp.trap(c.family_id)',
      'select id from public.families order by pg_temp.trap(name)',
      'select distinct pg_temp.trap(family_id) from public.usage_logs',
      'select count(*) filter (where pg_temp.trap(family_id)) from public.inventory_items',
      'select * from public.family_overview where pg_temp.trap(name)',
      'select id from audit.readable_events where pg_temp.trap(after)',
      'select id from audit.readable_events where pg_temp.trap(family_id)',
      'select id from audit.events where pg_temp.trap(id)',
    ]) {
      const { text } = await shown(support, `${helper}${trap}${query}`);
      for (const id of hidden) expect(text.includes(id), `${query} shows a family not granted`).toBe(false);
      for (const secret of SECRETS) expect(text.includes(secret), `${query} shows ${secret}`).toBe(false);
    }
    await expect(
      support.query(
        'create function pg_temp.sly(text) returns boolean language sql leakproof as $$ select true $$',
      ),
    ).rejects.toMatchObject({ code: '42501' });
  });

  test('learns no value outside its grants from a plan, an estimate or an error', async () => {
    const seen = async (client: pg.Client, table: string) =>
      (await client.query<{ id: string }>(`select id from public.${table}`)).rows.map(({ id }) => id);
    const hidden = async (table: string) => {
      const mine = await seen(support, table);
      return (await seen(owner, table)).find((id) => !mine.includes(id)) ?? '';
    };
    const target = (
      await owner.query<{ id: string; email: string; name: string; family: string }>(
        'select u.id, u.email, f.name, f.id as family from public.users u, public.families f where u.id = $1 and f.id = $2',
        [await hidden('users'), await hidden('families')],
      )
    ).rows[0];
    expect(target).toBeDefined();
    for (const statement of [
      'explain (analyze, verbose, costs off) select * from public.families',
      `explain (analyze, verbose) select name from public.families where name < 'z'`,
      `select 1 / (case when email = '${target?.email}' then 0 else 1 end) from public.users`,
      `select name::integer from public.families where id = '${target?.family}'`,
      `select email::integer from public.users where id = '${target?.id}'`,
      `select most_common_vals, histogram_bounds from pg_stats where schemaname in ('public', 'audit', 'ops', 'private')`,
      `select tablename from pg_stats where schemaname = 'public' and tablename in ('emergency_profiles', 'payment_methods', 'users', 'families')`,
    ]) {
      const { text, code } = await shown(support, statement);
      expect(text.includes(target?.name ?? '-'), `${statement}: ${code}`).toBe(false);
      if (!statement.includes(target?.email ?? '-')) {
        expect(text.includes(target?.email ?? ''), `${statement}: ${code}`).toBe(false);
      }
      expect(code, statement).toBe('ok');
    }
  });

  test('cannot put tables, functions or types of its own in the way of the definer functions', async () => {
    const { text } = await shown(
      support,
      `create temp table access_grants (id uuid, operator text, duty text, kind text, family_id uuid);
       create temp table operator_duties (login text, duty text);
       insert into pg_temp.operator_duties values (session_user, 'admin');
       create temp table users (id uuid, email text);
       create function pg_temp.has_duty(text, text) returns boolean language sql return true;
       create function pg_temp.session_duty() returns text language sql return 'admin';
       create function pg_temp.now() returns timestamptz language sql return '2000-01-01'::timestamptz;
       create function pg_temp.clock_timestamp() returns timestamptz language sql return '2000-01-01'::timestamptz;
       set local search_path = pg_temp, private, ops, public, pg_catalog;
       select id from public.families`,
    );
    const seen = JSON.parse(text)[0].map(({ id }: { id: string }) => id);
    expect(seen.length).toBeGreaterThan(0);
    const { rows } = await support.query<{ id: string }>('select id from public.families');
    expect(seen.sort()).toEqual(rows.map(({ id }) => id).sort());
    for (const statement of [
      'create table public.x (a int)',
      'create table ops.x (a int)',
      'create function private.x() returns int language sql return 1',
      `create function ops.x() returns int language sql return 1`,
      'create schema x',
      'create extension dblink',
      `create function pg_temp.f() returns int language c as '/tmp/x', 'f'`,
      `copy public.families to '/tmp/x'`,
      `copy (select 1) to program 'id'`,
      `select pg_read_file('/etc/passwd')`,
      `select lo_import('/etc/passwd')`,
      'create trigger t before update on public.families for each row execute function private.refuse_key_change()',
      'create rule r as on select to public.families do instead select 1',
      'create policy p on public.families using (true)',
      'set session authorization postgres',
      'create role x',
      'grant nestsync_support to authenticated',
    ]) {
      expect((await shown(support, statement)).code, statement).toMatch(/^(42501|42601|0LP01)$/);
    }
  });

  test('calls no helper of the policies by name', async () => {
    for (const call of [
      'private.granted_families()',
      `private.has_duty(session_user, 'admin')`,
      `private.member_families('family:read')`,
      `private.current_user_id()`,
      'private.live_grants()',
    ]) {
      expect((await shown(support, `select ${call}`)).code, call).toBe('42501');
    }
  });
});

describe('an SRE', () => {
  test('reads no table of people, in full or by a column, and may open no grant', async () => {
    const { rows } = await owner.query(
      `select c.relname, a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid
       where c.relnamespace = 'public'::regnamespace and a.attnum > 0 and has_column_privilege('nestsync_sre', c.oid, a.attnum, 'select')`,
    );
    expect(rows).toEqual([]);
    for (const kind of ['read', 'directory', 'break_glass', 'impersonation']) {
      await expect(
        sre.query(`select ops.open_access('${kind}', 'a long enough reason', 'OPS-1', 5)`),
      ).rejects.toMatchObject({ code: '42501' });
    }
  });

  test('reads the skeleton of every event, and of its subject, actor, purpose and payload nothing', async () => {
    const { rows } = await owner.query<{ column: string }>(
      `select attname as column from pg_attribute
       where attrelid = 'audit.events'::regclass and attnum > 0 and not attisdropped
         and has_column_privilege('nestsync_sre', attrelid, attnum, 'select') order by 1`,
    );
    expect(rows.map(({ column }) => column)).toEqual([
      'category',
      'duty',
      'epoch',
      'id',
      'leaf',
      'occurred_at',
      'operation',
      'request_id',
      'session_login',
      'table_name',
      'xid',
    ]);
    const seen = await sre.query('select id from audit.events');
    const all = await owner.query('select id from audit.events');
    expect(seen.rowCount).toBe(all.rowCount);
    expect((await shown(sre, 'select * from audit.readable_events')).code).toBe('42501');
    expect((await shown(sre, `select id from audit.events where family_id is not null`)).code).toBe('42501');
  });

  test('meets no person, family or secret in anything it can read', async () => {
    const { rows: relations } = await owner.query<{ relation: string; columns: string }>(
      `select c.oid::regclass::text as relation, string_agg(quote_ident(a.attname), ', ') as columns
       from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
       where c.relkind in ('r', 'p', 'v', 'm') and a.attnum > 0 and not a.attisdropped
         and n.nspname <> 'information_schema' and n.nspname !~ '^pg_(toast|temp)'
         and has_schema_privilege('nestsync_sre', n.oid, 'usage')
         and has_column_privilege('nestsync_sre', c.oid, a.attnum, 'select')
       group by c.oid`,
    );
    const personal = [
      ...SECRETS,
      'Léa',
      ...world.people.map(({ id }) => id),
      ...world.families.map(({ id }) => id),
    ];
    for (const { relation, columns } of relations) {
      const { text } = await shown(sre, `select ${columns} from ${relation}`);
      for (const value of personal) expect(text.includes(value), `${value} in ${relation}`).toBe(false);
    }
    const activity = await shown(
      sre,
      `set local nestsync.reason = 'weekly figures'; select ops.refresh_analytics(); select * from ops.weekly_activity()`,
    );
    expect(activity.code).toBe('ok');
    for (const value of personal) expect(activity.text.includes(value)).toBe(false);
    expect((await shown(sre, `select ops.weekly_usage('${family}')`)).code).toBe('42501');
  });
});

describe('an auditor', () => {
  test('reads the log and no table of people', async () => {
    const auditor = await open(await database.makeOperator('auditor'));
    await auditor.query('set role nestsync_auditor');
    for (const { table } of world.rows) {
      expect((await shown(auditor, `select 1 from public.${table}`)).code).toBe('42501');
      if (table === 'families') break;
    }
    const { text } = await shown(
      auditor,
      `select after from audit.readable_events where table_name = 'public.emergency_profiles'`,
    );
    expect(text).toContain('Mémé');
    await auditor.end();
  });
});
