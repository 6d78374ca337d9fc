-- kind: schema
-- locks: SHARE on audit.events for an index of few rows
-- transaction: yes
-- reversible: yes
-- seeds: none

-- What a package tells of the use of what it holds, of whom it was disclosed to, and of the person's requests (PIPEDA
-- principle 4.9.1). Put together from tables that the data map answers for; nobody of the staff is named in it, and what
-- was opened or asked for somebody else of a household is theirs (s. 9(1)).

-- Of a family's events those of its members are nearly all.
-- squawk-ignore require-concurrent-index-creation
create index events_staff_family_idx on audit.events (family_id, occurred_at) where duty is not null;

create function private.row_is_of_child(table_name text, family uuid, record uuid, child uuid) returns boolean
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  named constant text := (
    select p.columns[2] from privacy.paths p
    where p.table_name = row_is_of_child.table_name and p.subject = 'child' and p.columns[1] = 'family_id' and p.compares = 'equal' limit 1);
  theirs boolean := false;
begin
  if named is not null then
    execute format('select exists (select from %s x where x.family_id = $1 and x.id = $2 and x.%I = $3)', table_name, named) into theirs using family, record, child;
  end if;
  -- A row that is gone is told by its first or last event.
  return theirs or exists (
    select from audit.events e
    where e.record_id = record and e.family_id = family and e.table_name = row_is_of_child.table_name
      and child::text in (e.new_row ->> coalesce(named, 'child_id'), e.old_row ->> coalesce(named, 'child_id')));
end $$;
comment on function private.row_is_of_child(text, uuid, uuid, uuid) is 'Whether a row of a family, there or gone, is about a child, as the data map''s paths have it.';

create function private.package_account_of_use(person uuid, subject_kind text)
  returns table (at timestamptz, until timestamptz, duty text, what text, operation text, tables text[], scope text, why text, request text)
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  own constant uuid := case subject_kind when 'user' then person end;
  address constant text := (select lower(u.email) from public.users u where u.id = own);
  born constant timestamptz := coalesce((select u.created_at from public.users u where u.id = own), (select min(c.created_at) from public.children c where c.id = person));
  children constant uuid[] := array(select c.child_id from private.package_children(person, subject_kind) c);
  families uuid[];
  since timestamptz[];
begin
  select coalesce(array_agg(f.family_id), '{}'), coalesce(array_agg(f.since), '{}') into families, since from (
    select s.family_id, min(s.since) as since from (
      select m.family_id, m.created_at from public.family_members m where m.user_id = own and m.family_id = any (private.kin_families(own))
      union all
      select c.family_id, x.created_at from private.package_children(person, subject_kind) c join public.children x on (x.family_id, x.id) = (c.family_id, c.child_id)) s (family_id, since)
    group by s.family_id) f;
  return query
  with used (at, until, duty, what, operation, tables, scope, reason, ticket, source, record) as (
    -- What could be seen is known, and by whom; what of it was looked at, is not.
    select g.opened_at, coalesce(g.closed_at, g.expires_at), g.duty, case g.kind when 'read' then 'could_see' when 'impersonation' then 'could_act' else 'break_glass' end,
      null::text, case when g.kind <> 'impersonation' then array(
        select d.resource from ops.duty_permissions d
        where d.duty = g.duty and d.command = 'select' and (d.condition = 'grant' or d.condition = 'subject grant' and g.family_id is null or d.condition = 'break-glass' and g.kind = 'break_glass')
        order by 1) end,
      case when g.user_id is not null then 'self' when g.family_id is not null then 'household' else 'everybody' end, g.reason, g.ticket, 'ops.access_grants', g.id
    from ops.access_grants g
    where g.user_id = own or g.kind = 'break_glass' and coalesce(g.closed_at, g.expires_at) >= born
      or g.family_id = any (families) and coalesce(g.closed_at, g.expires_at) >= since[array_position(families, g.family_id)]
    union all
    -- A search by a beginning of names shows them masked, and does not keep whose they were.
    select l.looked_up_at, null, g.duty, 'looked_up', null, null, case when l.looking_for = 'family' then 'household' else 'self' end, g.reason, g.ticket, 'ops.directory_lookups', l.id
    from ops.directory_lookups l join ops.access_grants g on g.id = l.grant_id
    where l.by = 'id' and lower(btrim(l.query)) = own::text or l.by = 'email' and lower(btrim(l.query)) = address
      or l.by = 'id' and l.looking_for = 'family' and lower(btrim(l.query)) = any (families::text[]) and l.looked_up_at >= since[array_position(families::text[], lower(btrim(l.query)))]
    union all
    select r.asked_at, null, r.duty, 'log_read', r.kind, array['audit.events'], case when r.user_id = own or strpos(r.question::text, person::text) > 0 then 'self' else 'household' end,
      null, null, 'audit.readings', r.id
    from audit.readings r
    where r.user_id = own or strpos(r.question::text, person::text) > 0
      or r.user_id is null and r.family_id = any (families) and r.asked_at >= since[array_position(families, r.family_id)]
    union all
    select d.asked_at, null, d.duty, 'diagnosed', null, null, 'self', null, null, 'ops.access_diagnoses', d.id from ops.access_diagnoses d where d.person = own
    union all
    select x.asked_at, null, x.duty, 'explained', x.command, array[x.table_name], 'self', null, null, 'ops.access_explanations', x.id from ops.access_explanations x where x.person = own
    union all
    select i.asked_at, null, i.duty, case when i.writes then 'acted' else 'saw_as' end, null, null, 'self', g.reason, g.ticket, 'ops.impersonations', i.id
    from ops.impersonations i join ops.access_grants g on g.id = i.grant_id where i.person = own
    union all
    select m.moved_at, null, m.duty, 'moved', m.kind, null, 'household', m.reason, m.ticket, 'ops.moves', m.id
    from ops.moves m
    where (m.from_family = any (families) and m.moved_at >= since[array_position(families, m.from_family)] or m.to_family = any (families) and m.moved_at >= since[array_position(families, m.to_family)])
      and (subject_kind = 'user' or person = any (m.children))
    union all
    (select distinct on (e.id) e.occurred_at, null, e.duty, case when e.acted then 'acted' when e.table_name like 'privacy.%' then 'recorded' else 'changed' end, lower(e.operation::text),
      array[e.table_name], e.scope, e.reason, e.ticket, null, null::uuid
    from (
      select e.id, e.occurred_at, e.duty, e.table_name, e.operation, e.reason, e.ticket, false as acted, 'self' as scope, 1 as nearness
      from audit.events e where e.subject_user = own and e.duty is not null
      union all
      select e.id, e.occurred_at, e.duty, e.table_name, e.operation, e.reason, e.ticket, true, 'self', 0
      from ops.access_grants g join audit.events e on e.session_login = g.operator and e.occurred_at between g.opened_at and coalesce(g.closed_at, g.expires_at)
      where g.kind = 'impersonation' and g.user_id = own and e.app_user = own and e.duty is not null
      union all
      select e.id, e.occurred_at, e.duty, e.table_name, e.operation, e.reason, e.ticket, false, 'household', 3
      from audit.events e
      where subject_kind = 'user' and e.family_id = any (private.kin_families(own)) and e.duty is not null and e.subject_user is null
        and e.occurred_at >= since[array_position(families, e.family_id)]
        and e.table_name in (select a.table_name from privacy.column_answers a where a.exported and a.subject = 'household' and a.table_name like 'public.%')
      union all
      select e.id, e.occurred_at, e.duty, e.table_name, e.operation, e.reason, e.ticket, false, 'child', 2
      from private.package_children(person, subject_kind) c join audit.events e on e.family_id = c.family_id
      where e.duty is not null and e.table_name in (select p.table_name from privacy.paths p where p.subject = 'child' and p.table_name like 'public.%')
        and private.row_is_of_child(e.table_name, c.family_id, e.record_id, c.child_id)) e
    where e.table_name not in ('ops.access_grants', 'ops.access_diagnoses', 'ops.access_explanations', 'ops.impersonations', 'audit.readings')
    order by e.id, e.nearness)
  )
  select u.at, u.until, u.duty, u.what, u.operation, u.tables, u.scope,
    case when q.number is not null then 'request' when p.ticket is not null then 'ticket' when p.reason is not null then 'reason' else 'unknown' end, q.number
  from used u
    left join lateral (
      select e.reason, e.ticket from audit.events e
      where e.record_id = u.record and e.table_name = u.source and e.operation = 'INSERT' limit 1) x on u.reason is null and u.ticket is null
    cross join lateral (select nullif(coalesce(u.reason, x.reason), '') as reason, nullif(coalesce(u.ticket, x.ticket), '') as ticket) p
    left join privacy.requests q on q.number = p.ticket
      and (q.user_id = own or q.child_id = any (children))
  order by u.at desc, u.what, u.operation, u.tables;
end $$;
comment on function private.package_account_of_use(uuid, text) is
  'Each time that staff looked at what is a person''s, could, or changed it: when, by which duty, what, on whose behalf, and why: on a request of the person (its number), a ticket or a reason on file, or unknown. What was opened or asked for others of a household is not in it.';

create function private.package_disclosures(person uuid, subject_kind text)
  returns table (at timestamptz, until timestamptz, ended_at timestamptz, told_on date, recipient text, organization text, what text, known text, data text[], region text, request text)
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  own constant uuid := case subject_kind when 'user' then person end;
  children constant uuid[] := array(select c.child_id from private.package_children(person, subject_kind) c);
  c record;
  s record;
  has boolean;
begin
  return query
    select x.*
    from (
      select e.made_at, null::timestamptz, null::timestamptz, null::date, case r.requester when 'self' then 'subject' else r.requester end, null::text, 'package_made', 'recorded', null::text[], null::text, e.request
      from privacy.exports e join privacy.requests r on r.number = e.request where e.user_id = own or e.child_id = any (children)
      union all
      select coalesce(d.made_at, b.made_at), d.link_expires_at, v.made_at, null, case r.requester when 'self' then 'subject' else r.requester end, null,
        case when d.id is null then 'package_uploading' else 'package_shared' end, 'recorded', null, b.region, b.request
      from privacy.export_shares b join privacy.requests r on r.number = b.request
        left join privacy.export_shares d on d.share_id = b.share_id and d.step = 'shared'
        left join privacy.export_shares v on v.share_id = b.share_id and v.step = 'revoked'
      where b.step = 'begun' and (b.user_id = own or b.child_id = any (children))
      union all
      select n.recorded_at, null, null, n.told_on, case when k.recipient is null then 'third_party' else n.recipient end, case when k.recipient is null then n.recipient end,
        case when n.told_on is null then 'correction_not_told' else 'correction_told' end, 'recorded', array(
          select distinct t.table_name || '.' || t.column_name from privacy.corrections t where t.request_id = n.request_id and n.recipient = any (t.recipients) order by 1), null, r.number
      from privacy.correction_notices n join privacy.requests r on r.id = n.request_id left join privacy.recipients k on k.recipient = n.recipient
      where r.user_id = own or r.child_id = any (children)
      union all
      select g.at, null, null, g.took_place_on, g.party, null, 'consultation', 'recorded', null, null, r.number
      from privacy.request_steps g join privacy.requests r on r.id = g.request_id
      where g.step = 'consulted' and (r.user_id = own or r.child_id = any (children))
      union all
      select l.sent_at, null, null, null, l.channel, null, 'message', 'recorded', array['public.notification_logs'], null, null
      from public.notification_logs l where l.user_id = own and l.sent_at is not null
      union all
      select n.granted_at, n.expires_at, n.withdrawn_at, null, 'third_party', t.name, 'consented', 'possible', n.data_categories, null, null
      from public.consent_records n cross join unnest(n.third_parties) t (name) where n.user_id = own
    ) x (at, until, ended_at, told_on, recipient, organization, what, known, data, region, request)
    order by x.at desc nulls last, x.what, x.recipient, x.organization;
  -- Who gets which columns is known; that and when somebody got them is written down nowhere.
  for c in
    select t.recipient, array_agg(t.table_name order by t.table_name, t.column_name) as tables, array_agg(t.column_name order by t.table_name, t.column_name) as columns
    from privacy.recipient_columns t where to_regclass(t.table_name) is not null group by t.recipient order by t.recipient
  loop
    data := '{}';
    for i in 1 .. cardinality(c.tables) loop
      s := private.package_scope(c.tables[i], person, subject_kind);
      execute format('select exists (select from %s x where (%s or %s) and x.%I is not null and x.%4$I::text not in ('''', ''{}''))', c.tables[i], s.account, s.child, c.columns[i]) into has;
      if has then
        data := data || (c.tables[i] || '.' || c.columns[i]);
      end if;
    end loop;
    if cardinality(data) > 0 then
      select null, null, null, null, c.recipient, null, 'processor', 'possible', null, null into at, until, ended_at, told_on, recipient, organization, what, known, region, request;
      return next;
    end if;
  end loop;
end $$;
comment on function private.package_disclosures(uuid, text) is
  'Who was given what is a person''s: packages and where they lay for them, organizations told of corrections, parties consulted, messages handed to whoever sends them (known: recorded); and whoever the data map or a consent lets have it, where nothing says whether and when (known: possible).';

create function private.package_requests(person uuid, subject_kind text)
  returns table (request text, kind text, regime text, requester text, channel text, received_at timestamptz, due_on date, state text, at timestamptz, event text, detail text, reason text,
    on_day date, until date, days integer, amount numeric, told text)
  language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  with mine as (
    -- In the words of whoever asked: those of one guardian are not the other's, though both ask for the child.
    select r.*, r.child_id is null as own
    from privacy.requests r
    where package_requests.subject_kind = 'user' and (r.user_id = person or lower(r.email) = (select lower(u.email) from public.users u where u.id = person))
      or r.child_id in (select c.child_id from private.package_children(person, package_requests.subject_kind) c)
  )
  select r.number, r.kind, r.regime, r.requester, r.channel, r.received_at, r.due_on, privacy.request_state(r), x.at, x.event, x.detail, x.reason, x.on_day, x.until, x.days, x.amount,
    case when m.own then x.told end
  from mine m join privacy.requests r on r.id = m.id
    cross join lateral (
      select r.opened_at, 'opened', null::text, null::text, r.dated_on, null::date, null::integer, null::numeric, r.asks
      union all
      select s.at, s.step, case s.step when 'identity_checked' then concat_ws('/', s.method, case when s.passed then 'passed' else 'failed' end) when 'extended' then s.ground
          when 'consulted' then concat_ws('/', s.party, s.answer) end,
        case when s.step = 'denied' then s.state_reason end, s.took_place_on, case s.step when 'extended' then s.limit_on when 'denied' then r.recourse_until end, s.days, s.amount, s.told
      from privacy.request_steps s where s.request_id = r.id and s.step not in ('opened', 'amended', 'annotated', 'notified')
      union all
      select c.made_at, c.outcome, c.table_name || '.' || c.column_name, null, null, null, null, null, c.note from privacy.corrections c where c.request_id = r.id
      union all
      select n.recorded_at, case when n.told_on is null then 'not_notified' else 'notified' end, n.recipient, null, n.told_on, null, null, null, n.why_not from privacy.correction_notices n where n.request_id = r.id
      union all
      select c.opened_at, 'complaint_opened', c.body, null, c.made_on, null, null, null, c.reference from privacy.complaints c where c.request_id = r.id
      union all
      select c.closed_at, 'complaint_closed', concat_ws('/', c.body, c.outcome), null, c.closed_on, c.recourse_until, null, null, null from privacy.complaints c where c.request_id = r.id and c.closed_on is not null
    ) x (at, event, detail, reason, on_day, until, days, amount, told)
  order by x.at desc, r.number, x.event;
end;
comment on function private.package_requests(uuid, text) is
  'What became of each request of a person, step by step, the newest first. Words of whoever asked and what they were told only where they are that person.';

-- What is asked from outside ------------------------------------------------------------------------------------------------

create function privacy.package_accounts(person uuid, subject_kind text default 'user') returns table (account text, given bigint)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform privacy.require_package(person, subject_kind);
  return query
    select 'account_of_use', count(*) from private.package_account_of_use(person, subject_kind)
    union all select 'disclosures', count(*) from private.package_disclosures(person, subject_kind)
    union all select 'requests', count(*) from private.package_requests(person, subject_kind);
end $$;
comment on function privacy.package_accounts(uuid, text) is 'How many rows each account of a package has: of the use of what it holds, of disclosures, and of requests.';

create function privacy.package_account(person uuid, account text, columns text[], subject_kind text default 'user') returns setof record
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp
  set timezone = 'UTC' set datestyle = 'ISO' as $$
declare
  values_of text;
  found_columns bigint;
begin
  perform privacy.require_package(person, subject_kind);
  select string_agg(format(case when o.type = 'timestamptz'::regtype then 'to_json(%I)' when o.type = 'integer'::regtype then '%I' when o.type = 'text[]'::regtype then 'to_json(%I)::text' else '%I::text' end, o.name),
      ', ' order by array_position(columns, o.name)), count(*)
  into values_of, found_columns
  from pg_catalog.pg_proc p cross join unnest(p.proargnames, p.proallargtypes, p.proargmodes) o (name, type, mode)
  where p.pronamespace = 'private'::regnamespace and p.proname = 'package_' || account and account in ('account_of_use', 'disclosures', 'requests')
    and o.mode = 't' and o.name = any (columns);
  if values_of is null or found_columns <> cardinality(columns) then
    perform private.fail('NS007', format('a package gives no such account, or not these columns: %s', account));
  end if;
  return query execute format('select 7, %s from private.%I($1, $2)', values_of, 'package_' || account) using person, subject_kind;
end $$;
comment on function privacy.package_account(uuid, text, text[], text) is
  'The rows of an account, as privacy.next_package_rows gives those of a table: 7 and the columns. account_of_use, disclosures or requests; the newest first.';

revoke execute on all functions in schema privacy, private from public;
grant execute on function privacy.package_accounts(uuid, text), privacy.package_account(uuid, text, text[], text) to nestsync_compliance;
