-- kind: schema
-- locks: SHARE ROW EXCLUSIVE on every audited table, briefly
-- transaction: yes
-- reversible: yes, where no event was ever written
-- seeds: audit.captured_tables, audit.epochs

create schema audit;
comment on schema audit is 'Append-only log of every data modification. The byte format of a leaf is documented in sql/docs/audit-leaf.md.';
grant usage on schema audit to nestsync_support, nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin;

create type audit.category as enum ('modification', 'consent', 'emergency', 'access', 'authentication');
comment on type audit.category is 'Decides retention: modification, consent and emergency 7 years, access 3 years, authentication 1 year.';
create type audit.operation as enum ('INSERT', 'UPDATE', 'DELETE');

create table audit.epochs (
  epoch integer primary key check (epoch > 0),
  system_identifier text not null,
  timeline integer not null,
  began_at timestamptz not null default clock_timestamp()
);
comment on table audit.epochs is
  'An epoch is one life of the cluster: (system identifier, timeline). A recovery, failover or dump into a new cluster begins another.';
insert into audit.epochs (epoch, system_identifier, timeline)
select 1, (select system_identifier::text from pg_control_system()), (select timeline_id from pg_control_checkpoint());

create sequence audit.events_id_seq as bigint;

create table audit.events (
  id bigint not null default nextval('audit.events_id_seq'),
  xid xid8 not null,
  occurred_at timestamptz not null,
  epoch integer not null,
  category audit.category not null,
  operation audit.operation not null,
  table_name text not null,
  session_login text not null,
  duty text,
  request_id text,
  app_user uuid,
  family_id uuid,
  subject_user uuid,
  record_id uuid,
  record_key text,
  changed_columns text[],
  old_row json,
  new_row json,
  named_columns text[],
  named_old text[],
  named_new text[],
  reason text,
  ticket text,
  salts bytea[] not null,
  leaf bytea not null,
  erased_hashes bytea[],
  erased_requests text[],
  primary key (occurred_at, id, category)
) partition by list (category);
alter sequence audit.events_id_seq owned by audit.events.id;
comment on table audit.events is
  'One event for each row that a statement changed. In clear under the leaf: xid, occurred_at, epoch, category, operation, table_name, session_login, duty, request_id, id. Everything else enters the leaf as salted hashes by part (actor, subject, purpose, each named column), so that a part can be erased and the leaf still verifies.';
comment on column audit.events.old_row is 'DELETE: the row; UPDATE: the changed columns before. json keeps the very bytes that were hashed.';
comment on column audit.events.new_row is 'INSERT: the row; UPDATE: the changed columns after.';
comment on column audit.events.named_columns is 'Columns that name another person than the row''s subject; each is a part of its own.';
comment on column audit.events.salts is 'One 16-byte salt a part: 1 actor, 2 subject, 3 purpose, 4 and up the named columns. Null: the part is absent or erased.';
comment on column audit.events.erased_hashes is 'The hash of each part erased by law, in the order of salts.';

create index events_id_idx on audit.events using brin (id) with (pages_per_range = 16);
create index events_family_idx on audit.events (family_id, occurred_at, id) where family_id is not null;
create index events_record_idx on audit.events (record_id) where record_id is not null;
create index events_subject_idx on audit.events (subject_user, occurred_at, id) where subject_user is not null;
create index events_app_user_idx on audit.events (app_user, occurred_at, id) where app_user is not null;
create index events_operator_idx on audit.events (session_login, occurred_at, id) where duty is not null;
create index events_request_idx on audit.events (request_id, occurred_at, id) where request_id is not null;
create index events_ticket_idx on audit.events (ticket, occurred_at, id) where ticket is not null;

-- Reading a leaf back ---------------------------------------------------------------------------------------

create function audit.netstring(value text) returns bytea
  language sql immutable parallel safe set search_path = pg_catalog, pg_temp
  return case when value is null then '\x7e'::bytea
    else convert_to(octet_length(convert_to(value, 'UTF8')) || ':' || value || ',', 'UTF8') end;
comment on function audit.netstring(text) is 'length ":" bytes ","; "~" for an absent value.';

create function audit.part_content(e audit.events, part integer) returns bytea
  language sql immutable parallel safe set search_path = pg_catalog, pg_temp
  return case part
    when 1 then case when e.app_user is not null then audit.netstring(e.app_user::text) end
    when 2 then case when num_nonnulls(e.family_id, e.subject_user, e.record_id, e.record_key, e.old_row, e.new_row) > 0 then
        audit.netstring(e.family_id::text) || audit.netstring(e.subject_user::text) || audit.netstring(e.record_id::text)
        || audit.netstring(e.record_key) || audit.netstring(array_to_string(e.changed_columns, ','))
        || audit.netstring(e.old_row::text) || audit.netstring(e.new_row::text) end
    when 3 then case when num_nonnulls(e.reason, e.ticket) > 0 then audit.netstring(e.reason) || audit.netstring(e.ticket) end
    else audit.netstring(e.named_columns[part - 3]) || audit.netstring(e.named_old[part - 3]) || audit.netstring(e.named_new[part - 3])
  end;

create function audit.part_hash(e audit.events, part integer) returns bytea
  language sql immutable parallel safe set search_path = pg_catalog, pg_temp
  return coalesce(e.erased_hashes[part], sha256(e.salts[part] || audit.part_content(e, part)));
comment on function audit.part_hash(audit.events, integer) is
  'SHA-256(salt || content) of a part, from its content or as kept when it was erased; null for an absent part.';

create function audit.leaf_of(e audit.events) returns bytea
  language sql immutable parallel safe set search_path = pg_catalog, pg_temp
  return sha256(
    '\x00'::bytea || audit.netstring('nestsync-audit-1') || audit.netstring(e.epoch::text) || audit.netstring(e.xid::text)
    || audit.netstring((extract(epoch from e.occurred_at) * 1000000)::bigint::text)
    || audit.netstring(e.operation::text) || audit.netstring(e.table_name) || audit.netstring(e.session_login)
    || audit.netstring(e.duty) || audit.netstring(e.category::text) || audit.netstring(e.request_id) || audit.netstring(e.id::text)
    || (select string_agg(coalesce('32:'::bytea || audit.part_hash(e, part) || ','::bytea, '~'::bytea), ''::bytea order by part)
        from generate_series(1, 3 + coalesce(cardinality(e.named_columns), 0)) part));
comment on function audit.leaf_of(audit.events) is 'The leaf hash computed from the stored event; equals audit.events.leaf unless somebody tampered.';

-- Append-only -----------------------------------------------------------------------------------------------

create function audit.refuse_change() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  part integer;
begin
  if tg_op = 'UPDATE' then
    if (new.id, new.xid, new.occurred_at, new.epoch, new.category, new.operation, new.table_name, new.session_login, new.leaf)
        = (old.id, old.xid, old.occurred_at, old.epoch, old.category, old.operation, old.table_name, old.session_login, old.leaf)
      and new.duty is not distinct from old.duty
      and new.request_id is not distinct from old.request_id
      and new.named_columns is not distinct from old.named_columns
      and cardinality(new.salts) = cardinality(old.salts)
      and audit.leaf_of(new) = old.leaf
    then
      for part in 1 .. cardinality(old.salts) loop
        if new.erased_hashes[part] is null then
          continue when audit.part_content(new, part) is not distinct from audit.part_content(old, part)
            and new.salts[part] is not distinct from old.salts[part];
        elsif new.salts[part] is null and new.erased_requests[part] is not null
          and (case when part <= 3 then audit.part_content(new, part) is null
            else num_nonnulls(new.named_old[part - 3], new.named_new[part - 3]) = 0 end)
        then
          continue;
        end if;
        perform private.fail('NS004', 'an audit event never changes');
      end loop;
      return new;
    end if;
  end if;
  perform private.fail('NS004', format('an audit event is never %s', case tg_op when 'UPDATE' then 'changed' else 'deleted' end),
    'A person''s part of it can be erased under an approved request; its skeleton stays.');
  return null;
end $$;
comment on function audit.refuse_change() is
  'Lets one thing pass: an update that erases whole parts, keeps their hashes and leaves the leaf verifiable.';
create trigger events_append_only before update or delete on audit.events
  for each row execute function audit.refuse_change();
create trigger events_no_truncate before truncate on audit.events
  execute function private.refuse_truncate();
create trigger epochs_append_only before update or delete on audit.epochs
  for each row execute function private.refuse_delete();
create trigger epochs_no_truncate before truncate on audit.epochs
  execute function private.refuse_truncate();

create function audit.add_partitions(first_month date, months integer) returns setof text
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  kind audit.category;
  parent text;
  child text;
  month date;
  made text;
begin
  foreach kind in array enum_range(null::audit.category) loop
    parent := 'events_' || kind;
    if to_regclass('audit.' || quote_ident(parent)) is null then
      execute format('create table audit.%I partition of audit.events for values in (%L) partition by range (occurred_at)', parent, kind);
      execute format('create table audit.%I partition of audit.%I default', parent || '_default', parent);
    end if;
    for i in 0 .. months - 1 loop
      month := (date_trunc('month', first_month) + make_interval(months => i))::date;
      child := parent || to_char(month, '_YYYY_MM');
      if to_regclass('audit.' || quote_ident(child)) is null then
        execute format('create table audit.%I partition of audit.%I for values from (%L) to (%L)', child, parent,
          month || ' 00:00+00', (month + interval '1 month')::date || ' 00:00+00');
        made := child;
        return next made;
      end if;
    end loop;
  end loop;
  -- Row triggers come down from the parent; truncate triggers, row security and the absence of grants do not.
  for child in
    select c.relname from pg_catalog.pg_partition_tree('audit.events') p join pg_catalog.pg_class c on c.oid = p.relid
    where not exists (select from pg_catalog.pg_trigger g where g.tgrelid = c.oid and g.tgname = 'events_no_truncate')
  loop
    execute format('create trigger events_no_truncate before truncate on audit.%I execute function private.refuse_truncate()', child);
    execute format('alter table audit.%I enable row level security', child);
    execute format('alter table audit.%I force row level security', child);
    execute format('create policy %I on audit.%I to current_user using (true) with check (true)', child || '_owner_all', child);
    execute format('revoke all on audit.%I from public, anon, authenticated, service_role', child);
  end loop;
end $$;
comment on function audit.add_partitions(date, integer) is
  'Makes the monthly partitions of every category from a month on, where missing; returns the names of those it made.';
select audit.add_partitions(now()::date, 4);

-- Erasure of one part ----------------------------------------------------------------------------------------

create function audit.erase_part(event_id bigint, part integer, request text) returns boolean
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  e audit.events;
  hash bytea;
begin
  select * into e from audit.events v where v.id = event_id for update;
  if not found then
    perform private.fail('NS006', format('there is no audit event %s', event_id));
  end if;
  if btrim(coalesce(request, '')) = '' then
    perform private.fail('NS001', 'an erasure names the request it follows');
  end if;
  if part is null or part not between 1 and cardinality(e.salts) or e.salts[part] is null then
    return false;
  end if;
  hash := audit.part_hash(e, part);
  e.erased_hashes[part] := hash;
  e.erased_requests[part] := request;
  e.salts[part] := null;
  case part
    when 1 then
      e.app_user := null;
    when 2 then
      e.family_id := null; e.subject_user := null; e.record_id := null; e.record_key := null;
      e.changed_columns := null; e.old_row := null; e.new_row := null;
    when 3 then
      e.reason := null; e.ticket := null;
    else
      if e.named_old is not null then e.named_old[part - 3] := null; end if;
      if e.named_new is not null then e.named_new[part - 3] := null; end if;
  end case;
  update audit.events v set
    app_user = e.app_user, family_id = e.family_id, subject_user = e.subject_user, record_id = e.record_id, record_key = e.record_key,
    changed_columns = e.changed_columns, old_row = e.old_row, new_row = e.new_row, named_old = e.named_old, named_new = e.named_new,
    reason = e.reason, ticket = e.ticket, salts = e.salts, erased_hashes = e.erased_hashes, erased_requests = e.erased_requests
  where v.id = event_id and v.occurred_at = e.occurred_at and v.category = e.category;
  return true;
end $$;
comment on function audit.erase_part(bigint, integer, text) is
  'Owner only: erases one part of an event (1 actor, 2 subject, 3 purpose, 4 and up named columns) and its salt; false when it is absent or erased already.';

-- Capture ---------------------------------------------------------------------------------------------------

create type audit.statement as (
  xid xid8, occurred_at timestamptz, epoch integer, session_login text, duty text, app_user uuid,
  reason text, ticket text, request_id text, actor_hash bytea, actor_salt bytea, purpose_hash bytea, purpose_salt bytea,
  clear bytea, seed bytea
);
comment on type audit.statement is 'What all events of one statement share. The seed of their salts lives only here and is never stored.';

create function audit.begin_statement(operation text, table_name text, category text) returns audit.statement
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  s audit.statement;
  operator text;
begin
  s.xid := pg_current_xact_id();
  s.occurred_at := clock_timestamp();
  s.epoch := (select max(e.epoch) from audit.epochs e);
  s.session_login := session_user;
  s.app_user := private.current_user_id();
  s.reason := nullif(btrim(current_setting('nestsync.reason', true)), '');
  s.ticket := nullif(btrim(current_setting('nestsync.ticket', true)), '');
  s.request_id := nullif(btrim(current_setting('nestsync.request', true)), '');
  select o.login into operator from ops.operators o where o.login = session_user and o.revoked_at is null;
  if operator is not null then
    s.duty := private.session_duty();
    if s.reason is null then
      select g.duty, g.reason, g.ticket into s.duty, s.reason, s.ticket
      from ops.access_grants g
      where g.operator = session_user and private.grant_is_live(g)
        and (g.duty = s.duty or (s.duty is null and g.kind = 'impersonation' and g.user_id = s.app_user))
      order by g.opened_at desc limit 1;
    end if;
    if s.reason is null then
      perform private.fail('NS001', 'an operator changes nothing without a reason', 'Give one: --reason "…" --ticket …');
    end if;
  end if;

  s.seed := uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
  if s.app_user is not null then
    s.actor_salt := uuid_send(gen_random_uuid());
    s.actor_hash := '32:'::bytea || sha256(s.actor_salt || audit.netstring(s.app_user::text)) || ','::bytea;
  end if;
  if num_nonnulls(s.reason, s.ticket) > 0 then
    s.purpose_salt := uuid_send(gen_random_uuid());
    s.purpose_hash := '32:'::bytea || sha256(s.purpose_salt || audit.netstring(s.reason) || audit.netstring(s.ticket)) || ','::bytea;
  end if;
  s.clear := '\x00'::bytea || audit.netstring('nestsync-audit-1') || audit.netstring(s.epoch::text) || audit.netstring(s.xid::text)
    || audit.netstring((extract(epoch from s.occurred_at) * 1000000)::bigint::text)
    || audit.netstring(operation) || audit.netstring(table_name) || audit.netstring(s.session_login)
    || audit.netstring(s.duty) || audit.netstring(category) || audit.netstring(s.request_id);
  return s;
end $$;

create table audit.captured_tables (
  table_name regclass primary key,
  category audit.category not null,
  named_columns text[] not null,
  redacted_columns text[] not null,
  columns text[] not null
);
comment on table audit.captured_tables is
  'What audit.attach was told, and the columns its function covers; a table with other columns is attached anew by the migration that changes it.';

create function audit.unpaired(table_name text) returns bigint
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  perform private.fail('NS005', format('a row of %s changed its key, so its audit event cannot be written', table_name));
  return null;
end $$;

-- One function a table, written out in full: static statements keep their plans, which dynamic ones would not,
-- and naming the columns is what makes capture several times faster than a generic row trigger.
create function audit.capture_body(
  target regclass, category audit.category, family text, person text, record text, named text[], redacted text[]
) returns text
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  label text;
  keys text[];
  plain text[];
  identity text;
  image text;
  images text;
  named_salts text := '';
  named_salt_list text := '';
  named_values text := '';
  salt_columns text := '';
  leaf_named_insert text := '';
  leaf_named_delete text := '';
  leaf_named_update text := '';
  named_changed text := 'false';
  old_named text;
  new_named text;
  named_literal text := 'null::text[]';
  frame text;
begin
  select n.nspname || '.' || c.relname into label
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.oid = target;
  select array_agg(a.attname::text order by array_position(i.indkey::smallint[], a.attnum)) into keys
  from pg_catalog.pg_index i join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
  where i.indrelid = target and i.indisprimary;
  select array_agg(a.attname::text order by a.attnum) into plain
  from pg_catalog.pg_attribute a
  where a.attrelid = target and a.attnum > 0 and not a.attisdropped and a.attname <> all (named || redacted);

  -- %1$s is the row alias: n, or o for a deleted row.
  identity := format('%s as family_id, %s as subject_user, %s as record_id, %s as record_key',
    coalesce('%1$s.' || quote_ident(family), 'null::uuid'), coalesce('%1$s.' || quote_ident(person), 'null::uuid'),
    coalesce('%1$s.' || quote_ident(record), 'null::uuid'),
    case when record is null then
      (select 'concat_ws(''/'', ' || string_agg('%1$s.' || quote_ident(k), ', ') || ')' from unnest(keys) k)
    else 'null::text' end);
  select '(select row_to_json(x) from (select ' || string_agg('%1$s.' || quote_ident(p), ', ') || ') x)' into image from unnest(plain) p;
  select string_agg(format('(%s, %L, %L::boolean, to_json(o.%I), to_json(n.%I), o.%I is distinct from n.%I)',
      a.attnum, a.attname, a.attname <> all (redacted || named), a.attname, a.attname, a.attname, a.attname), E',\n        ' order by a.attnum)
    into images
  from pg_catalog.pg_attribute a where a.attrelid = target and a.attnum > 0 and not a.attisdropped;

  if cardinality(named) > 0 then
    named_literal := quote_literal(named::text) || '::text[]';
    select string_agg(format(', substr(sha256(s.seed || ''\x%s''::bytea || int8send(r.id)), 1, 16) as salt%s', lpad(to_hex(3 + i), 2, '0'), 3 + i), '' order by i),
      string_agg(format(', e.salt%s', 3 + i), '' order by i),
      string_agg(format(' || ''32:''::bytea || sha256(e.salt%1$s || convert_to(%2$L || ''~'' || coalesce(octet_length(e.named_new[%3$s]) || '':'' || e.named_new[%3$s] || '','', ''~''), ''UTF8'')) || '',''::bytea',
        3 + i, octet_length(c) || ':' || c || ',', i), '' order by i),
      string_agg(format(' || ''32:''::bytea || sha256(e.salt%1$s || convert_to(%2$L || coalesce(octet_length(e.named_old[%3$s]) || '':'' || e.named_old[%3$s] || '','', ''~'') || ''~'', ''UTF8'')) || '',''::bytea',
        3 + i, octet_length(c) || ':' || c || ',', i), '' order by i),
      string_agg(format(' || ''32:''::bytea || sha256(e.salt%1$s || convert_to(%2$L || coalesce(octet_length(e.named_old[%3$s]) || '':'' || e.named_old[%3$s] || '','', ''~'') || coalesce(octet_length(e.named_new[%3$s]) || '':'' || e.named_new[%3$s] || '','', ''~''), ''UTF8'')) || '',''::bytea',
        3 + i, octet_length(c) || ':' || c || ',', i), '' order by i),
      string_agg(format('o.%1$I is distinct from n.%1$I', c), ' or ' order by i),
      'array[' || string_agg(format('o.%I::text', c), ', ' order by i) || ']',
      'array[' || string_agg(format('n.%I::text', c), ', ' order by i) || ']'
    into salt_columns, named_salt_list, leaf_named_insert, leaf_named_delete, leaf_named_update, named_changed, old_named, new_named
    from unnest(named) with ordinality u (c, i);
  end if;
  old_named := coalesce(old_named, 'null::text[]');
  new_named := coalesce(new_named, 'null::text[]');

  -- Shared by the three branches: operation, changed, old, new, named columns, leaf of the named parts, salts, source.
  frame := format($frame$
    s := audit.begin_statement('%%1$s', %1$L, %2$L);
    insert into audit.events (id, xid, occurred_at, epoch, category, operation, table_name, session_login, duty, request_id,
      app_user, family_id, subject_user, record_id, record_key, changed_columns, old_row, new_row,
      named_columns, named_old, named_new, reason, ticket, salts, leaf)
    select e.id, s.xid, s.occurred_at, s.epoch, %2$L, '%%1$s', %1$L, s.session_login, s.duty, s.request_id,
      s.app_user, e.family_id, e.subject_user, e.record_id, e.record_key, e.changed, e.old_text::json, e.new_text::json,
      %%2$s, e.named_old, e.named_new, s.reason, s.ticket, %%3$s,
      sha256(s.clear || convert_to(octet_length(e.id::text) || ':' || e.id || ',', 'UTF8') || coalesce(s.actor_hash, '~'::bytea)
        || '32:'::bytea || sha256(e.salt2 || convert_to(
          coalesce('36:' || e.family_id || ',', '~') || coalesce('36:' || e.subject_user || ',', '~')
          || coalesce('36:' || e.record_id || ',', '~') || coalesce(octet_length(e.record_key) || ':' || e.record_key || ',', '~')
          || coalesce(octet_length(e.changed_text) || ':' || e.changed_text || ',', '~')
          || coalesce(octet_length(e.old_text) || ':' || e.old_text || ',', '~')
          || coalesce(octet_length(e.new_text) || ':' || e.new_text || ',', '~'), 'UTF8')) || ','::bytea
        || coalesce(s.purpose_hash, '~'::bytea)%%4$s)
    from (
      select r.*, substr(sha256(s.seed || '\x02'::bytea || int8send(r.id)), 1, 16) as salt2%%5$s
      from (%%6$s offset 0) r
      offset 0
    ) e;$frame$, label, category::text);

  return E'declare\n  s audit.statement;\nbegin\n'
    || '  if tg_op = ''INSERT'' then' || E'\n    if not exists (select from new_rows) then return null; end if;'
    || format(frame, 'INSERT', named_literal,
      'array[s.actor_salt, e.salt2, s.purpose_salt' || named_salt_list || ']', leaf_named_insert, salt_columns,
      'select nextval(''audit.events_id_seq'') as id, ' || format(identity, 'n')
      || ', null::text[] as changed, null::text as changed_text, null::text as old_text, ' || format(image, 'n')
      || '::text as new_text, null::text[] as named_old, ' || new_named || ' as named_new from new_rows n')
    || E'\n  elsif tg_op = ''DELETE'' then\n    if not exists (select from old_rows) then return null; end if;'
    || format(frame, 'DELETE', named_literal,
      'array[s.actor_salt, e.salt2, s.purpose_salt' || named_salt_list || ']', leaf_named_delete, salt_columns,
      'select nextval(''audit.events_id_seq'') as id, ' || format(identity, 'o')
      || ', null::text[] as changed, null::text as changed_text, ' || format(image, 'o')
      || '::text as old_text, null::text as new_text, ' || old_named || ' as named_old, null::text[] as named_new from old_rows o')
    || E'\n  else\n    if not exists (select from new_rows) then return null; end if;'
    || format(frame, 'UPDATE',
      case when cardinality(named) > 0 then 'case when e.named_changed then ' || named_literal || ' end' else named_literal end,
      case when cardinality(named) > 0 then
        'case when e.named_changed then array[s.actor_salt, e.salt2, s.purpose_salt' || named_salt_list || '] else array[s.actor_salt, e.salt2, s.purpose_salt] end'
        else 'array[s.actor_salt, e.salt2, s.purpose_salt]' end,
      case when cardinality(named) > 0 then ' || case when e.named_changed then ''''::bytea' || leaf_named_update || ' else ''''::bytea end' else '' end,
      salt_columns,
      'select case when ' || (select string_agg(format('o.%1$I is null or n.%1$I is null', k), ' or ') from unnest(keys) k)
      || format(' then audit.unpaired(%L)', label) || ' else nextval(''audit.events_id_seq'') end as id, ' || format(identity, 'n')
      || ', d.changed, array_to_string(d.changed, '','') as changed_text, d.old_row::text as old_text, d.new_row::text as new_text, '
      || format('case when %s then %s end as named_old, case when %s then %s end as named_new, %s as named_changed',
        named_changed, old_named, named_changed, new_named, named_changed)
      || E'\n      from old_rows o full join new_rows n on ' || (select string_agg(format('o.%1$I = n.%1$I', k), ' and ') from unnest(keys) k)
      || E'\n      cross join lateral (\n        select array_agg(c.name order by c.position) as changed,'
      || E'\n          json_object_agg(c.name, c.before order by c.position) filter (where c.shown) as old_row,'
      || E'\n          json_object_agg(c.name, c.after order by c.position) filter (where c.shown) as new_row'
      || E'\n        from (values ' || images || ') c (position, name, shown, before, after, differs)'
      || E'\n        where c.differs) d')
    || E'\n  end if;\n  return null;\nend';
end $$;

create function audit.attach(
  target regclass, category audit.category, family text default null, person text default null, record text default 'id',
  named text[] default '{}', redacted text[] default '{}'
) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  label text := (select n.nspname || '_' || c.relname from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.oid = target);
begin
  execute format('create or replace function audit.%I() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = ''UTC'' set intervalstyle = ''iso_8601'' set extra_float_digits = 1 set bytea_output = ''hex'' as %L',
    'capture_' || label, audit.capture_body(target, category, family, person, record, named, redacted));
  execute format('revoke execute on function audit.%I() from public', 'capture_' || label);
  if not exists (select from pg_catalog.pg_trigger g where g.tgrelid = target and g.tgname = 'audit_insert') then
    execute format('create trigger audit_insert after insert on %s referencing new table as new_rows for each statement execute function audit.%I()', target, 'capture_' || label);
    execute format('create trigger audit_update after update on %s referencing old table as old_rows new table as new_rows for each statement execute function audit.%I()', target, 'capture_' || label);
    execute format('create trigger audit_delete after delete on %s referencing old table as old_rows for each statement execute function audit.%I()', target, 'capture_' || label);
  end if;
  insert into audit.captured_tables (table_name, category, named_columns, redacted_columns, columns)
  select target, category, named, redacted, array_agg(a.attname::text order by a.attnum)
  from pg_catalog.pg_attribute a where a.attrelid = target and a.attnum > 0 and not a.attisdropped
  on conflict (table_name) do update set category = excluded.category, named_columns = excluded.named_columns,
    redacted_columns = excluded.redacted_columns, columns = excluded.columns;
end $$;
comment on function audit.attach(regclass, audit.category, text, text, text, text[], text[]) is
  'Captures a table: writes its trigger function from its columns and makes its triggers. family, person and record name the columns that hold the family, the data subject and the row''s id. Run it again in every migration that changes the table''s columns.';

select audit.attach('public.users', 'modification', person => 'id');
select audit.attach('public.families', 'modification', family => 'id', named => '{created_by}');
select audit.attach('public.role_permissions', 'modification', record => null);
select audit.attach('public.family_members', 'modification', family => 'family_id', person => 'user_id', named => '{invited_by,created_by}');
select audit.attach('public.family_invitations', 'modification', family => 'family_id', named => '{invited_by,accepted_by,created_by}', redacted => '{token_hash}');
select audit.attach('public.children', 'modification', family => 'family_id', named => '{created_by}');
select audit.attach('public.emergency_profiles', 'emergency', family => 'family_id', named => '{created_by}');
select audit.attach('public.inventory_items', 'modification', family => 'family_id', named => '{created_by}');
select audit.attach('public.usage_logs', 'modification', family => 'family_id', named => '{caregiver_name,created_by}');
select audit.attach('public.reorder_suggestions', 'modification', family => 'family_id', named => '{created_by}');
select audit.attach('public.analytics_events', 'modification', family => 'family_id', named => '{created_by}');
select audit.attach('public.usage_analytics', 'modification', family => 'family_id', named => '{created_by}');
select audit.attach('public.notification_preferences', 'modification', person => 'user_id', redacted => '{device_tokens}');
select audit.attach('public.notification_logs', 'modification', person => 'user_id');
select audit.attach('public.subscriptions', 'modification', person => 'user_id', redacted => '{stripe_customer_id,stripe_subscription_id}');
select audit.attach('public.payment_methods', 'modification', person => 'user_id', redacted => '{stripe_payment_method_id}');
select audit.attach('public.consent_records', 'consent', person => 'user_id');
select audit.attach('private.app_logins', 'authentication', record => null);
select audit.attach('ops.operators', 'access', record => null);
select audit.attach('ops.operator_duties', 'access', record => null);
select audit.attach('ops.duty_permissions', 'access', record => null);
select audit.attach('ops.access_grants', 'access', family => 'family_id', person => 'user_id');

-- Readers ---------------------------------------------------------------------------------------------------

alter table audit.events enable row level security;
alter table audit.events force row level security;
alter table audit.epochs enable row level security;
alter table audit.epochs force row level security;
create policy events_owner_all on audit.events to current_user using (true) with check (true);
create policy epochs_owner_all on audit.epochs to current_user using (true) with check (true);
create policy epochs_staff_select on audit.epochs for select
  to nestsync_support, nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin using (true);
grant select on audit.epochs to nestsync_support, nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin;
create policy events_support_select on audit.events for select to nestsync_support
  using (family_id = any ((select private.granted_families())::uuid[]) or subject_user = any ((select private.granted_users())::uuid[]));
create policy events_staff_select on audit.events for select to nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin
  using ((select private.session_duty()) is not null);
grant select (id, xid, occurred_at, epoch, category, operation, table_name, session_login, duty, request_id, leaf) on audit.events
  to nestsync_support, nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin;

create function audit.image(row_image json, named text[], named_values text[]) returns jsonb
  language sql immutable parallel safe set search_path = pg_catalog, pg_temp
  return nullif(coalesce(row_image::jsonb, '{}') || coalesce((
    select jsonb_object_agg(c.name, named_values[c.position]) from unnest(named) with ordinality c (name, position)
    where named_values is not null), '{}'), '{}');
comment on function audit.image(json, text[], text[]) is 'The values of an event''s row and of its columns that name other people, as one object.';

create function audit.image_for_support(table_name text, image jsonb) returns jsonb
  language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp
  return (
    select jsonb_object_agg(v.key, v.value)
    from jsonb_each(image) v
      join pg_attribute a on a.attrelid = to_regclass(table_name) and a.attname = v.key and not a.attisdropped
    where has_column_privilege('nestsync_support', a.attrelid, a.attnum, 'select'));
comment on function audit.image_for_support(text, jsonb) is 'What support may not read in the table it may not read in the log either.';

create view audit.readable_events with (security_barrier) as
  select e.id, e.xid, e.occurred_at, e.epoch, e.category, e.operation, e.table_name, e.session_login, e.duty, e.request_id,
    e.app_user, e.family_id, e.subject_user, e.record_id, e.record_key, e.changed_columns, e.reason, e.ticket,
    case (select private.session_duty()) when 'support' then audit.image_for_support(e.table_name, audit.image(e.old_row, e.named_columns, e.named_old))
      else audit.image(e.old_row, e.named_columns, e.named_old) end as before,
    case (select private.session_duty()) when 'support' then audit.image_for_support(e.table_name, audit.image(e.new_row, e.named_columns, e.named_new))
      else audit.image(e.new_row, e.named_columns, e.named_new) end as after,
    e.erased_requests, e.leaf
  from audit.events e
  where case (select private.session_duty())
    when 'support' then coalesce(e.family_id = any ((select private.granted_families())::uuid[]), false)
      or coalesce(e.subject_user = any ((select private.granted_users())::uuid[]), false)
    when 'compliance' then true
    when 'auditor' then true
    when 'admin' then true
    else false
  end;
comment on view audit.readable_events is
  'Events with their payload: for support within its grants and only the columns it may read in the table itself; for compliance, auditor and admin all. sre reads the skeleton in audit.events.';
grant select on audit.readable_events to nestsync_support, nestsync_compliance, nestsync_auditor, nestsync_admin;

revoke execute on all functions in schema audit from public;
grant execute on function audit.image(json, text[], text[]), audit.image_for_support(text, jsonb)
  to nestsync_support, nestsync_compliance, nestsync_auditor, nestsync_admin;
