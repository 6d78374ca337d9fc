import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Connection, connect, withConnection } from '../../src/platform/database/connection.js';
import { type AuditEvent, auditEvents, leafOf } from '../support/audit-leaf.js';
import { AuditOracle } from '../support/audit-oracle.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

let database: TestDatabase;
let owner: Connection;
let oracle: AuditOracle;

beforeAll(async () => {
  database = await createTestDatabase();
  owner = await connect(database.owner);
  oracle = await AuditOracle.over(owner);
});
afterAll(async () => {
  await owner?.close();
  await database?.drop();
});

/** Settings that change how values are printed or how SQL is read. */
const SETTINGS: Readonly<Record<string, string>> = {
  DateStyle: 'German, DMY',
  TimeZone: 'Asia/Kathmandu',
  IntervalStyle: 'sql_standard',
  bytea_output: 'escape',
  extra_float_digits: '-15',
  standard_conforming_strings: 'off',
  escape_string_warning: 'off',
  backslash_quote: 'on',
  array_nulls: 'off',
  quote_all_identifiers: 'on',
  transform_null_equals: 'on',
  client_encoding: 'LATIN1',
  'plpgsql.extra_errors': 'all',
  enable_mergejoin: 'off',
  enable_nestloop: 'off',
};

/** Each statement watched by itself. */
async function oneByOne(
  session: Connection,
  statements: readonly (readonly [string, ...unknown[]])[],
): Promise<AuditEvent[]> {
  const events: AuditEvent[] = [];
  for (const [text, ...values] of statements) {
    events.push(...(await oracle.watch(() => session.query(text, values))));
  }
  return events;
}

describe('a session with settings of its own', () => {
  it.each([...Object.keys(SETTINGS), 'all of them'])(
    '%s: captured the same, with a leaf that verifies',
    async (name) => {
      const settings = name === 'all of them' ? SETTINGS : { [name]: SETTINGS[name] ?? '' };
      const events = await withConnection(
        database.owner,
        (session) =>
          oneByOne(session, [
            [
              `insert into public.users (email, first_name, last_login_ip)
             values (gen_random_uuid() || '@nestsync.example', 'Zoë "d"Arc', '10.1.2.3')`,
            ],
            [
              `with f as (insert into public.families (name, settings) values ('Noël', '{"a": 1.50}') returning id),
               c as (insert into public.children (family_id, name, date_of_birth, current_weight_kg)
                 select id, 'Zoé', '2025-02-01'::date, 7.10 from f returning family_id, id)
             insert into public.family_invitations (family_id, email, role, token_hash, expires_at)
               select family_id, 'a@b.ca', 'professional', decode(md5(random()::text), 'hex'), now() + interval '90 days' from c`,
            ],
            [
              `insert into public.usage_analytics (family_id, child_id, period, period_start, longest_gap, cost_cad)
             select family_id, id, 'day', current_date, interval '1 mon 2 days', 3.50
             from public.children order by created_at desc limit 1`,
            ],
            [
              `insert into public.usage_logs (family_id, child_id, usage_type, time_since_last_change, caregiver_name)
             select family_id, id, 'wipe_use', interval '1 day 2 hours 3.5 seconds', 'Œil'
             from public.children order by created_at desc limit 1`,
            ],
            [
              `update public.usage_logs set time_since_last_change = time_since_last_change * 2, caregiver_name = null`,
            ],
            ['delete from public.family_invitations'],
          ]),
        { settings },
      );
      expect(events.length).toBeGreaterThan(5);
      const { wrong } = await owner.one<{ wrong: string }>(
        'select count(*) as wrong from audit.events e where leaf <> audit.leaf_of(e)',
      );
      expect(wrong).toBe('0');
    },
  );

  it('objects of the same names in front of the search path change nothing', async () => {
    await withConnection(database.superuser, (superuser) =>
      superuser.query(`
        create schema hostile;
        create function hostile.trap() returns boolean language plpgsql as $$ begin raise exception 'trapped'; end $$;
        create function hostile.sha256(bytea) returns bytea language sql as 'select null::bytea';
        create function hostile.sha512(bytea) returns bytea language sql as 'select null::bytea';
        create function hostile.to_json(anyelement) returns json language sql as $$select '{}'::json$$;
        create function hostile.octet_length(text) returns integer language sql as 'select 0';
        create function hostile.nextval(regclass) returns bigint language sql as 'select 1::bigint';
        create function hostile.clock_timestamp() returns timestamptz language sql as $$select timestamptz 'epoch'$$;
        create function hostile.concat_text(text, text) returns text language sql as $$select 'hostile'::text$$;
        create operator hostile.|| (leftarg = text, rightarg = text, function = hostile.concat_text);
        create function hostile.never(uuid, uuid) returns boolean language sql as 'select false';
        create operator hostile.= (leftarg = uuid, rightarg = uuid, function = hostile.never);
        create domain hostile.text as pg_catalog.text check (hostile.trap());
        create domain hostile.json as pg_catalog.json check (hostile.trap());
        grant usage on schema hostile to public;`),
    );
    const events = await withConnection(
      database.owner,
      (session) =>
        oneByOne(session, [
          [`insert into public.families (name) values ('Trap')`],
          [`update public.families set name = 'Trapped' where name = 'Trap'`],
          [`delete from public.families where name = 'Trapped'`],
        ]),
      { settings: { search_path: 'hostile, pg_catalog, audit, public' } },
    );
    expect(events).toHaveLength(3);
  });

  it('nobody but a superuser can make a cast between built-in types', async () => {
    for (const target of [database.app, database.operators[0], database.owner]) {
      await withConnection(target, (session) =>
        expect(session.query('create cast (uuid as text) with inout as implicit')).rejects.toThrow(
          /owner|not allowed|permission|may not/i,
        ),
      );
    }
  });
});

describe('hostile values', () => {
  const VALUES: Readonly<Record<string, string>> = {
    'quotes and backslashes': `' " \\ \\\\ \\' $$ $1 %s %I {"a":"\\u0000"}`,
    'control characters': '\u0001\u0002\t\r\n\u001b[31mred\u0007\u007f',
    emoji: '👩‍👧‍👦🏳️‍🌈 \u{1F1E8}\u{1F1E6}',
    'right to left': '\u202eevil\u202c שלום مرحبا \u200f',
    'combining and composed': 'e\u0301 é \u212b Å',
    'what looks like the format': '3:abc,~,36:~',
    'a megabyte': 'Été 🍼 '.repeat(90_000),
    'line separators': '\u2028\u2029\ufeff',
  };

  it.each(Object.keys(VALUES))('%s', async (title) => {
    const value = VALUES[title] ?? '';
    const short = value.slice(0, 600);
    const events = await oneByOne(owner, [
      [
        `insert into public.families (name, description, settings)
         values ('.' || $1, $1, jsonb_build_object('deep', jsonb_build_array($1::text, jsonb_build_object($1::text, null))))`,
        short,
      ],
      ['update public.families set description = $1 where description = $2', value, short],
      [
        `insert into public.children (family_id, name, date_of_birth)
         select id, 'x', '2025-01-01' from public.families where description = $1`,
        value,
      ],
      [
        `insert into public.usage_logs (family_id, child_id, usage_type, caregiver_name)
         select c.family_id, c.id, 'wipe_use', $1 from public.children c join public.families f on f.id = c.family_id where f.description = $1`,
        value,
      ],
    ]);
    const named = events.find(({ table_name }) => table_name === 'public.usage_logs');
    expect(named?.named_new?.[0]).toBe(value);
  });
});

describe('eight writers at once, with aborts and savepoints', () => {
  it('leave exactly one event a committed change, with ids of their own and leaves that verify', async () => {
    const { last } = await owner.one<{ last: string }>('select max(id)::text as last from audit.events');
    const committed = await Promise.all(Array.from({ length: 8 }, (_, number) => writer(number)));
    const wanted = committed.flat().sort();
    const events = await auditEvents(owner, 'id > $1', [last]);
    const names = events.map(({ operation, old_row, new_row }) => {
      const name = (text: string | null) =>
        text === null ? '' : (JSON.parse(text) as { name: string }).name;
      return `${operation} ${name(old_row)}>${name(new_row)}`;
    });
    expect(names.sort()).toEqual(wanted);
    expect(wanted.length).toBeGreaterThan(300);
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
    for (const event of events) expect(leafOf(event)).toBe(event.leaf);
  });

  /** Works through a fixed series of transactions; returns what it committed. */
  const writer = (number: number) =>
    withConnection(database.owner, async (session) => {
      const committed: string[] = [];
      for (let round = 0; round < 30; round++) {
        const name = `w${number}.${round}`;
        const done = [`INSERT >${name}`];
        await session.query('begin');
        await session.query('insert into public.families (name) values ($1)', [name]);
        await session.query('savepoint one');
        await session.query('update public.families set name = $2 where name = $1', [name, `${name}!`]);
        if (round % 3 === 0) await session.query('rollback to one');
        else done.push(`UPDATE ${name}>${name}!`);
        if (round % 4 === 1) {
          await session.query('delete from public.families where name = $1', [`${name}!`]);
          done.push(`DELETE ${name}!>`);
        }
        if (round % 7 === 3) await sleep(2);
        const abort = round % 5 === 2;
        if (round % 10 === 7) await session.query('select 1 / 0').catch(() => undefined);
        await session.query(abort ? 'rollback' : 'commit');
        if (!abort && round % 10 !== 7)
          committed.push(
            ...done.filter((one) => round % 4 !== 1 || round % 3 !== 0 || !one.startsWith('DELETE')),
          );
      }
      return committed;
    });
});

describe('partitions', () => {
  /** As if nobody had prepared the current month: its partition is taken away while it is empty. */
  const unprepared = async () => {
    const other = await createTestDatabase();
    const admin = await connect(other.owner);
    const { child } = await admin.one<{ child: string }>(
      `select to_char(now() at time zone 'UTC', '"events_consent_"YYYY_MM') as child`,
    );
    await admin.query(`drop table audit.${child}`);
    return { other, admin, child };
  };
  const consent = (admin: Connection, type: string) =>
    admin.query(
      `with u as (insert into public.users (email) values (gen_random_uuid() || '@nestsync.example') returning id)
       insert into public.consent_records (user_id, consent_type, status, consent_version) select id, $1, 'denied', '1' from u`,
      [type],
    );

  it('an event beyond the prepared months is kept by default, and moves when its month is added', async () => {
    const { other, admin, child } = await unprepared();
    try {
      await consent(admin, 'cookies');
      await consent(admin, 'analytics');
      const before = await auditEvents(admin, `e.tableoid = 'audit.events_consent_default'::regclass`);
      expect(before).toHaveLength(2);

      const made = await admin.query<{ name: string }>('select audit.add_partitions(now()::date, 1) as name');
      expect(made).toEqual([{ name: child }]);
      expect(await auditEvents(admin, `e.tableoid = 'audit.events_consent_default'::regclass`)).toEqual([]);
      expect(await auditEvents(admin, `e.tableoid = 'audit.${child}'::regclass`)).toEqual(before);
      for (const event of before) expect(leafOf(event)).toBe(event.leaf);

      await consent(admin, 'marketing');
      expect(await auditEvents(admin, `e.tableoid = 'audit.${child}'::regclass`)).toHaveLength(3);
      for (const partition of [child, 'events_consent_default']) {
        await expect(admin.query(`truncate audit.${partition}`)).rejects.toThrow(/TRUNCATE/);
        await expect(
          admin.query(`insert into audit.${partition} select * from audit.events limit 0`),
        ).rejects.toThrow(/capture alone/);
        const { guarded } = await admin.one<{ guarded: boolean }>(
          `select c.relrowsecurity and c.relforcerowsecurity and exists (select from pg_trigger g where g.tgrelid = c.oid and g.tgname = 'events_append_only' and g.tgenabled = 'O') as guarded
           from pg_class c where c.oid = 'audit.${partition}'::regclass`,
        );
        expect(guarded).toBe(true);
      }
      await expect(admin.query(`delete from audit.${child}`)).rejects.toThrow(/never deleted/);
      expect(await admin.query('select audit.add_partitions(now()::date, 1) as name')).toEqual([]);
    } finally {
      await admin.close();
      await other.drop();
    }
  });

  it('adding a month is undone whole where it fails, and loses nothing', async () => {
    const { other, admin } = await unprepared();
    try {
      await consent(admin, 'cookies');
      await admin.query('begin');
      await admin.query('select audit.add_partitions(now()::date, 1)');
      await admin.query('rollback');
      expect(await auditEvents(admin, `e.tableoid = 'audit.events_consent_default'::regclass`)).toHaveLength(
        1,
      );
      await expect(admin.query('delete from audit.events_consent_default')).rejects.toThrow(/never deleted/);
    } finally {
      await admin.close();
      await other.drop();
    }
  });
});
