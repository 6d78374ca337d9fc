-- kind: schema
-- locks: none on existing tables
-- transaction: yes
-- reversible: yes
-- seeds: none

-- An erasure takes its rows out of the audit log a batch at a time, in one statement each, and leaves nothing there that it would
-- have to take out again.

create or replace function audit.refuse_change() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  allowed audit.events := old;
begin
  -- What a batch of an erasure changes is held against its leaves as a whole, by private.erase_events.
  if tg_op = 'UPDATE' and private.erasing() then
    return new;
  elsif tg_op = 'UPDATE' then
    for part in 1 .. cardinality(old.salts) loop
      if old.salts[part] is not null and new.salts[part] is null and new.erased_requests[part] ~ '[^[:space:]]' then
        allowed := audit.without_part(allowed, part, new.erased_requests[part]);
      end if;
    end loop;
    -- As text, since json has no equality and arrays differ in bounds as well.
    if new::text = allowed::text and new::text <> old::text and audit.leaf_of(new) = old.leaf then
      return new;
    end if;
  end if;
  perform private.fail('NS004', format('an audit event is never %s', case tg_op when 'UPDATE' then 'changed' else 'deleted' end),
    'A person''s part of it can be erased under an approved request; its skeleton stays.');
  return null;
end $$;

create function audit.with_skeletons(body text, target regclass, category audit.category) returns text
  language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  select regexp_replace(body, '\nbegin\n', replace(format($piece$
begin
  -- Rows that go with the erasure of their family or account: an event each, and nothing of them that had to be erased again.
  if tg_op = 'DELETE' and current_setting('nestsync.imageless', true) = 'on' and private.erasing() then
    select s.head, s.duty, s.app_user, s.request_id, s.reason, s.ticket, s.actor_salt, s.purpose_salt
    into v_head, v_duty, v_app_user, v_request_id, v_reason, v_ticket, v_actor_salt, v_purpose_salt
    from audit.begin_statement(%1$L, v_moment, v_seed) s;
    insert into audit.events (id, xid, occurred_at, epoch, category, operation, table_name, session_login, duty, request_id, app_user, reason, ticket, salts, leaf)
    select e.id, pg_current_xact_id(), v_moment, audit.current_epoch(), %2$L, 'DELETE', %3$L, session_user, v_duty, v_request_id, v_app_user, v_reason, v_ticket,
      array[v_actor_salt, null, v_purpose_salt], sha256(v_head || int8send(e.id) || audit.part_block(null))
    from (select nextval('audit.events_id_seq') as id from old_rows offset 0) e;
    return null;
  end if;
$piece$, audit.netstring('DELETE') || audit.netstring(l.label) || audit.netstring(with_skeletons.category::text), with_skeletons.category, l.label), '\', '\\'))
  from (select n.nspname || '.' || c.relname as label from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.oid = target) l;
end;
comment on function audit.with_skeletons(text, regclass, audit.category) is
  'The body of a capture function, with what it does where a batch of an erasure deletes rows of a family or an account that goes: their events have no subject from the beginning.';

create or replace function audit.attach(
  target regclass, category audit.category, family text default null, person text default null, record text default 'id',
  named text[] default '{}', redacted text[] default '{}'
) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  label text := (select n.nspname || '_' || c.relname from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.oid = target);
  -- Each setting costs a little at every statement, so only those that the table's types are printed by.
  settings text := (
    select coalesce(string_agg(distinct case
      when a.atttypid = 'interval'::regtype then ' set intervalstyle = ''iso_8601'''
      when a.atttypid in ('real'::regtype, 'double precision'::regtype) then ' set extra_float_digits = 1'
      when a.atttypid = 'bytea'::regtype then ' set bytea_output = ''hex''' end, ''), '')
    from pg_catalog.pg_attribute a where a.attrelid = target and a.attnum > 0 and not a.attisdropped);
begin
  execute format('create or replace function audit.%I() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = ''UTC''%s as %L',
    'capture_' || label, settings, audit.with_skeletons(audit.capture_body(target, category, family, person, record, named, redacted), target, category));
  execute format('revoke execute on function audit.%I() from public', 'capture_' || label);
  if not exists (select from pg_catalog.pg_trigger g where g.tgrelid = target and g.tgname = 'audit_insert') then
    execute format('create trigger audit_insert after insert on %s referencing new table as new_rows for each statement execute function audit.%I()', target, 'capture_' || label);
    execute format('create trigger audit_update after update on %s referencing old table as old_rows new table as new_rows for each statement execute function audit.%I()', target, 'capture_' || label);
    execute format('create trigger audit_delete after delete on %s referencing old table as old_rows for each statement execute function audit.%I()', target, 'capture_' || label);
  end if;
  -- TRUNCATE fires no trigger for rows.
  if not exists (select from pg_catalog.pg_trigger g where g.tgrelid = target and g.tgtype & 32 <> 0) then
    execute format('create trigger audit_no_truncate before truncate on %s execute function private.refuse_truncate()', target);
  end if;
  insert into audit.captured_tables (table_name, category, named_columns, redacted_columns, columns)
  select target, category, named, redacted, array_agg(a.attname::text order by a.attnum)
  from pg_catalog.pg_attribute a where a.attrelid = target and a.attnum > 0 and not a.attisdropped
  on conflict (table_name) do update set category = excluded.category, named_columns = excluded.named_columns,
    redacted_columns = excluded.redacted_columns, columns = excluded.columns;
end $$;

do $$
declare
  c record;
begin
  for c in
    select t.table_name, t.category, p.oid, p.prosrc
    from audit.captured_tables t join pg_catalog.pg_class k on k.oid = t.table_name join pg_catalog.pg_namespace n on n.oid = k.relnamespace
      join pg_catalog.pg_proc p on p.pronamespace = 'audit'::regnamespace and p.proname = 'capture_' || n.nspname || '_' || k.relname
  loop
    execute replace(pg_get_functiondef(c.oid), c.prosrc, audit.with_skeletons(c.prosrc, c.table_name, c.category));
  end loop;
end $$;

create or replace function audit.coverage(target regclass, out live bigint, out logged bigint, out before_log bigint, out faults bigint, out named jsonb)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' set intervalstyle = 'iso_8601' as $$
declare
  label text := (select n.nspname || '.' || c.relname from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.oid = target);
begin
  if coalesce(private.session_duty(), '') not in ('auditor', 'compliance', 'admin') then
    perform private.fail('NS004', 'rows are compared with the log under the duty auditor, compliance or admin');
  end if;
  if not exists (select from audit.captured_tables t where t.table_name = target) then
    perform private.fail('NS006', format('%s is not captured', label));
  end if;
  execute format($q$
    with live as materialized (%1$s),
    events as (
      select e.id, e.operation, e.family_id, e.subject_user, coalesce(e.record_id::text, e.record_key) as record,
        audit.image(e.old_row, e.named_columns, e.named_old) as before, audit.image(e.new_row, e.named_columns, e.named_new) as after,
        coalesce(array_remove(e.erased_requests, null), '{}') <> '{}' as erased,
        max(e.id) filter (where e.operation = 'INSERT') over (partition by e.family_id, coalesce(e.record_id::text, e.record_key)) as born
      from audit.events e where e.table_name = %2$L and coalesce(e.record_id::text, e.record_key) is not null
    ),
    lives as (
      select e.family_id, e.record, (array_agg(e.subject_user))[1] as subject_user, (array_agg(e.operation order by e.id desc))[1] as last, bool_or(e.born is not null) as born, bool_or(e.erased) as erased,
        audit.folded(e.after order by e.id) filter (where e.after is not null and e.id >= e.born) as after,
        audit.folded(e.before order by e.id desc) filter (where e.before is not null and e.operation = 'UPDATE') as before
      from events e group by e.family_id, e.record
    ),
    compared as (
      select coalesce(r.family_id, v.family_id) as family_id, coalesce(r.record, v.record) as record, v.subject_user, r.image, v.after, b.digest is not null as old, coalesce(v.erased, false) as erased,
        case
          when r.record is null and v.last <> 'DELETE' then 'vanished'
          when r.record is null then null
          when v.last = 'DELETE' then 'reappeared'
          when v.born then case when r.image <> coalesce(v.after, '{}') then 'differs' end
          when b.digest is null then 'never_logged'
          when b.digest <> sha256(b.salt || convert_to((r.image || coalesce(v.before, '{}'))::text, 'UTF8')) then 'differs'
        end as kind
      from live r
        full join lives v on v.record = r.record and v.family_id is not distinct from r.family_id
        left join audit.baselines b on b.table_name = %2$L and b.record = r.record and b.family_id is not distinct from r.family_id
    ),
    wrong as (
      select c.kind, c.family_id, c.record,
        case when c.kind = 'differs' and c.after is not null then array(
          select k from jsonb_object_keys(c.image || c.after) k where c.image -> k is distinct from c.after -> k order by k) end as columns
      from compared c where c.kind is not null and not (c.erased and c.kind in ('differs', 'vanished'))
        -- What an erasure has deleted and not taken out of the log yet.
        and not (c.kind = 'vanished' and exists (select from privacy.erasures p where p.begun_at is not null and p.erased_at is null
          and (c.family_id = any (p.families) or c.subject_user = p.person)))
    )
    select (select count(*) from live), (select count(*) from lives), (select count(*) from compared c where c.old), (select count(*) from wrong),
      coalesce((select jsonb_agg(w) from (select * from wrong order by kind, record limit 100) w), '[]')$q$,
    audit.live_rows(target), label)
  into live, logged, before_log, faults, named;
end $$;

drop function private.erase_events(privacy.erasures, jsonb, integer);
create function private.erase_events(e privacy.erasures, last_key jsonb, wanted integer, out done integer, out reached jsonb, out finished boolean)
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  names constant text[] := array(select i.value from privacy.erasure_identifiers i where i.erasure_id = e.id and i.names = any ('{name,email,phone}'));
  terms constant text[] := names || e.person::text;
  asked constant uuid[] := array(select i.value::uuid from privacy.erasure_identifiers i where i.erasure_id = e.id and i.names = 'reading');
  ids constant text[] := array(select i.value from privacy.erasure_identifiers i where i.erasure_id = e.id and i.names in ('id', 'email'));
  -- Where somebody is named within a plan or a question, or by an address alone.
  telling constant text[] := array(select distinct p.table_name from privacy.paths p where p.compares in ('contains', 'lower') and p.table_name <> 'public.users');
  from_at constant timestamptz := coalesce((last_key ->> 0)::timestamptz, '-infinity');
  from_id constant bigint := coalesce((last_key ->> 1)::bigint, 0);
  -- Most events are of others: where a transaction that finds few ends.
  to_at timestamptz;
  to_id bigint;
  erased bigint;
  broken bigint;
begin
  select x.occurred_at, x.id into to_at, to_id from audit.events x where (x.occurred_at, x.id) > (from_at, from_id)
  order by x.occurred_at, x.id offset wanted * 20 limit 1;
  with taken as materialized (
    select x.*, x.app_user = e.person as acted, w.subject, x.family_id = any (e.families) as whole
    from audit.events x cross join lateral (
      select x.subject_user = e.person or x.family_id = any (e.families)
        or x.table_name = any (telling) and (x.record_id = any (asked) or exists (select from unnest(ids) i where strpos(lower(concat(x.old_row, x.new_row)), i) > 0)) as subject) w
    where (x.occurred_at, x.id) > (from_at, from_id) and (x.occurred_at, x.id) <= (coalesce(to_at, 'infinity'), coalesce(to_id, 0))
      and (x.app_user = e.person or w.subject or x.named_columns is not null and (x.named_old && terms or x.named_new && terms))
    order by x.occurred_at, x.id limit wanted for update of x
  ), gone as (
    update audit.events x set
      app_user = case when y.acted then null else x.app_user end,
      family_id = case when y.subject then null else x.family_id end, subject_user = case when y.subject then null else x.subject_user end,
      record_id = case when y.subject then null else x.record_id end, record_key = case when y.subject then null else x.record_key end,
      changed_columns = case when y.subject then null else x.changed_columns end,
      old_row = case when y.subject then null else x.old_row end, new_row = case when y.subject then null else x.new_row end,
      named_old = p.named_old, named_new = p.named_new, salts = p.salts, erased_hashes = p.erased_hashes, erased_requests = p.erased_requests
    from taken y cross join lateral (
      select array_agg(case when not g.goes then y.salts[g.part] end order by g.part) as salts,
        array_agg(case when g.goes then sha256(y.salts[g.part] || convert_to(g.content, 'UTF8')) else y.erased_hashes[g.part] end order by g.part) as erased_hashes,
        array_agg(case when g.goes then e.request else y.erased_requests[g.part] end order by g.part) as erased_requests,
        case when y.named_old is not null then array_agg(case when not g.goes then y.named_old[g.part - 3] end order by g.part) filter (where g.part > 3) end as named_old,
        case when y.named_new is not null then array_agg(case when not g.goes then y.named_new[g.part - 3] end order by g.part) filter (where g.part > 3) end as named_new,
        count(*) filter (where g.goes) as parts
      from (
        select n.part, y.salts[n.part] is not null and coalesce(case n.part when 1 then y.acted when 2 then y.subject when 3 then false
            else y.whole or y.named_old[n.part - 3] = any (terms) or y.named_new[n.part - 3] = any (terms) end, false) as goes,
          -- As audit.part_content, whose calls would cost many times what the hashing costs.
          case n.part when 1 then format('36:%s,', y.app_user)
            when 2 then format('%s:%s,%s:%s,%s:%s,%s:%s,%s:%s,%s:%s,%s:%s,', octet_length(y.family_id::text), y.family_id, octet_length(y.subject_user::text), y.subject_user,
              octet_length(y.record_id::text), y.record_id, octet_length(y.record_key), y.record_key, octet_length(c.columns), c.columns,
              octet_length(y.old_row::text), y.old_row, octet_length(y.new_row::text), y.new_row)
            when 3 then null
            else format('%s:%s,%s:%s,%s:%s,', octet_length(y.named_columns[n.part - 3]), y.named_columns[n.part - 3],
              octet_length(y.named_old[n.part - 3]), y.named_old[n.part - 3], octet_length(y.named_new[n.part - 3]), y.named_new[n.part - 3]) end as content
        from generate_subscripts(y.salts, 1) n (part), (
          select case when y.changed_columns is not null then (
            select string_agg(octet_length(u.c) || ':' || u.c || ',', '' order by u.at) from unnest(y.changed_columns) with ordinality u (c, at)) end as columns) c) g) p
    where (x.occurred_at, x.id, x.category) = (y.occurred_at, y.id, y.category) and p.parts > 0
    returning p.parts
  )
  select (select count(*)::integer from gone), (select coalesce(sum(g.parts), 0) from gone g), last.last_key is null and to_at is null,
    coalesce(last.last_key, case when to_at is not null then jsonb_build_array(to_at, to_id) end, erase_events.last_key)
  from (select (select jsonb_build_array(y.occurred_at, y.id) from taken y where (select count(*) from taken) = wanted order by y.occurred_at desc, y.id desc limit 1)) last (last_key)
  into done, erased, finished, reached;
  -- In another statement, which sees what that one wrote.
  select h.id into broken from audit.event_hashes h
  where (h.occurred_at, h.id) > (from_at, from_id) and (h.occurred_at, h.id) <= (coalesce(case when finished then null else (reached ->> 0)::timestamptz end, 'infinity'), coalesce((reached ->> 1)::bigint, 0)) and e.request = any (h.erased_requests)
    and h.leaf_now is distinct from h.leaf limit 1;
  if broken is not null then
    perform private.fail('NS005', format('the event %s of the audit log is not as its leaf says: nothing is erased in it', broken), 'nestctl audit verify');
  end if;
  update audit.erasures x set events = x.events + done, parts = x.parts + erased where x.approval_id = e.approval_id;
end $$;
comment on function private.erase_events(privacy.erasures, jsonb, integer) is 'Takes the person out of so many events of the audit log, from a point in time on, or passes over twenty times as many of others.';

create or replace function private.do_step(e privacy.erasures, s privacy.erasure_steps, wanted integer, out done integer, out last_key jsonb)
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  keys record;
  setting text;
begin
  select string_agg(format('x.%I', a.attname), ', ' order by k.at) as columns, string_agg(format('x.%I::text', a.attname), ', ' order by k.at) as texts,
    string_agg(format('%L::%s', s.last_key ->> (k.at - 1)::integer, format_type(a.atttypid, a.atttypmod)), ', ' order by k.at) as last
  into keys
  from pg_catalog.pg_index i cross join unnest(i.indkey) with ordinality k (attnum, at)
    join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
  where i.indrelid = to_regclass(s.table_name) and i.indisprimary;
  -- The log learns which rows went by the erasure of their family or account, and nothing of them that had to be erased again.
  perform set_config('nestsync.imageless', case when s.does = 'delete' and exists (
    select from audit.captured_tables c where c.table_name = to_regclass(s.table_name) and case s.rows_of when 'gone' then 'family_id' else 'user_id' end = any (c.columns))
    and s.rows_of in ('own', 'gone') and s.table_name ~ '^public\.' then 'on' else 'off' end, true);
  if s.does <> 'delete' then
    select string_agg(format('%I = %s', v.column_name, v.value), ', ') into setting from private.settings_of(s) v;
  end if;
  execute format('
    with taken as materialized (
      select x.ctid as "nestctl place", %1$s as "nestctl order", jsonb_build_array(%2$s) as "nestctl key" from %3$s x where (%4$s)%5$s order by %6$s limit %7$s for update),
    gone as (%8$s returning 1)
    select (select count(*)::integer from gone), (select t."nestctl key" from taken t order by t."nestctl order" desc limit 1)',
    case when keys.columns is null then 'x.ctid' else format('row(%s)', keys.columns) end, coalesce(keys.texts, 'null'), s.table_name, private.step_rows(e, s),
    case when s.last_key is null or keys.columns is null then '' else format(' and (%s) > (%s)', keys.columns, keys.last) end,
    coalesce(keys.columns, 'x.ctid'), wanted,
    case when s.does = 'delete' then format('delete from %s x using taken t where x.ctid = t."nestctl place"', s.table_name)
      else format('update %s x set %s from taken t where x.ctid = t."nestctl place"', s.table_name, setting) end)
  into done, last_key;
end $$;

create or replace function privacy.erase_batch(number text, wanted integer default 5000) returns table (step integer, table_name text, does text, done integer, more boolean)
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  e privacy.erasures;
  s privacy.erasure_steps;
  batch integer;
  reached jsonb;
  held text;
  rest integer;
  last integer;
  finished boolean := true;
begin
  perform private.require_request_duty();
  e := private.lock_erasure(number);
  if e.begun_at is null then
    perform private.fail('NS005', 'it has not begun', format('nestctl erasure run %s', number));
  elsif e.ledger is null then
    perform private.fail('NS005', 'it does not stand in the ledger yet, which outlives a restore', format('nestctl erasure run %s', number));
  elsif e.erased_at is not null then
    return;
  end if;
  held := private.hold_on(e.person, e.families, e.replays is not null, e.ledger);
  if held is not null then
    perform private.fail('NS005', private.held_by(held, 'what would be erased'), private.look_at_hold(held));
  end if;
  select x.* into s from privacy.erasure_steps x where x.erasure_id = e.id and x.done_at is null order by x.at limit 1;
  batch := private.next_batch(e, s.at);
  if not found then
    -- Whoever wrote meanwhile: what was done is looked at again, from its beginning.
    for s in select x.* from privacy.erasure_steps x where x.erasure_id = e.id and x.does <> 'refresh' and x.table_name <> 'audit.events' order by x.at loop
      execute format('select count(*) from (select from %s x where %s limit 1) y', s.table_name,
        case s.does when 'delete' then private.step_rows(e, s) else format('(%s) and (%s)', private.step_rows(e, s), private.not_yet(s)) end) into rest;
      if rest > 0 then
        update privacy.erasure_steps x set last_key = null, done_at = null where x.erasure_id = e.id and (x.at = s.at or x.table_name = 'audit.events');
        return query select s.at, s.table_name, s.does, 0, true;
        return;
      end if;
    end loop;
    -- And where they had nothing when it began.
    select max(x.at) into last from privacy.erasure_steps x where x.erasure_id = e.id;
    insert into privacy.erasure_steps (erasure_id, at, table_name, rows_of, does, columns)
    select e.id, last + row_number() over (order by coalesce(d.depth, 0) desc, l.step ->> 'table', l.step ->> 'rows_of', l.columns), l.step ->> 'table', l.step ->> 'rows_of', l.step ->> 'does', l.columns
    from private.late_steps(e) l left join private.key_depth() d on d.table_name = l.step ->> 'table';
    get diagnostics rest = row_count;
    if rest > 0 then
      -- The log comes last.
      update privacy.erasure_steps x set at = last + rest + 1, last_key = null, done_at = null where x.erasure_id = e.id and x.table_name = 'audit.events';
      return query select x.at, x.table_name, x.does, 0, true from privacy.erasure_steps x where x.erasure_id = e.id and x.at = last + 1;
      return;
    end if;
    update privacy.erasure_steps x set last_key = null where x.erasure_id = e.id;
    update privacy.erasures x set erased_at = clock_timestamp() where x.id = e.id;
    return;
  end if;
  if s.does = 'refresh' then
    execute format('refresh materialized view %s', s.table_name);
    done := 0;
  elsif s.table_name = 'audit.events' then
    select x.done, x.reached, x.finished into done, reached, finished from private.erase_events(e, s.last_key, wanted) x;
  else
    select x.done, x.last_key, x.done < wanted into done, reached, finished from private.do_step(e, s, wanted) x;
  end if;
  update privacy.erasure_steps x set rows = x.rows + erase_batch.done, last_key = coalesce(reached, x.last_key), done_at = case when finished then clock_timestamp() end
  where x.erasure_id = e.id and x.at = s.at;
  update privacy.erasure_batches b set rows = erase_batch.done where b.erasure_id = e.id and b.number = batch;
  return query select s.at, s.table_name, s.does, erase_batch.done, true;
end $$;

create or replace function privacy.prove_erasure(number text, looked_at text[] default '{}') returns privacy.erasures
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  e privacy.erasures;
  findings jsonb;
  unknown text;
  told record;
  seen constant text[] := array(select distinct btrim(l) from unnest(looked_at) l order by 1);
begin
  perform private.require_request_duty();
  e := private.lock_erasure(number);
  if e.erased_at is null then
    perform private.fail('NS005', 'it is not at its end', format('nestctl erasure run %s', number));
  elsif e.closed_at is not null then
    return e;
  end if;
  -- What the planner remembers of them is forgotten where its owner has it look again.
  for told in
    select distinct t.oid::regclass as name
    from private.residue_in_statistics(e) r join pg_catalog.pg_class c on c.oid = to_regclass(regexp_replace(r.column_name, '\.[^.]*$', ''))
      left join pg_catalog.pg_index i on i.indexrelid = c.oid join pg_catalog.pg_class t on t.oid = coalesce(i.indrelid, c.oid)
    where r.state <> 'kept' and t.relowner = (select o.oid from pg_catalog.pg_roles o where o.rolname = current_user)
  loop
    execute format('analyze %s', told.name);
  end loop;
  -- Of a partial index that has no row any more it keeps what it remembered: only the index made anew forgets.
  for told in
    select distinct c.oid::regclass as name, pg_get_indexdef(c.oid) as made
    from private.residue_in_statistics(e) r join pg_catalog.pg_class c on c.oid = to_regclass(regexp_replace(r.column_name, '\.[^.]*$', ''))
    where r.state <> 'kept' and c.relkind = 'i' and c.relowner = (select o.oid from pg_catalog.pg_roles o where o.rolname = current_user)
      and not exists (select from pg_catalog.pg_constraint x where x.conindid = c.oid)
  loop
    execute format('drop index %s', told.name);
    execute told.made;
  end loop;
  select coalesce(jsonb_agg(jsonb_build_object('table', f.table_name, 'column', f.column_name, 'names', f.names, 'rows', f.rows,
      -- What names them by an id, an address or a number cannot be somebody else.
      'state', case when f.state in ('residue', 'kept', 'namesake') then f.state when f.place = any (seen) then 'looked_at' when f.state = 'possible' then f.state else 'unread' end,
      'why', case when f.state not in ('residue', 'kept', 'namesake', 'possible') then f.state end) order by f.table_name, f.column_name, f.names), '[]')
  into findings
  from (select r.*, concat_ws('.', case when r.table_name = 'pg_catalog.pg_stats' then null else r.table_name end, r.column_name) as place from private.find_residue(e) r) f;
  select l into unknown from unnest(seen) l
  where not exists (select from jsonb_array_elements(findings) f where f ->> 'state' = 'looked_at' and l in (concat_ws('.', f ->> 'table', f ->> 'column'), f ->> 'column')) limit 1;
  if found then
    perform private.fail('NS007', format('nothing was found in %s that could be looked at', unknown), format('nestctl erasure verify %s', number));
  end if;
  update privacy.erasures x set proof = jsonb_build_object('scanned_at', to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'scanned_by', session_user, 'found', findings),
    proven_at = case when not exists (select from jsonb_array_elements(findings) f where f ->> 'state' not in ('kept', 'namesake', 'looked_at')) then clock_timestamp() end
  where x.id = e.id returning x.* into e;
  return e;
end $$;

create or replace function private.residue_in_statistics(e privacy.erasures) returns table (table_name text, column_name text, names text, rows bigint, state text)
  language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  select 'pg_catalog.pg_stats'::text, s.schemaname || '.' || s.tablename || '.' || s.attname, i.names, count(*),
    case when exists (select from privacy.column_answers a where a.table_name = s.schemaname || '.' || s.tablename and a.column_name = s.attname and a.erasure = 'keep' and a.obligation is not null)
        -- An index remembers by the columns of its table.
        or i.names = 'id' and exists (select from pg_catalog.pg_index x join pg_catalog.pg_class t on t.oid = x.indrelid join pg_catalog.pg_namespace n on n.oid = t.relnamespace
          join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_class'::regclass and d.objid = x.indexrelid and d.refobjid = x.indrelid
          join pg_catalog.pg_attribute c on c.attrelid = x.indrelid and c.attnum = d.refobjsubid and c.attnum > 0
          join privacy.column_answers a on a.table_name = n.nspname || '.' || t.relname and a.column_name = c.attname and a.erasure = 'keep' and a.obligation is not null
          where x.indexrelid = to_regclass(format('%I.%I', s.schemaname, s.tablename))) then 'kept'
      when i.names not in ('name', 'child') then 'residue'
      when exists (select from privacy.naming_columns m where m.table_name = s.schemaname || '.' || s.tablename and m.column_name = s.attname and m.names = 'name')
        -- What an index remembers is what its table holds, which is searched itself.
        or exists (select from pg_catalog.pg_class c where c.oid = to_regclass(format('%I.%I', s.schemaname, s.tablename)) and c.relkind = 'i') then 'namesake' else 'possible' end
  from pg_catalog.pg_stats s cross join lateral (select lower(concat_ws(E'\x1f', s.most_common_vals::text, s.histogram_bounds::text, s.most_common_elems::text) collate "C") as hay) h
    join privacy.erasure_identifiers i on i.erasure_id = e.id
  where exists (select from private.spellings(i.names, i.value) p where strpos(h.hay, p.spelled) > 0 and (i.names not in ('name', 'child') or private.is_word(p.spelled, h.hay)))
  group by 2, 3, 5;
end;

revoke execute on all functions in schema audit, private from public;
