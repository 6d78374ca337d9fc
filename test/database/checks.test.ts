import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Connection, connect, withConnection } from '../../src/platform/database/connection.js';
import { sqlPath } from '../../src/platform/package-root.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

interface Row {
  readonly name: string;
  readonly level: string;
  readonly object: string;
  readonly detail: string;
  readonly remedy: string | null;
}

interface Violation {
  readonly violate: string;
  /** Statements instead of the remedy, where that is none that can be run as it stands. */
  readonly mend?: string;
  readonly object: string | RegExp;
  readonly level?: string;
}

const LOGIN = 'person_of_checks';

const REGISTERED = `insert into ops.operators (login, display_name, email) values ('${LOGIN}', 'P', 'p@nestsync.example')`;

/** The glass broken alone by the login, so long ago, with the review due so long from now. */
const brokenGlass = (ago: string, due: string) => `${REGISTERED};
  alter table ops.access_grants disable trigger access_grants_stamp;
  insert into ops.access_grants (operator, duty, kind, reason, ticket, opened_at, expires_at, review_due_at)
    values ('${LOGIN}', 'admin', 'break_glass', 'nothing else helped', 'INC-1', now() - interval '${ago}',
      now() - interval '${ago}' + interval '30 minutes', now() + interval '${due}');
  alter table ops.access_grants enable trigger access_grants_stamp`;

const reviewed = `alter table ops.access_reviews disable trigger access_reviews_stamp;
  insert into ops.access_reviews select g.id, g.operator, 'dev.singh', 'admin', 'justified', 'spoken with the family', now()
    from ops.access_grants g where g.operator = '${LOGIN}';
  alter table ops.access_reviews enable trigger access_reviews_stamp`;

const VIOLATIONS: Readonly<Record<string, readonly Violation[]>> = {
  row_security: [
    { violate: 'alter table public.children disable row level security', object: 'children' },
    { violate: 'alter table ops.access_grants no force row level security', object: 'ops.access_grants' },
    {
      violate: 'alter table audit.events_consent_default disable row level security',
      object: 'audit.events_consent_default',
    },
    { violate: 'create table public.new_one (id int primary key)', object: 'new_one' },
  ],
  audit_triggers: [
    {
      violate: 'drop trigger audit_update on public.children',
      object: 'children',
      mend: 'create trigger audit_update after update on public.children referencing old table as old_rows new table as new_rows for each statement execute function audit.capture_public_children()',
    },
    { violate: 'alter table ops.operators disable trigger audit_insert', object: 'ops.operators' },
    {
      violate: 'alter table public.users enable replica trigger audit_delete',
      object: 'users',
      mend: 'alter table public.users enable trigger audit_delete',
    },
    {
      violate: 'create table public.new_one (id int primary key)',
      object: 'new_one',
      mend: `select audit.attach('public.new_one', 'modification', record => null)`,
    },
  ],
  append_only: [
    {
      violate: 'alter table audit.events_access_default disable trigger events_append_only',
      object: 'audit.events_access_default',
    },
    {
      violate: 'drop trigger events_no_truncate on audit.events_emergency_default',
      object: 'audit.events_emergency_default',
      mend: 'create trigger events_no_truncate before truncate on audit.events_emergency_default execute function private.refuse_truncate()',
    },
  ],
  captured_columns: [
    {
      violate: 'alter table public.children add column nickname text',
      object: 'children',
      mend: `select audit.attach('public.children', 'modification', family => 'family_id', named => '{created_by}')`,
    },
    {
      violate: 'alter table public.families drop column description cascade',
      object: 'families',
      mend: `select audit.attach('public.families', 'modification', family => 'id', named => '{created_by}')`,
    },
  ],
  default_partitions: [
    {
      violate: `do $$ begin execute 'drop table audit.events_consent_' || to_char(now() at time zone 'UTC', 'YYYY_MM'); end $$;
        insert into public.users (id, email) values ('20000000-0000-4000-8000-000000000001', 'zoe@nestsync.example');
        insert into public.consent_records (user_id, consent_type, status, consent_version) values ('20000000-0000-4000-8000-000000000001', 'cookies', 'denied', '1')`,
      object: 'audit.events_consent_default',
    },
  ],
  partitions_ahead: [
    {
      violate: `do $$ declare p text; begin
        for p in select relname from pg_class where relnamespace = 'audit'::regnamespace and relkind = 'r' and relname ~ '^events_access_2' and right(relname, 7) > to_char(now() at time zone 'UTC', 'YYYY_MM')
        loop execute format('drop table audit.%I', p); end loop; end $$`,
      object: 'audit.events_access',
    },
  ],
  public_functions: [
    {
      violate: 'grant execute on function audit.erase_part(bigint, integer, text) to public',
      object: 'audit.erase_part(bigint,integer,text)',
    },
    {
      violate: `create function private.new_one() returns int language sql as 'select 1'`,
      object: 'private.new_one()',
    },
  ],
  definer_search_path: [
    {
      violate: `alter function private.current_user_id() set search_path = ''`,
      object: 'private.current_user_id()',
    },
    {
      violate: 'alter function ops.look_up(text, text, text, uuid) reset search_path',
      object: /^ops\.look_up/,
    },
  ],
  api_privileges: [
    { violate: 'grant truncate on public.children to authenticated', object: 'children' },
    { violate: 'grant select on public.users to anon', object: 'users' },
    { violate: 'grant select on audit.events to service_role', object: 'audit.events' },
    { violate: 'grant select on ops.operators to public', object: 'ops.operators' },
  ],
  foreign_key_indexes: [
    {
      violate: 'drop index public.usage_logs_child_idx',
      object: 'usage_logs',
      level: 'warning',
      mend: 'create index on public.usage_logs (family_id, child_id)',
    },
  ],
  policies_for_everybody: [
    {
      violate: 'create policy open_to_all on public.children for select using (true)',
      object: 'children',
      mend: 'alter policy open_to_all on public.children to nestsync_admin',
    },
  ],
  owner_policies: [
    { violate: 'drop policy children_owner_all on public.children', object: 'children' },
    {
      violate: "alter policy events_owner_all on audit.events using (category <> 'consent')",
      object: 'audit.events',
      mend: 'alter policy events_owner_all on audit.events using (true)',
    },
  ],
  powerful_logins: [
    {
      violate: `alter role ${LOGIN} bypassrls`,
      object: LOGIN,
      level: 'info',
      mend: `alter role ${LOGIN} nobypassrls`,
    },
    {
      violate: `alter role ${LOGIN} createrole`,
      object: LOGIN,
      level: 'info',
      mend: `alter role ${LOGIN} nocreaterole`,
    },
    {
      violate: `grant nestsync_owner to ${LOGIN}`,
      object: LOGIN,
      level: 'info',
      mend: `revoke nestsync_owner from ${LOGIN}`,
    },
  ],
  inherited_duties: [{ violate: `grant nestsync_sre to ${LOGIN} with inherit true`, object: LOGIN }],
  break_glass: [
    { violate: brokenGlass('10 minutes', '3 days'), object: LOGIN, level: 'warning', mend: reviewed },
    { violate: brokenGlass('2 hours', '2 days'), object: LOGIN, level: 'warning', mend: reviewed },
    { violate: brokenGlass('4 days', '-1 day'), object: LOGIN, level: 'error', mend: reviewed },
  ],
  current_epoch: [
    {
      violate:
        'create or replace function audit.current_epoch() returns integer language sql stable parallel safe return 7',
      object: 'audit.current_epoch()',
      level: 'error',
    },
  ],
  operator_logins: [
    { violate: `${REGISTERED}; alter role ${LOGIN} nologin`, object: LOGIN, level: 'error' },
    { violate: `${REGISTERED}; alter role ${LOGIN} bypassrls createrole`, object: LOGIN, level: 'error' },
    { violate: `${REGISTERED}; drop role ${LOGIN}`, object: LOGIN, level: 'error' },
    {
      violate: `${REGISTERED}; update ops.operators set revoked_at = now() where login = '${LOGIN}'`,
      object: LOGIN,
      level: 'warning',
    },
  ],
  registered_duties: [
    {
      violate: `grant nestsync_sre to ${LOGIN}; grant connect on database postgres to ${LOGIN}`,
      object: LOGIN,
      level: 'info',
      mend: `revoke nestsync_sre from ${LOGIN}`,
    },
    { violate: `grant nestsync_sre to ${LOGIN}`, object: LOGIN, level: 'warning' },
    {
      violate: `insert into ops.operators (login, display_name, email) values ('${LOGIN}', 'P', 'p@nestsync.example');
        insert into ops.operator_duties (login, duty) values ('${LOGIN}', 'support')`,
      object: LOGIN,
    },
  ],
};

const files = readdirSync(sqlPath('checks')).filter((file) => file.endsWith('.sql'));
const nameOf = (file: string) => file.replace(/^\d+_|\.sql$/g, '');

let database: TestDatabase;
let superuser: Connection;

beforeAll(async () => {
  database = await createTestDatabase();
  superuser = await connect(database.superuser);
});
afterAll(async () => {
  await superuser?.close();
  await database?.drop();
});

const found = (session: Connection, file: string) =>
  session.query<Row>(readFileSync(sqlPath('checks', file), 'utf8'));

it('every check has a violation here that it finds', () => {
  expect(Object.keys(VIOLATIONS).sort()).toEqual(files.map(nameOf).sort());
});

describe.each(files)('%s', (file) => {
  const name = nameOf(file);

  it('finds nothing to mend in a fresh database, as the owner and under each duty', async () => {
    const asOwner = await withConnection(database.owner, (session) => found(session, file));
    expect(asOwner.filter(({ level }) => level !== 'info')).toEqual([]);
    for (const duty of ['support', 'compliance', 'sre', 'auditor', 'admin']) {
      await withConnection(database.operators[0], async (session) => {
        await session.query(`set role nestsync_${duty}`);
        const seen = await session.transaction(() => found(session, file), { readOnly: true });
        const unseen =
          ['registered_duties', 'break_glass', 'operator_logins'].includes(name) &&
          !['auditor', 'admin'].includes(duty);
        expect(seen.filter(({ level }) => level !== 'info').map(({ level }) => level)).toEqual(
          unseen ? ['unknown'] : [],
        );
      });
    }
  });

  it.each(VIOLATIONS[name] ?? [])(
    'finds one more after: $violate',
    async ({ violate, mend, object, level }) => {
      await superuser.query('begin');
      try {
        await superuser.query(`create role ${LOGIN} login noinherit`);
        const before = await found(superuser, file);
        await superuser.query(violate);
        const more = (await found(superuser, file)).filter(
          (row) => !before.some((one) => one.object === row.object),
        );
        expect(more).toEqual([
          {
            name,
            level: level ?? expect.stringMatching(/^(error|warning)$/),
            object: typeof object === 'string' ? object : expect.stringMatching(object),
            detail: expect.stringMatching(/.{8}/),
            remedy: level === 'info' ? null : expect.any(String),
          },
        ]);
        await superuser.query(mend ?? more[0]?.remedy ?? '');
        expect(await found(superuser, file)).toEqual(before);
      } finally {
        await superuser.query('rollback');
      }
    },
  );
});
