-- kind: schema
-- locks: brief ACCESS EXCLUSIVE on public tables for column defaults
-- transaction: yes
-- reversible: yes, where no access grant was ever opened
-- seeds: public.role_permissions, ops.duty_permissions

-- Members -------------------------------------------------------------------------------------------------

insert into public.role_permissions (role, permission, row_scope)
select role, resource || ':' || action, row_scope
from (values
  ('family_core',     'family',        'read update',               'all'),
  ('family_core',     'members',       'read insert update delete', 'all'),
  ('family_core',     'invitations',   'read insert update delete', 'all'),
  ('family_core',     'children',      'read insert update delete', 'all'),
  ('family_core',     'emergency',     'read insert update delete', 'all'),
  ('family_core',     'inventory',     'read insert update delete', 'all'),
  ('family_core',     'usage',         'read insert update delete', 'all'),
  ('family_core',     'reorder',       'read insert update delete', 'all'),
  ('family_core',     'events',        'read',                      'all'),
  ('family_core',     'events',        'insert',                    'own'),
  ('family_core',     'analytics',     'read',                      'all'),
  ('extended_family', 'family',        'read',                      'all'),
  ('extended_family', 'members',       'read',                      'all'),
  ('extended_family', 'children',      'read',                      'all'),
  ('extended_family', 'emergency',     'read',                      'all'),
  ('extended_family', 'inventory',     'read insert update',        'all'),
  ('extended_family', 'usage',         'read insert',               'all'),
  ('extended_family', 'usage',         'update delete',             'own'),
  ('extended_family', 'reorder',       'read',                      'all'),
  ('extended_family', 'events',        'insert',                    'own'),
  ('extended_family', 'analytics',     'read',                      'all'),
  ('professional',    'family',        'read',                      'all'),
  ('professional',    'members',       'read',                      'self'),
  ('professional',    'children',      'read',                      'all'),
  ('professional',    'emergency',     'read',                      'all'),
  ('professional',    'usage',         'read insert',               'all'),
  ('professional',    'usage',         'update',                    'own'),
  ('professional',    'events',        'insert',                    'own'),
  ('professional',    'analytics',     'read',                      'all'),
  ('institutional',   'family',        'read',                      'all'),
  ('institutional',   'members',       'read',                      'self'),
  ('institutional',   'children',      'read',                      'all'),
  ('institutional',   'emergency',     'read',                      'all'),
  ('institutional',   'usage',         'read insert',               'today'),
  ('institutional',   'usage',         'update',                    'today_own'),
  ('institutional',   'events',        'insert',                    'own')
) declared (role, resource, actions, row_scope),
unnest(string_to_array(actions, ' ')) action;

-- In plpgsql, which keeps its plans for the session: up to PostgreSQL 17 a SQL function that cannot be inlined is
-- planned anew in every statement.
create function private.permission_named(list text[], permission text) returns boolean
  language plpgsql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
begin
  return permission = any (list)
    or (split_part(permission, ':', 2) <> 'read' and split_part(permission, ':', 1) || ':write' = any (list));
end $$;
comment on function private.permission_named(text[], text) is
  'Whether a member''s list of permissions names one, "resource:write" standing for insert, update and delete.';

create function private.permissions_known(list text[]) returns boolean
  language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp
  return not exists (
    select from unnest(list) p
    where not exists (
      select from public.role_permissions r
      where r.permission = p or (split_part(r.permission, ':', 2) <> 'read' and split_part(r.permission, ':', 1) || ':write' = p)));

create function private.effective_scope(role text, granted text[], denied text[], permission text) returns text
  language plpgsql stable parallel safe security definer set search_path = pg_catalog, pg_temp as $$
begin
  return case
    when private.permission_named(denied, permission) then null
    when private.permission_named(granted, permission) then 'all'
    else (select r.row_scope from public.role_permissions r where r.role = effective_scope.role and r.permission = effective_scope.permission)
  end;
end $$;
comment on function private.effective_scope(text, text[], text[], text) is
  'To which rows a membership gives a permission: its row scope, or null for none.';

create function private.impersonates(person uuid) returns boolean
  language plpgsql stable parallel safe security definer set search_path = pg_catalog, pg_temp as $$
begin
  return exists (
    select from ops.access_grants g
    where g.operator = session_user and g.kind = 'impersonation' and g.user_id = person and private.grant_is_live(g)
  );
end $$;
comment on function private.impersonates(uuid) is
  'Whether the operator behind this session has a live impersonation grant for a person.';

create function private.current_user_id() returns uuid
  language plpgsql stable parallel safe security definer set search_path = pg_catalog, pg_temp as $$
declare
  person uuid := auth.uid();
begin
  if person is null then
    return null;
  end if;
  if exists (select from private.app_logins a where a.login = session_user) or private.impersonates(person) then
    return person;
  end if;
  return null;
end $$;
comment on function private.current_user_id() is
  'The person on whose behalf this session acts: the JWT''s, where session_user is a registered app login or an operator with a live impersonation grant for that person; otherwise null. SET ROLE and hand-set claims change nothing.';

-- Runs once for every statement of every member, so all it asks is one statement: who acts (as current_user_id()
-- has it), then what bars the person or the family, from indexes that hold only those.
create function private.member_families(permission text, row_scope text default 'all') returns uuid[]
  language plpgsql stable parallel safe security definer set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
  person uuid := auth.uid();
begin
  return array(
    select m.family_id
    from public.family_members m
    where m.user_id = person
      and (exists (select from private.app_logins a where a.login = session_user) or private.impersonates(person))
      and m.status = 'active'
      and (m.access_expires_at is null or m.access_expires_at > clock_timestamp())
      and not exists (select from public.users u where u.id = person and u.status in ('suspended', 'pending_deletion'))
      and not exists (
        select from public.families f
        where f.id = m.family_id and f.archived_at is not null
          and not (m.role = 'family_core' and member_families.permission like '%:read'))
      and case
        when m.granted_permissions = '{}' and m.denied_permissions = '{}' then m.role = any (array(
          select r.role from public.role_permissions r
          where r.permission = member_families.permission and r.row_scope = any (string_to_array(member_families.row_scope, ' '))))
        else private.effective_scope(m.role, m.granted_permissions, m.denied_permissions, member_families.permission)
          = any (string_to_array(member_families.row_scope, ' '))
      end
  );
end $$;
comment on function private.member_families(text, text) is
  'Families in which the current person has a permission for exactly this row scope, or one of several with a blank between. Policies evaluate it once a statement.';

create function private.family_today(family_id uuid, at timestamptz) returns boolean
  language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp
  return (
    select (family_today.at at time zone f.timezone)::date = (statement_timestamp() at time zone f.timezone)::date
    from public.families f where f.id = family_today.family_id);
comment on function private.family_today(uuid, timestamptz) is 'Whether a moment falls on the current day in the family''s time zone.';

create function private.account_active() returns boolean
  language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp
  return exists (select from public.users u where u.id = private.current_user_id() and u.status = 'active');

-- What a person may hand on: never more than their own.
create function private.hands_on_nothing(old_row jsonb, new_row jsonb) returns boolean
  language sql immutable parallel safe set search_path = pg_catalog, pg_temp
  return (old_row - array['status', 'updated_at']) = (new_row - array['status', 'updated_at'])
    and (old_row -> 'status' = new_row -> 'status'
      or new_row ->> 'status' in ('inactive', 'suspended', 'removed', 'expired', 'revoked'));
comment on function private.hands_on_nothing(jsonb, jsonb) is
  'Whether an update of a membership or invitation gives nobody anything: it changes nothing, or only ends it. So somebody with less can still end what somebody with more was given.';

create function private.guard_membership() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  person uuid := private.current_user_id();
  giver public.family_members;
  beyond text;
begin
  if not private.permissions_known(new.granted_permissions || new.denied_permissions) then
    perform private.fail('NS007', 'unknown permission in a membership',
      'Known are resource:read, :insert, :update, :delete of public.role_permissions, and resource:write.');
  end if;
  if person is null or (tg_op = 'UPDATE' and private.hands_on_nothing(to_jsonb(old), to_jsonb(new))) then
    return new;
  end if;
  select m.* into giver from public.family_members m where m.family_id = new.family_id and m.user_id = person;
  if not found then
    -- The policies decide whether such a row may be written at all; here it is the founder's own first membership.
    return new;
  end if;
  select string_agg(p.permission, ', ') into beyond
  from (select distinct permission from public.role_permissions) p
    cross join lateral private.effective_scope(new.role, new.granted_permissions, new.denied_permissions, p.permission) given
    cross join lateral private.effective_scope(giver.role, giver.granted_permissions, giver.denied_permissions, p.permission) own
  where given is not null
    and (own is null or (own <> 'all' and own <> given and not (given = 'today_own' and own in ('own', 'today'))));
  if beyond is not null then
    perform private.fail('NS004', format('nobody can give more than they have: %s', beyond),
      'Give a narrower role, or ask a member who has these permissions.');
  end if;
  return new;
end $$;
create trigger family_members_guard before insert or update on public.family_members
  for each row execute function private.guard_membership();
create trigger family_invitations_guard before insert or update on public.family_invitations
  for each row execute function private.guard_membership();

create function private.found_family() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if private.current_user_id() is not null then
    insert into public.family_members (family_id, user_id, role, joined_at, created_by)
    values (new.id, private.current_user_id(), 'family_core', now(), private.current_user_id());
  end if;
  return null;
end $$;
create trigger families_founder after insert on public.families
  for each row execute function private.found_family();
comment on function private.found_family() is 'Whoever founds a family is its first family_core member, in the same transaction.';

-- Staff: no reason, no rows --------------------------------------------------------------------------------

create table ops.duty_permissions (
  duty text not null,
  resource text not null,
  command text not null,
  condition text not null,
  primary key (duty, resource, command),
  constraint duty_permissions_duty check (duty in ('support', 'compliance', 'sre', 'auditor', 'admin')),
  constraint duty_permissions_command check (command in ('select', 'insert', 'update', 'delete')),
  constraint duty_permissions_condition check (condition in ('grant', 'subject grant', 'break-glass', 'directory session', 'always'))
);
comment on table ops.duty_permissions is
  'The declared access table for staff. Condition: grant = rows in the scope of a live access grant; subject grant = a live grant for a data subject, and of a family''s rows only where the subject is family_core or extended_family; break-glass = a live break-glass grant; always = without one. Break-glass covers whatever a grant would.';

insert into ops.duty_permissions (duty, resource, command, condition)
select duty, resource, command, condition
from (values
  ('support compliance admin', 'users families family_members family_invitations children usage_logs inventory_items reorder_suggestions', 'select', 'grant'),
  ('admin', 'families family_members family_invitations children usage_logs inventory_items reorder_suggestions', 'insert update delete', 'grant'),
  ('compliance', 'emergency_profiles users.private children.health usage_logs.health payment_methods subscriptions consent_records notification_preferences notification_logs analytics_events usage_analytics', 'select', 'subject grant'),
  ('admin', 'emergency_profiles payment_methods subscriptions consent_records notification_preferences notification_logs analytics_events usage_analytics', 'select insert update delete', 'break-glass'),
  ('admin', 'users.private children.health usage_logs.health', 'select', 'break-glass'),
  ('admin', 'children.health usage_logs.health', 'update', 'break-glass'),
  ('support', 'audit.events', 'select', 'grant'),
  ('compliance sre auditor admin', 'audit.events', 'select', 'always'),
  ('support', 'audit.events.payload', 'select', 'grant'),
  ('compliance auditor admin', 'audit.events.payload', 'select', 'always')
) declared (duties, resources, commands, condition),
unnest(string_to_array(duties, ' ')) duty,
unnest(string_to_array(resources, ' ')) resource,
unnest(string_to_array(commands, ' ')) command;

create table ops.access_grants (
  id uuid primary key default gen_random_uuid(),
  operator text not null default session_user references ops.operators (login),
  duty text not null,
  kind text not null,
  family_id uuid,
  user_id uuid,
  reason text not null,
  ticket text not null,
  opened_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  closed_at timestamptz,
  opened_xid xid8 not null default pg_current_xact_id(),
  review_due_at timestamptz,
  approval_id uuid,
  constraint access_grants_kind check (kind in ('read', 'impersonation', 'directory', 'break_glass')),
  constraint access_grants_duty check (
    (kind = 'read' and duty in ('support', 'compliance', 'admin'))
    or (kind = 'impersonation' and duty = 'admin')
    or (kind = 'directory' and duty in ('support', 'compliance', 'admin'))
    or (kind = 'break_glass' and duty = 'admin')),
  constraint access_grants_scope check (case kind
    when 'read' then num_nonnulls(family_id, user_id) = 1
    when 'impersonation' then user_id is not null and family_id is null
    else num_nonnulls(family_id, user_id) = 0 end),
  constraint access_grants_reason check (char_length(btrim(reason)) >= 10 and reason !~ '[[:cntrl:]]'),
  constraint access_grants_ticket check (ticket ~ '^[[:alnum:]][[:alnum:]._#/-]{1,63}$'),
  constraint access_grants_length check (
    expires_at > opened_at
    and expires_at <= opened_at + case kind when 'read' then interval '8 hours' when 'impersonation' then interval '1 hour'
      when 'directory' then interval '1 hour'
      else case when approval_id is null then interval '30 minutes' else interval '1 hour' end end),
  constraint access_grants_closed check (closed_at >= opened_at),
  constraint access_grants_review check ((kind = 'break_glass' and approval_id is null) = (review_due_at is not null)),
  constraint access_grants_approval check (kind = 'break_glass' or approval_id is null)
);
comment on table ops.access_grants is
  'Why an operator may read rows: who, which duty, which scope, reason, ticket, until when. A grant counts only once an earlier transaction has committed it, so that reading and rolling back leaves the record standing.';
create index access_grants_operator_idx on ops.access_grants (operator, expires_at desc) include (duty, kind, family_id, user_id);
create index access_grants_family_idx on ops.access_grants (family_id, opened_at desc) where family_id is not null;
create index access_grants_user_idx on ops.access_grants (user_id, opened_at desc) where user_id is not null;
create unique index access_grants_approval_idx on ops.access_grants (approval_id) where approval_id is not null;

create function private.stamp_grant() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if tg_op = 'INSERT' then
    new.operator := session_user;
    new.opened_xid := pg_current_xact_id();
    new.opened_at := clock_timestamp();
    new.closed_at := null;
    return new;
  end if;
  if to_jsonb(new) - 'closed_at' <> to_jsonb(old) - 'closed_at' or old.closed_at is not null then
    perform private.fail('NS005', 'an access grant never changes; it can only be closed, once');
  end if;
  new.closed_at := clock_timestamp();
  return new;
end $$;
create trigger access_grants_stamp before insert or update on ops.access_grants
  for each row execute function private.stamp_grant();

-- Whoever listens learns of it as it is committed; the grant itself is the record.
create function private.alert_break_glass() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform pg_notify('nestsync_alerts', jsonb_build_object('alert', 'break_glass', 'grant', new.id, 'operator', new.operator,
    'ticket', new.ticket, 'until', new.expires_at, 'approved', new.approval_id is not null)::text);
  return null;
end $$;
create trigger access_grants_alert after insert on ops.access_grants
  for each row when (new.kind = 'break_glass') execute function private.alert_break_glass();
comment on function private.alert_break_glass() is 'Notifies the channel nestsync_alerts that somebody broke the glass.';

create function private.refuse_delete() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform private.fail('NS004', format('rows of %I.%I are a record and are never deleted', tg_table_schema, tg_table_name));
  return null;
end $$;
create trigger access_grants_no_delete before delete on ops.access_grants
  for each row execute function private.refuse_delete();
create trigger access_grants_no_truncate before truncate on ops.access_grants
  execute function private.refuse_truncate();

create function private.grant_is_live(g ops.access_grants) returns boolean
  language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp
  return g.closed_at is null
    and g.expires_at > clock_timestamp()
    and g.opened_xid is distinct from pg_current_xact_id_if_assigned()
    and private.has_duty(g.operator, g.duty);
comment on function private.grant_is_live(ops.access_grants) is
  'Whether a grant counts now: committed by an earlier transaction, neither closed nor expired by the wall clock, its duty still held.';

create function private.live_grants() returns setof ops.access_grants
  language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp rows 3
begin atomic
  select g.* from ops.access_grants g
  where g.operator = session_user and g.duty = private.session_duty() and private.grant_is_live(g);
end;
comment on function private.live_grants() is 'Live grants of the operator behind this session under the duty they have taken.';

create function private.break_glass() returns boolean
  language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp
  return exists (select from private.live_grants() g where g.kind = 'break_glass');

create function private.subject_users() returns uuid[]
  language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp
  return array(select g.user_id from private.live_grants() g where g.kind = 'read' and g.user_id is not null);
comment on function private.subject_users() is 'Data subjects of live grants.';

create function private.subject_families() returns uuid[]
  language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp
  return array(
    select distinct m.family_id from private.live_grants() g
      join public.family_members m on m.user_id = g.user_id and m.status <> 'removed'
    where g.kind = 'read' and m.role in ('family_core', 'extended_family'));
comment on function private.subject_families() is
  'Families whose private rows belong to a request of a data subject of a live grant: those the subject is kin in. A professional''s or an institution''s own request says nothing of the health of the children they looked after.';

create function private.granted_families() returns uuid[]
  language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp
  return array(
    select g.family_id from private.live_grants() g where g.kind = 'read' and g.family_id is not null
    union
    select m.family_id from private.live_grants() g
      join public.family_members m on m.user_id = g.user_id and m.status <> 'removed'
    where g.kind = 'read');
comment on function private.granted_families() is 'Families in the scope of live grants: named ones and those of data subjects.';

create function private.granted_users() returns uuid[]
  language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp
  return array(
    select unnest(private.subject_users())
    union
    select m.user_id from public.family_members m where m.family_id = any (private.granted_families()));
comment on function private.granted_users() is 'People in the scope of live grants: data subjects and the members of granted families.';

create function ops.open_access(
  kind text, reason text, ticket text, minutes integer, family_id uuid default null, user_id uuid default null
) returns table (id uuid, duty text, expires_at timestamptz)
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_duty text := private.session_duty();
  longest integer := case open_access.kind when 'read' then 480 when 'break_glass' then 30 else 60 end;
begin
  if v_duty is null then
    perform private.fail('NS004', 'this session has taken no duty that its operator holds', 'Take one with --duty; see: nestctl doctor');
  end if;
  if v_duty not in ('support', 'compliance', 'admin') or (open_access.kind in ('impersonation', 'break_glass') and v_duty <> 'admin') then
    perform private.fail('NS004', format('the duty %s may not open access of kind %s', v_duty, open_access.kind));
  end if;
  if char_length(btrim(coalesce(reason, ''))) < 10 then
    perform private.fail('NS001', 'a reason of at least 10 characters is needed', 'Say what the complaint or request is: --reason "…"');
  end if;
  if coalesce(ticket, '') !~ '^[[:alnum:]][[:alnum:]._#/-]{1,63}$' then
    perform private.fail('NS001', 'a ticket is needed', 'Name it like the tracker does: --ticket SUP-1234');
  end if;
  if minutes is null or minutes not between 1 and longest then
    perform private.fail('NS007', format('access of kind %s lasts between 1 and %s minutes', open_access.kind, longest));
  end if;
  if open_access.kind = 'read' and num_nonnulls(open_access.family_id, open_access.user_id) <> 1 then
    perform private.fail('NS007', 'access is opened for one family or one person');
  end if;
  if open_access.family_id is not null and not exists (select from public.families f where f.id = open_access.family_id) then
    perform private.fail('NS006', format('there is no family %s', open_access.family_id));
  end if;
  if open_access.user_id is not null and not exists (select from public.users u where u.id = open_access.user_id) then
    perform private.fail('NS006', format('there is no person %s', open_access.user_id));
  end if;
  perform set_config('nestsync.reason', btrim(reason), true), set_config('nestsync.ticket', ticket, true);
  return query
    insert into ops.access_grants as g (duty, kind, family_id, user_id, reason, ticket, expires_at, review_due_at)
    values (v_duty, open_access.kind, open_access.family_id, open_access.user_id, btrim(open_access.reason), open_access.ticket,
      clock_timestamp() + make_interval(mins => minutes),
      case when open_access.kind = 'break_glass' then clock_timestamp() + interval '3 days' end)
    returning g.id, g.duty, g.expires_at;
end $$;
comment on function ops.open_access(text, text, text, integer, uuid, uuid) is
  'Opens an access grant for the operator behind this session under the duty they have taken. It counts from the next transaction on.';

create function ops.close_access(grant_id uuid) returns timestamptz
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  g ops.access_grants;
begin
  select * into g from ops.access_grants a where a.id = grant_id and a.operator = session_user for update;
  if not found then
    perform private.fail('NS006', format('you have no access grant %s', grant_id), 'See your own: nestctl access list');
  end if;
  if g.closed_at is not null or g.expires_at <= clock_timestamp() then
    perform private.fail('NS005', format('access grant %s has ended already', grant_id));
  end if;
  perform set_config('nestsync.reason', g.reason, true), set_config('nestsync.ticket', g.ticket, true);
  update ops.access_grants a set closed_at = clock_timestamp() where a.id = grant_id returning a.closed_at into g.closed_at;
  return g.closed_at;
end $$;
comment on function ops.close_access(uuid) is
  'Ends an access grant of the operator behind this session, for every statement whose snapshot is taken afterwards. A repeatable read transaction or a cursor opened before reads what was so at its beginning and does not see the end; there the grant stops when it expires, which is by the wall clock.';

do $$
declare
  t text;
begin
  foreach t in array array['families', 'family_members', 'family_invitations', 'children', 'emergency_profiles', 'inventory_items',
    'usage_logs', 'reorder_suggestions', 'analytics_events', 'usage_analytics']
  loop
    execute format('alter table public.%I alter column created_by set default private.current_user_id()', t);
  end loop;
end $$;
alter table public.family_members alter column invited_by set default private.current_user_id();
alter table public.family_invitations alter column invited_by set default private.current_user_id();

revoke execute on all functions in schema private, ops from public;
grant execute on function ops.open_access(text, text, text, integer, uuid, uuid), ops.close_access(uuid)
  to nestsync_support, nestsync_compliance, nestsync_admin;
