create or replace function private.residue_in_statistics(e privacy.erasures) returns table (table_name text, column_name text, names text, rows bigint, state text)
  language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  select 'pg_catalog.pg_stats'::text, s.schemaname || '.' || s.tablename || '.' || s.attname, i.names, count(*),
    case when exists (select from privacy.column_answers a where a.table_name = s.schemaname || '.' || s.tablename and a.column_name = s.attname and a.erasure = 'keep' and a.obligation is not null) then 'kept'
      when i.names not in ('name', 'child') then 'residue'
      when exists (select from privacy.naming_columns m where m.table_name = s.schemaname || '.' || s.tablename and m.column_name = s.attname and m.names = 'name')
        -- What an index remembers is what its table holds, which is searched itself.
        or exists (select from pg_catalog.pg_class c where c.oid = to_regclass(format('%I.%I', s.schemaname, s.tablename)) and c.relkind = 'i') then 'namesake' else 'possible' end
  from pg_catalog.pg_stats s cross join lateral (select lower(concat_ws(E'\x1f', s.most_common_vals::text, s.histogram_bounds::text, s.most_common_elems::text) collate "C") as hay) h
    join privacy.erasure_identifiers i on i.erasure_id = e.id
  where exists (select from private.spellings(i.names, i.value) p where strpos(h.hay, p.spelled) > 0 and (i.names not in ('name', 'child') or private.is_word(p.spelled, h.hay)))
  group by 2, 3, 5;
end;

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
    select x.done, x.reached into done, reached from private.erase_events(e, s.last_key, wanted) x;
  else
    select x.done, x.last_key into done, reached from private.do_step(e, s, wanted) x;
  end if;
  update privacy.erasure_steps x set rows = x.rows + erase_batch.done, last_key = coalesce(reached, x.last_key), done_at = case when erase_batch.done < wanted then clock_timestamp() end
  where x.erasure_id = e.id and x.at = s.at;
  update privacy.erasure_batches b set rows = erase_batch.done where b.erasure_id = e.id and b.number = batch;
  return query select s.at, s.table_name, s.does, erase_batch.done, true;
end $$;

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

drop function private.erase_events(privacy.erasures, jsonb, integer);
create function private.erase_events(e privacy.erasures, last_key jsonb, wanted integer, out done integer, out reached jsonb, out parts bigint)
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  names constant text[] := array(select i.value from privacy.erasure_identifiers i where i.erasure_id = e.id and i.names = any ('{name,email,phone}'));
  asked constant uuid[] := array(select i.value::uuid from privacy.erasure_identifiers i where i.erasure_id = e.id and i.names = 'reading');
  ids constant text[] := array(select i.value from privacy.erasure_identifiers i where i.erasure_id = e.id and i.names in ('id', 'email'));
  -- Where somebody is named within a plan or a question, or by an address alone.
  telling constant text[] := array(select distinct p.table_name from privacy.paths p where p.compares in ('contains', 'lower') and p.table_name <> 'public.users');
  v audit.events;
  found integer[];
  part integer;
begin
  done := 0;
  parts := 0;
  for v in
    select x.* from audit.events x
    where (last_key is null or (x.occurred_at, x.id) > ((last_key ->> 0)::timestamptz, (last_key ->> 1)::bigint))
      and (x.app_user = e.person or x.subject_user = e.person or x.family_id = any (e.families)
        or (x.table_name = any (telling) and (x.record_id = any (asked) or exists (select from unnest(ids) i where strpos(lower(concat(x.old_row, x.new_row)), i) > 0)))
        or (x.named_columns is not null and (x.named_old && (names || e.person::text) or x.named_new && (names || e.person::text))))
    order by x.occurred_at, x.id limit wanted for update
  loop
    reached := jsonb_build_array(v.occurred_at, v.id);
    found := audit.parts_about(v, e.person, e.families, names);
    if v.table_name = any (telling) and (v.record_id = any (asked) or exists (select from unnest(ids) i where strpos(lower(concat(v.old_row, v.new_row)), i) > 0)) then
      found := array(select distinct unnest(found || 2) order by 1);
    end if;
    foreach part in array found loop
      if v.salts[part] is not null then
        v := audit.without_part(v, part, e.request);
        parts := parts + 1;
      end if;
    end loop;
    update audit.events x set
      app_user = v.app_user, family_id = v.family_id, subject_user = v.subject_user, record_id = v.record_id, record_key = v.record_key,
      changed_columns = v.changed_columns, old_row = v.old_row, new_row = v.new_row, named_old = v.named_old, named_new = v.named_new,
      reason = v.reason, ticket = v.ticket, salts = v.salts, erased_hashes = v.erased_hashes, erased_requests = v.erased_requests
    where x.id = v.id and x.occurred_at = v.occurred_at and x.category = v.category and x.salts is distinct from v.salts;
    done := done + 1;
  end loop;
  update audit.erasures x set events = x.events + done, parts = x.parts + erase_events.parts where x.approval_id = e.approval_id;
end $$;
comment on function private.erase_events(privacy.erasures, jsonb, integer) is 'Takes the person out of so many events of the audit log, from a point in time on.';
revoke execute on function private.erase_events(privacy.erasures, jsonb, integer) from public;

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
      select e.id, e.operation, e.family_id, coalesce(e.record_id::text, e.record_key) as record,
        audit.image(e.old_row, e.named_columns, e.named_old) as before, audit.image(e.new_row, e.named_columns, e.named_new) as after,
        coalesce(array_remove(e.erased_requests, null), '{}') <> '{}' as erased,
        max(e.id) filter (where e.operation = 'INSERT') over (partition by e.family_id, coalesce(e.record_id::text, e.record_key)) as born
      from audit.events e where e.table_name = %2$L and coalesce(e.record_id::text, e.record_key) is not null
    ),
    lives as (
      select e.family_id, e.record, (array_agg(e.operation order by e.id desc))[1] as last, bool_or(e.born is not null) as born, bool_or(e.erased) as erased,
        audit.folded(e.after order by e.id) filter (where e.after is not null and e.id >= e.born) as after,
        audit.folded(e.before order by e.id desc) filter (where e.before is not null and e.operation = 'UPDATE') as before
      from events e group by e.family_id, e.record
    ),
    compared as (
      select coalesce(r.family_id, v.family_id) as family_id, coalesce(r.record, v.record) as record, r.image, v.after, b.digest is not null as old, coalesce(v.erased, false) as erased,
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
    )
    select (select count(*) from live), (select count(*) from lives), (select count(*) from compared c where c.old), (select count(*) from wrong),
      coalesce((select jsonb_agg(w) from (select * from wrong order by kind, record limit 100) w), '[]')$q$,
    audit.live_rows(target), label)
  into live, logged, before_log, faults, named;
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
    execute replace(pg_get_functiondef(c.oid), c.prosrc, regexp_replace(c.prosrc, '\n  -- Rows that go with the erasure.*?\n  end if;', ''));
  end loop;
end $$;

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
    'capture_' || label, settings, audit.capture_body(target, category, family, person, record, named, redacted));
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

drop function audit.with_skeletons(text, regclass, audit.category);
create or replace function audit.refuse_change() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  allowed audit.events := old;
begin
  if tg_op = 'UPDATE' then
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
comment on function audit.refuse_change() is
  'Lets one thing pass: an update to exactly what audit.without_part makes of an event whose leaf verifies.';
