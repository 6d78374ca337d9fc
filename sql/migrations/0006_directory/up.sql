-- kind: schema
-- locks: none on existing tables
-- transaction: yes
-- reversible: yes, where nobody was ever looked up
-- seeds: ops.duty_permissions, audit.captured_tables

-- Without a grant, support finds people here: exact e-mail or id, or a name prefix of three letters; small pages,
-- masked. A lookup is recorded first and answers only from a later transaction, so no rollback hides it.
create table ops.directory_lookups (
  id uuid primary key default gen_random_uuid(),
  grant_id uuid not null references ops.access_grants (id),
  operator text not null default session_user,
  looking_for text not null,
  by text not null,
  query text not null,
  after_id uuid,
  looked_up_at timestamptz not null default clock_timestamp(),
  looked_up_xid xid8 not null default pg_current_xact_id(),
  constraint directory_lookups_looking_for check (looking_for in ('family', 'person')),
  constraint directory_lookups_by check (by in ('email', 'id', 'name'))
);
comment on table ops.directory_lookups is 'Every directory lookup: who looked for what, in which directory session.';
create index directory_lookups_quota_idx on ops.directory_lookups (operator, looked_up_at desc);
create index directory_lookups_grant_idx on ops.directory_lookups (grant_id);

create function private.stamp_lookup() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  new.operator := session_user;
  new.looked_up_at := clock_timestamp();
  new.looked_up_xid := pg_current_xact_id();
  return new;
end $$;
create trigger directory_lookups_stamp before insert on ops.directory_lookups for each row execute function private.stamp_lookup();
create trigger directory_lookups_append_only before update or delete on ops.directory_lookups
  for each row execute function private.refuse_delete();
create trigger directory_lookups_no_truncate before truncate on ops.directory_lookups execute function private.refuse_truncate();

create function private.mask_name(name text) returns text
  language sql immutable parallel safe set search_path = pg_catalog, pg_temp
  return left(name, 3) || '…';
create function private.mask_email(email text) returns text
  language sql immutable parallel safe set search_path = pg_catalog, pg_temp
  return left(email, 1) || '…@' || split_part(email, '@', 2);

create function ops.look_up(looking_for text, by text, query text, after_id uuid default null) returns uuid
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_query text := btrim(coalesce(query, ''));
  v_grant ops.access_grants;
  v_id uuid;
  hourly integer;
  daily integer;
begin
  select g.* into v_grant from private.live_grants() g where g.kind = 'directory' order by g.expires_at desc limit 1;
  if not found then
    perform private.fail('NS002', 'looking somebody up needs a directory session', 'Open one: nestctl access open --directory --reason "…" --ticket …');
  end if;
  if looking_for is null or looking_for not in ('family', 'person') or by is null or by not in ('email', 'id', 'name') then
    perform private.fail('NS007', 'the directory is searched for a family or a person, by email, id or name');
  elsif by = 'id' and v_query !~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
    perform private.fail('NS007', 'an id is a whole UUID');
  elsif by = 'email' and v_query !~ '^[^@[:space:]]+@[^@[:space:]]+$' then
    perform private.fail('NS007', 'an e-mail address is looked up whole');
  elsif by = 'name' and char_length(regexp_replace(v_query, '[^[:alpha:]]', '', 'g')) < 3 then
    perform private.fail('NS007', 'a name is looked up by its first three letters or more');
  end if;

  -- One lookup of an operator at a time, so that parallel sessions cannot outrun the quota; nor with old snapshots,
  -- which would not count what the others have looked up since.
  if current_setting('transaction_isolation') in ('repeatable read', 'serializable') then
    perform private.fail('NS005', 'a lookup is recorded at isolation level read committed');
  end if;
  perform pg_advisory_xact_lock(hashtextextended('nestsync directory ' || session_user, 0));
  select count(*) filter (where l.looked_up_at > clock_timestamp() - interval '1 hour'), count(*) into hourly, daily
  from ops.directory_lookups l
  where l.operator = session_user and l.looked_up_at > clock_timestamp() - interval '1 day';
  if hourly >= 30 or daily >= 120 then
    perform private.fail('NS003', format('directory quota reached: %s lookups in the last hour (30), %s in the last day (120)', hourly, daily),
      'Open an access grant for the family or person instead, or wait.');
  end if;
  perform set_config('nestsync.reason', v_grant.reason, true), set_config('nestsync.ticket', v_grant.ticket, true);
  insert into ops.directory_lookups as l (grant_id, looking_for, by, query, after_id)
  values (v_grant.id, look_up.looking_for, look_up.by, v_query, look_up.after_id) returning l.id into v_id;
  return v_id;
end $$;
comment on function ops.look_up(text, text, text, uuid) is
  'Records a directory lookup and returns its id. Commit, then read it with ops.directory_families or ops.directory_people.';

create function private.committed_lookup(lookup uuid, looking_for text) returns ops.directory_lookups
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  l ops.directory_lookups;
begin
  select d.* into l from ops.directory_lookups d
    join private.live_grants() g on g.id = d.grant_id
  where d.id = lookup and d.operator = session_user and d.looking_for = committed_lookup.looking_for
    and d.looked_up_at > clock_timestamp() - interval '2 minutes'
    and d.looked_up_xid is distinct from pg_current_xact_id_if_assigned();
  if l.id is null then
    perform private.fail('NS002', 'no committed lookup of yours answers to this id', 'Record it with ops.look_up and commit before reading.');
  end if;
  return l;
end $$;

create function ops.directory_families(lookup uuid)
  returns table (id uuid, name text, family_type text, province text, status text, members bigint, contacts text[])
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  l ops.directory_lookups := private.committed_lookup(lookup, 'family');
begin
  return query
    select f.id, private.mask_name(f.name), f.family_type, f.province::text,
      case when f.archived_at is null then 'live' else 'archived' end,
      (select count(*) from public.family_members m where m.family_id = f.id and m.status = 'active'),
      array(select private.mask_email(u.email) from public.family_members m join public.users u on u.id = m.user_id
        where m.family_id = f.id and m.role = 'family_core' and m.status = 'active' order by u.email limit 3)
    from public.families f
    where case l."by"
        when 'id' then f.id = l.query::uuid
        when 'email' then f.id in (select m.family_id from public.family_members m join public.users u on u.id = m.user_id
          where lower(u.email) = lower(l.query) and m.status <> 'removed')
        else lower(f.name) ^@ lower(l.query)
      end
      and (l.after_id is null or f.id > l.after_id)
    order by f.id limit 10;
end $$;

create function ops.directory_people(lookup uuid)
  returns table (id uuid, name text, email text, status text, province text, families bigint)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  l ops.directory_lookups := private.committed_lookup(lookup, 'person');
begin
  return query
    select u.id, private.mask_name(coalesce(u.display_name, u.first_name, '')), private.mask_email(u.email), u.status, u.province::text,
      (select count(*) from public.family_members m where m.user_id = u.id and m.status <> 'removed')
    from public.users u
    where case l."by"
        when 'id' then u.id = l.query::uuid
        when 'email' then lower(u.email) = lower(l.query)
        else lower(u.display_name) ^@ lower(l.query) or lower(u.last_name) ^@ lower(l.query)
      end
      and (l.after_id is null or u.id > l.after_id)
    order by u.id limit 10;
end $$;
comment on function ops.directory_families(uuid) is 'Answers a committed lookup for families: at most ten, masked, in order of id.';
comment on function ops.directory_people(uuid) is 'Answers a committed lookup for people: at most ten, masked, in order of id.';

alter table ops.directory_lookups enable row level security;
alter table ops.directory_lookups force row level security;
create policy directory_lookups_owner_all on ops.directory_lookups to current_user using (true) with check (true);
create policy directory_lookups_self_select on ops.directory_lookups for select
  to nestsync_support, nestsync_compliance, nestsync_auditor, nestsync_admin
  using (operator = (select session_user::text) or (select private.session_duty()) in ('auditor', 'admin'));
grant select on ops.directory_lookups to nestsync_support, nestsync_compliance, nestsync_auditor, nestsync_admin;

select audit.attach('ops.directory_lookups', 'access');

insert into ops.duty_permissions (duty, resource, command, condition)
select duty, 'directory', 'select', 'directory session' from unnest(array['support', 'compliance', 'admin']) duty;

revoke execute on all functions in schema private, ops, audit from public;
grant execute on function ops.look_up(text, text, text, uuid), ops.directory_families(uuid), ops.directory_people(uuid)
  to nestsync_support, nestsync_compliance, nestsync_admin;
