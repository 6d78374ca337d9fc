/**
 * The migrator's own tables, made before the first migration and never taken down. The first two have the
 * form that Kysely expects. Safe to run again. USAGE on the schema is given by the first migration.
 */
export const LEDGER_TABLES = `
create schema if not exists ops;

create table if not exists ops.migrations (
  name varchar(255) primary key,
  timestamp varchar(255) not null
);
comment on table ops.migrations is 'The migrations that are applied now, as Kysely keeps them.';
comment on column ops.migrations.timestamp is 'ISO 8601 in UTC by the server''s clock; later than that of the migration before it.';

create table if not exists ops.migration_lock (
  id varchar(255) primary key,
  is_locked integer not null default 0
);
comment on table ops.migration_lock is 'Kysely''s own; who migrates is decided by a session advisory lock.';
insert into ops.migration_lock (id) values ('migration_lock') on conflict do nothing;

create table if not exists ops.catalogue_snapshots (
  id bigint generated always as identity primary key,
  taken_at timestamptz not null default clock_timestamp(),
  taken_by text not null default session_user,
  taken_for text not null check (taken_for in ('migration', 'doctor')),
  hash text not null check (hash ~ '^[0-9a-f]{64}$'),
  content jsonb
);
create index if not exists catalogue_snapshots_hash_idx on ops.catalogue_snapshots (hash);
comment on table ops.catalogue_snapshots is 'Policies, helper functions, triggers and grants as they were after each run of migrations and at each doctor run: row triggers do not see DDL.';
comment on column ops.catalogue_snapshots.hash is 'SHA-256 in hex of the content as JSON with sorted keys and no white space.';
comment on column ops.catalogue_snapshots.content is 'Null where an earlier snapshot has the same hash and so the same content.';

create table if not exists ops.migration_runs (
  id bigint generated always as identity primary key,
  migration text not null,
  direction text not null check (direction in ('up', 'down')),
  up_sha256 text not null check (up_sha256 ~ '^[0-9a-f]{64}$'),
  down_sha256 text check (down_sha256 ~ '^[0-9a-f]{64}$'),
  ran_at timestamptz not null default clock_timestamp(),
  ran_by text not null default session_user,
  console_version text not null,
  duration_ms integer not null check (duration_ms >= 0),
  snapshot_id bigint references ops.catalogue_snapshots
);
create index if not exists migration_runs_migration_idx on ops.migration_runs (migration, id);
create index if not exists migration_runs_snapshot_id_idx on ops.migration_runs (snapshot_id);
comment on table ops.migration_runs is 'Every migration and every rollback that was committed, in order, with the SHA-256 of its files.';

comment on column ops.migration_runs.snapshot_id is 'Taken once for all that were run together; null where that run was killed before, until the next.';

do $$
begin
  if (select attnotnull from pg_attribute where attrelid = 'ops.migration_runs'::regclass and attname = 'snapshot_id') then
    alter table ops.migration_runs alter column snapshot_id drop not null;
  end if;
  if obj_description('ops'::regnamespace, 'pg_namespace') is null then
    comment on schema ops is 'Operators, access grants and what the console records about its own work.';
  end if;
end
$$;
revoke all on schema ops from public;
revoke all on ops.migrations, ops.migration_lock, ops.migration_runs, ops.catalogue_snapshots
  from public, anon, authenticated, service_role;
grant select on ops.migrations, ops.migration_runs, ops.catalogue_snapshots
  to nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin;
grant insert (taken_for, hash, content) on ops.catalogue_snapshots to nestsync_sre, nestsync_admin;
`;
