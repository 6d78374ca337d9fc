-- kind: schema
-- locks: SHARE ROW EXCLUSIVE on every audited table, briefly
-- transaction: yes
-- reversible: yes, where no event was ever written
-- seeds: audit.captured_tables, audit.epochs

-- Lengths in a leaf are counted in bytes of UTF-8.
do $$
begin
  if getdatabaseencoding() <> 'UTF8' then
    perform private.fail('NS005', format('the database is encoded in %s, not in UTF8', getdatabaseencoding()), 'create database … encoding ''UTF8''');
  end if;
end $$;

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

-- Every captured statement needs the number: written into a function of one constant, which the planner inlines, it
-- costs nothing, where reading the table would cost as much as writing two index entries.
create function audit.current_epoch() returns integer
  language sql stable parallel safe
  return null::integer;
comment on function audit.current_epoch() is 'The highest epoch of audit.epochs, whose trigger keeps it.';

create function audit.keep_current_epoch() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  execute format('create or replace function audit.current_epoch() returns integer language sql stable parallel safe return %s',
    (select max(e.epoch) from audit.epochs e));
  return null;
end $$;
create trigger epochs_keep_current after insert on audit.epochs
  for each statement execute function audit.keep_current_epoch();

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

-- Bodies parsed here need no search path, and without one the planner can inline them (nor with int || text, which is
-- only stable).
create function audit.netstring(value text) returns text
  language sql immutable parallel safe
  return coalesce(octet_length(value)::text || ':' || value || ',', ':,');
comment on function audit.netstring(text) is 'length in bytes ":" value ","; ":," for an absent value. As format(''%s:%s,'', octet_length(value), value) gives it.';

create function audit.netstrings(list text[]) returns text
  language sql immutable parallel safe
  return (select string_agg(audit.netstring(value), '' order by position) from unnest(list) with ordinality u (value, position));
comment on function audit.netstrings(text[]) is 'The netstrings of a list one after another; null for none.';

create function audit.part_content(e audit.events, part integer) returns text
  language sql immutable parallel safe
  return case part
    when 1 then case when e.app_user is not null then audit.netstring(e.app_user::text) end
    when 2 then case when num_nonnulls(e.family_id, e.subject_user, e.record_id, e.record_key, e.changed_columns, e.old_row, e.new_row) > 0 then
        audit.netstring(e.family_id::text) || audit.netstring(e.subject_user::text) || audit.netstring(e.record_id::text)
        || audit.netstring(e.record_key) || audit.netstring(audit.netstrings(e.changed_columns))
        || audit.netstring(e.old_row::text) || audit.netstring(e.new_row::text) end
    when 3 then case when num_nonnulls(e.reason, e.ticket) > 0 then audit.netstring(e.reason) || audit.netstring(e.ticket) end
    else audit.netstring(e.named_columns[part - 3]) || audit.netstring(e.named_old[part - 3]) || audit.netstring(e.named_new[part - 3])
  end;

create function audit.part_hash(e audit.events, part integer) returns bytea
  language sql immutable parallel safe
  return coalesce(e.erased_hashes[part], sha256(e.salts[part] || convert_to(audit.part_content(e, part), 'UTF8')));
comment on function audit.part_hash(audit.events, integer) is
  'SHA-256(salt || content) of a part, from its content or as kept when it was erased; null for an absent part.';

create function audit.part_block(hash bytea) returns bytea
  language sql immutable parallel safe
  return coalesce(hash, '\x0000000000000000000000000000000000000000000000000000000000000000'::bytea);

create function audit.leaf_of(e audit.events) returns bytea
  language sql immutable parallel safe
  return sha256(
    '\x00'::bytea || convert_to('nestsync-audit-1', 'UTF8')
    || audit.part_block(audit.part_hash(e, 1)) || audit.part_block(audit.part_hash(e, 3))
    || int4send(e.epoch) || xid8send(e.xid) || timestamptz_send(e.occurred_at)
    || convert_to(audit.netstring(e.operation::text) || audit.netstring(e.table_name) || audit.netstring(e.category::text)
      || audit.netstring(e.session_login) || audit.netstring(e.duty) || audit.netstring(e.request_id), 'UTF8')
    || int8send(e.id) || audit.part_block(audit.part_hash(e, 2))
    || coalesce((select string_agg(audit.part_block(audit.part_hash(e, part)), ''::bytea order by part)
        from generate_series(4, 3 + cardinality(e.named_columns)) part), ''::bytea));
comment on function audit.leaf_of(audit.events) is 'The leaf hash computed from the stored event; equals audit.events.leaf unless somebody tampered.';

-- Append-only -----------------------------------------------------------------------------------------------

create function audit.without_part(e audit.events, part integer, request text) returns audit.events
  language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
  e.erased_hashes := coalesce(e.erased_hashes, array_fill(null::bytea, array[cardinality(e.salts)]));
  e.erased_requests := coalesce(e.erased_requests, array_fill(null::text, array[cardinality(e.salts)]));
  e.erased_hashes[part] := audit.part_hash(e, part);
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
  return e;
end $$;
comment on function audit.without_part(audit.events, integer, text) is
  'The event after one part of it was erased under a request: content and salt gone, hash kept.';

create function audit.refuse_change() returns trigger
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

create function audit.refuse_insert() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform private.fail('NS004', 'audit events are written by capture alone');
  return null;
end $$;
create trigger events_append_only before update or delete on audit.events
  for each row execute function audit.refuse_change();
create trigger events_no_truncate before truncate on audit.events
  execute function private.refuse_truncate();
-- Inside a trigger the depth is above zero. Partitions refuse without asking: their own statement triggers fire
-- only for statements that name them.
create trigger events_from_capture before insert on audit.events
  for each statement when (pg_trigger_depth() = 0) execute function audit.refuse_insert();
create trigger epochs_append_only before update or delete on audit.epochs
  for each row execute function private.refuse_delete();
create trigger epochs_no_truncate before truncate on audit.epochs
  execute function private.refuse_truncate();

create function audit.add_partition(parent text, first_day date) returns text
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  child text := parent || to_char(first_day, '_YYYY_MM');
  fallback text := parent || '_default';
  low text := first_day || ' 00:00+00';
  high text := (first_day + interval '1 month')::date || ' 00:00+00';
  waiting bigint;
  moved bigint;
begin
  if to_regclass('audit.' || quote_ident(child)) is not null then
    return null;
  end if;
  execute format('select count(*) from audit.%I where occurred_at >= %L and occurred_at < %L', fallback, low, high) into waiting;
  if waiting > 0 then
    -- PostgreSQL makes no partition for rows that the default holds. Detached, it lets go of them, and nobody
    -- can write meanwhile.
    execute format('alter table audit.%I detach partition audit.%I', parent, fallback);
  end if;
  execute format('create table audit.%I partition of audit.%I for values from (%L) to (%L)', child, parent, low, high);
  if waiting > 0 then
    execute format('insert into audit.%I select * from audit.%I where occurred_at >= %L and occurred_at < %L', child, fallback, low, high);
    get diagnostics moved = row_count;
    execute format('delete from audit.%I where occurred_at >= %L and occurred_at < %L', fallback, low, high);
    get diagnostics waiting = row_count;
    if moved <> waiting then
      raise exception 'moved % events out of %, but removed %', moved, fallback, waiting;
    end if;
    execute format('alter table audit.%I attach partition audit.%I default', parent, fallback);
  end if;
  return child;
end $$;

create function audit.add_partitions(first_month date, months integer) returns setof text
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  kind audit.category;
  parent text;
  child text;
begin
  foreach kind in array enum_range(null::audit.category) loop
    parent := 'events_' || kind;
    if to_regclass('audit.' || quote_ident(parent)) is null then
      execute format('create table audit.%I partition of audit.events for values in (%L) partition by range (occurred_at)', parent, kind);
      execute format('create table audit.%I partition of audit.%I default', parent || '_default', parent);
    end if;
    for i in 0 .. months - 1 loop
      child := audit.add_partition(parent, (date_trunc('month', first_month::timestamp) + make_interval(months => i))::date);
      if child is not null then
        return next child;
      end if;
    end loop;
  end loop;
  -- Row triggers come down from the parent; statement triggers, row security and the absence of grants do not.
  for child in
    select c.relname from pg_catalog.pg_partition_tree('audit.events') p join pg_catalog.pg_class c on c.oid = p.relid
    where not exists (select from pg_catalog.pg_trigger g where g.tgrelid = c.oid and g.tgname = 'events_no_truncate')
  loop
    execute format('create trigger events_no_truncate before truncate on audit.%I execute function private.refuse_truncate()', child);
    execute format('create trigger events_from_capture before insert on audit.%I for each statement execute function audit.refuse_insert()', child);
    execute format('alter table audit.%I enable row level security', child);
    execute format('alter table audit.%I force row level security', child);
    execute format('create policy %I on audit.%I to current_user using (true) with check (true)', child || '_owner_all', child);
    execute format('revoke all on audit.%I from public, anon, authenticated, service_role', child);
  end loop;
end $$;
comment on function audit.add_partitions(date, integer) is
  'Makes the monthly partitions of every category from a month on, where missing, and moves there what the default holds of them; returns the names of those it made.';
select audit.add_partitions(now()::date, 4);

create function audit.default_partitions() returns table (partition text, events bigint, since timestamptz)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  kind audit.category;
begin
  foreach kind in array enum_range(null::audit.category) loop
    partition := 'events_' || kind || '_default';
    execute format('select count(*), min(occurred_at) from audit.%I', partition) into events, since;
    return next;
  end loop;
end $$;
comment on function audit.default_partitions() is 'How many events each default partition holds, and since when: none, while months are prepared ahead.';

-- Erasure of one part ----------------------------------------------------------------------------------------

create function audit.erase_part(event_id bigint, part integer, request text) returns boolean
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  e audit.events;
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
  e := audit.without_part(e, part, request);
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

create function audit.lent_grant(duty text, person uuid, for_reason boolean) returns ops.access_grants
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  lent ops.access_grants[];
begin
  select array_agg(g order by g.opened_at desc) into lent
  from ops.access_grants g
  where g.operator = session_user and g.kind <> 'directory' and private.grant_is_live(g)
    and (g.duty = lent_grant.duty or (lent_grant.duty is null and g.kind = 'impersonation' and g.user_id = lent_grant.person));
  if for_reason and (select count(distinct (g.reason, g.ticket)) from unnest(lent) g) > 1 then
    perform private.fail('NS001', 'several access grants are live, and the log must say which one this change follows',
      'Give its reason: --reason "…" --ticket …');
  end if;
  return lent[1];
end $$;
comment on function audit.lent_grant(text, uuid, boolean) is
  'The live grant under which this session works: of the duty it took, or of the impersonation of a person. Where its reason is to be lent, all such grants must have the same.';

-- Called by the capture functions alone, within their search path and as their owner, for a session that gave a
-- reason, ticket or request or is an operator's. What a statement costs is the number of function calls written in it,
-- not the work they do: so one query, and one format().
create function audit.begin_statement(
  what text, moment timestamptz, seed bytea,
  out head bytea, out duty text, out app_user uuid, out request_id text, out reason text, out ticket text,
  out actor_salt bytea, out purpose_salt bytea
)
  language plpgsql as $$
declare
  operator text;
  lent ops.access_grants;
  actor_hash bytea;
  purpose_hash bytea;
begin
  select o.login, nullif(btrim(current_setting('nestsync.reason', true), E' \t\n\r'), ''),
    nullif(btrim(current_setting('nestsync.ticket', true), E' \t\n\r'), ''), nullif(btrim(current_setting('nestsync.request', true)), '')
  into operator, reason, ticket, request_id
  from (values (session_user::text)) s (login) left join ops.operators o on o.login = s.login and o.revoked_at is null;
  if concat(current_setting('request.jwt.claims', true), current_setting('request.jwt.claim.sub', true)) <> '' then
    app_user := private.current_user_id();
  end if;
  if operator is not null then
    duty := private.session_duty();
    if reason is null or duty is null then
      lent := audit.lent_grant(duty, app_user, reason is null);
      duty := coalesce(duty, lent.duty);
      if reason is null then
        reason := lent.reason;
        ticket := lent.ticket;
      end if;
    end if;
    if reason is null then
      perform private.fail('NS001', 'an operator changes nothing without a reason', 'Give one: --reason "…" --ticket …');
    end if;
  end if;

  if app_user is not null then
    actor_salt := substr(sha256(seed || 'actor'::bytea), 1, 16);
    actor_hash := sha256(actor_salt || convert_to(audit.netstring(app_user::text), 'UTF8'));
  end if;
  if num_nonnulls(reason, ticket) > 0 then
    purpose_salt := substr(sha256(seed || 'purpose'::bytea), 1, 16);
    purpose_hash := sha256(purpose_salt || convert_to(audit.netstring(reason) || audit.netstring(ticket), 'UTF8'));
  end if;
  head := decode('00', 'hex') || convert_to('nestsync-audit-1', 'UTF8') || audit.part_block(actor_hash) || audit.part_block(purpose_hash)
    || int4send(audit.current_epoch()) || xid8send(pg_current_xact_id()) || timestamptz_send(moment)
    || convert_to(format('%s%s:%s,%s:%s,%s:%s,', what, octet_length(session_user), session_user, octet_length(duty), duty,
      octet_length(request_id), request_id), 'UTF8');
end $$;
comment on function audit.begin_statement(text, timestamptz, bytea) is
  'What the events of one statement share, where there is more than its login. what: the netstrings of operation, table and category; seed: that of the statement''s salts; head: the leaf''s beginning, up to the event''s id.';

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
  -- Of the captured row r, as it stands in the innermost query.
  identity text;
  image text;
  names text;
  -- The columns of an UPDATE: the pairs, and what is made of those that differ.
  pairs text;
  changed text;
  changed_text text;
  befores text;
  afters text;
  named_changed text := 'false';
  -- Of an event e.
  named_literal text := 'null::text[]';
  named_old text := 'null::text[]';
  named_new text := 'null::text[]';
  named_hashes text := '';
  value_1 constant text := 'octet_length(e.named_1), e.named_1';
  value_2 constant text := 'octet_length(e.named_2), e.named_2';
  value_3 constant text := 'octet_length(e.named_3), e.named_3';
  before_1 constant text := 'octet_length(e.before_1), e.before_1, ';
  before_2 constant text := 'octet_length(e.before_2), e.before_2, ';
  before_3 constant text := 'octet_length(e.before_3), e.before_3, ';
  salts text := 'array[v_actor_salt, substr(e.salt, 1, 16), v_purpose_salt]';
  -- What stands in clear under the leaf: table and category, then login and neither duty nor request.
  clear text;
  own constant text := '%s:%s,:,:,';
  -- What the leaf says of the row: one format() with the parts that are always absent or present written out.
  whose text;
  whose_args text;
  salt text;
  opening constant text := '\x00' || encode(convert_to('nestsync-audit-1', 'UTF8'), 'hex');
  no_part constant text := repeat('00', 32);
  body text := $body$declare
  v_told boolean := concat(current_setting('nestsync.reason', true), current_setting('nestsync.ticket', true), current_setting('nestsync.request', true)) <> '';
  v_moment timestamptz := clock_timestamp();
  -- What salts are derived from: lives here only and is never stored, so that no salt can be made again.
  v_seed bytea := uuid_send(gen_random_uuid());
  -- What a leaf begins with: the format's name, and the hashes of actor and purpose.
  v_opening bytea := %1$L::bytea;
  v_head bytea;
  v_duty text;
  v_app_user uuid;
  v_request_id text;
  v_reason text;
  v_ticket text;
  v_actor_salt bytea;
  v_purpose_salt bytea;
begin
  if not v_told and concat(current_setting('request.jwt.claims', true), current_setting('request.jwt.claim.sub', true)) <> '' then
    v_app_user := private.current_user_id();
    if v_app_user is not null then
      v_actor_salt := substr(sha256(v_seed || 'actor'::bytea), 1, 16);
      v_opening := %2$L::bytea || sha256(v_actor_salt || convert_to(format('36:%%s,', v_app_user), 'UTF8')) || %3$L::bytea;
    end if;
  end if;
$body$;
  -- First as for a session that is no operator's and has told no more about itself than its user, which the statement
  -- finds out while it writes. Where it wrote nothing, once more with all there is to know.
  frame constant text := $frame$
  if tg_op = '%1$s' then
    loop
      if v_told then
        if not exists (select from %2$s) then return null; end if;
        select s.head, s.duty, s.app_user, s.request_id, s.reason, s.ticket, s.actor_salt, s.purpose_salt
        into v_head, v_duty, v_app_user, v_request_id, v_reason, v_ticket, v_actor_salt, v_purpose_salt
        from audit.begin_statement(%14$L, v_moment, v_seed) s;
      else
        v_head := v_opening || int4send(audit.current_epoch()) || xid8send(pg_current_xact_id()) || timestamptz_send(v_moment)
          || convert_to(format(%15$L, octet_length(session_user), session_user), 'UTF8');
      end if;
      insert into audit.events (id, xid, occurred_at, epoch, category, operation, table_name, session_login, duty, request_id,
        app_user, family_id, subject_user, record_id, record_key, changed_columns, old_row, new_row,
        named_columns, named_old, named_new, reason, ticket, salts, leaf)
      select e.id, pg_current_xact_id(), v_moment, audit.current_epoch(), %4$L, '%1$s', %3$L, session_user, v_duty, v_request_id,
        v_app_user, e.family_id, e.subject_user, e.record_id, e.record_key, %5$s, %6$s,
        %7$s, %8$s, %9$s, v_reason, v_ticket, %10$s,
        sha256(v_head || int8send(e.id) || sha256(substr(e.salt, 1, 16) || convert_to(%11$s, 'UTF8'))%12$s)
      from (%13$s offset 0) e
      where v_told or not exists (select from ops.operators o where o.login = session_user and o.revoked_at is null);
      exit when found or v_told;
      v_told := true;
    end loop;
    return null;
  end if;$frame$;
begin
  if cardinality(named) > 3 then
    raise exception 'at most three columns of % can name other people', target;
  end if;
  select n.nspname || '.' || c.relname into label
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.oid = target;
  clear := audit.netstring(label) || audit.netstring(category::text);
  select array_agg(a.attname::text order by array_position(i.indkey::smallint[], a.attnum)) into keys
  from pg_catalog.pg_index i join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
  where i.indrelid = target and i.indisprimary;

  identity := concat_ws(', ',
    coalesce('r.' || quote_ident(family), 'null::uuid') || ' as family_id',
    coalesce('r.' || quote_ident(person), 'null::uuid') || ' as subject_user',
    coalesce('r.' || quote_ident(record), 'null::uuid') || ' as record_id',
    case when record is null then
      (select 'concat_ws(''/'', ' || string_agg('r.' || quote_ident(k), ', ') || ')' from unnest(keys) k)
    else 'null::text' end || ' as record_key');
  select string_agg(case when p.col is null then ':,' when p.always then '36:%s,' else '%s:%s,' end, '' order by p.position)
      || case when record is null then '%s:%s,' else ':,' end,
    concat_ws(', ', string_agg(case when p.always then 'e.' || p.name else format('octet_length(e.%1$s::text), e.%1$s', p.name) end, ', ' order by p.position)
        filter (where p.col is not null),
      case when record is null then 'octet_length(e.record_key), e.record_key' end)
  into whose, whose_args
  from (
    select n.position, n.name, n.col, coalesce(a.attnotnull, false) as always
    from (values (1, 'family_id', family), (2, 'subject_user', person), (3, 'record_id', record)) n (position, name, col)
      left join pg_catalog.pg_attribute a on a.attrelid = target and a.attname = n.col
  ) p;
  salt := ', sha512(v_seed || ' || case when record is null then 'convert_to(concat_ws(''/'', ' || (select string_agg('r.' || quote_ident(k), ', ') from unnest(keys) k) || '), ''UTF8'')'
    else (select string_agg('uuid_send(r.' || quote_ident(k) || ')', ' || ') from unnest(keys) k) end || ') as salt';
  -- Pulled up by the planner, so that the row is made without a subplan.
  select 'cross join lateral (select ' || string_agg('r.' || quote_ident(a.attname), ', ' order by a.attnum) || ') x' into image
  from pg_catalog.pg_attribute a
  where a.attrelid = target and a.attnum > 0 and not a.attisdropped and a.attname <> all (named || redacted);
  select coalesce(string_agg(format(', r.%I::text as named_%s', c, i), '' order by i), '') into names
  from unnest(named) with ordinality u (c, i);

  -- Where equal values can look different (1.0 and 1.00 within jsonb, 24 hours and a day), the stored bytes decide.
  select string_agg(format('o.%1$I as o%2$s, r.%1$I as n%2$s, %3$s as d%2$s', a.attname, a.attnum,
        case when a.atttypid = any ('{uuid,text,boolean,smallint,integer,bigint,timestamptz,date}'::regtype[])
          then format('o.%1$I is distinct from r.%1$I', a.attname)
          else format('record_image_ne(row(o.%1$I), row(r.%1$I))', a.attname) end),
      E',\n          ' order by a.attnum),
    'nullif(array_remove(array[' || string_agg(format('case when u.d%s then %L end', a.attnum, a.attname), ', ' order by a.attnum) || ']::text[], null), ''{}'')',
    'nullif(concat(' || string_agg(format('case when u.d%s then %L end', a.attnum, audit.netstring(a.attname::text)), ', ' order by a.attnum) || '), '''')',
    string_agg(format('case when u.d%1$s then %2$L || coalesce(to_json(u.o%1$s)::text, ''null'') end', a.attnum, ',' || to_json(a.attname) || ':'),
      E',\n          ' order by a.attnum) filter (where a.attname <> all (named || redacted)),
    string_agg(format('case when u.d%1$s then %2$L || coalesce(to_json(u.n%1$s)::text, ''null'') end', a.attnum, ',' || to_json(a.attname) || ':'),
      E',\n          ' order by a.attnum) filter (where a.attname <> all (named || redacted)),
    coalesce(string_agg(format('u.d%s', a.attnum), ' or ') filter (where a.attname = any (named)), 'false')
  into pairs, changed, changed_text, befores, afters, named_changed
  -- Numbered without the gaps that dropped columns leave: the same columns make the same function.
  from (
    select c.attname, c.atttypid, row_number() over (order by c.attnum) as attnum
    from pg_catalog.pg_attribute c where c.attrelid = target and c.attnum > 0 and not c.attisdropped) a;

  if cardinality(named) > 0 then
    named_literal := quote_literal(named::text) || '::text[]';
    select format('array[v_actor_salt, substr(e.salt, 1, 16), v_purpose_salt%s]', string_agg(format(', substr(e.salt, %s, 16)', 1 + 16 * i), '' order by i)),
      'array[' || string_agg(format('e.named_%s', i), ', ' order by i) || ']',
      string_agg(format(E'\n          || sha256(substr(e.salt, %s, 16) || convert_to(format(%L, %%%s$s), ''UTF8''))',
        1 + 16 * i, replace(audit.netstring(c), '%', '%%%%') || '%1$s', 1 + i), '' order by i)
    into salts, named_new, named_hashes
    from unnest(named) with ordinality u (c, i);
  end if;

  body := format(body, opening || no_part || no_part, opening, '\x' || no_part)
    || format(frame, 'INSERT', 'new_rows', label, category, 'null::text[]', 'null::json, e.image',
    named_literal, 'null::text[]', named_new, salts,
    format('format(%L, %s, octet_length(e.image::text), e.image)', whose || ':,:,%s:%s,', whose_args),
    format(named_hashes, ':,%s:%s,', value_1, value_2, value_3),
    format('select nextval(''audit.events_id_seq'') as id, %s%s%s, row_to_json(x) as image from new_rows r %s', identity, names, salt, image),
    audit.netstring('INSERT') || clear, replace(audit.netstring('INSERT') || clear, '%', '%%') || own);
  body := body || format(frame, 'DELETE', 'old_rows', label, category, 'null::text[]', 'e.image, null::json',
    named_literal, named_new, 'null::text[]', salts,
    format('format(%L, %s, octet_length(e.image::text), e.image)', whose || ':,%s:%s,:,', whose_args),
    format(named_hashes, '%s:%s,:,', value_1, value_2, value_3),
    format('select nextval(''audit.events_id_seq'') as id, %s%s%s, row_to_json(x) as image from old_rows r %s', identity, names, salt, image),
    audit.netstring('DELETE') || clear, replace(audit.netstring('DELETE') || clear, '%', '%%') || own);
  named_old := replace(named_new, 'e.named_', 'e.before_');
  return body || format(frame, 'UPDATE', 'new_rows', label, category, 'e.changed', 'e.old_text::json, e.new_text::json',
    format('case when e.named_changed then %s end', named_literal), format('case when e.named_changed then %s end', named_old),
    format('case when e.named_changed then %s end', named_new),
    format('case when e.named_changed then %s else array[v_actor_salt, substr(e.salt, 1, 16), v_purpose_salt] end', salts),
    format('format(%L, %s, octet_length(e.changed_text), e.changed_text, octet_length(e.old_text), e.old_text, octet_length(e.new_text), e.new_text)',
      whose || '%s:%s,%s:%s,%s:%s,', whose_args),
    case when cardinality(named) = 0 then '' else ' || case when e.named_changed then ''''::bytea'
      || format(named_hashes, '%s:%s,%s:%s,', before_1 || value_1, before_2 || value_2, before_3 || value_3) || ' else ''''::bytea end' end,
    format($from$
        select u.id, u.family_id, u.subject_user, u.record_id, u.record_key, u.salt%s, %s as changed, %s as changed_text,
          '{' || substr(nullif(concat(%s), ''), 2) || '}' as old_text,
          '{' || substr(nullif(concat(%s), ''), 2) || '}' as new_text, %s as named_changed
        from (
          select case when %s then audit.unpaired(%L) else nextval('audit.events_id_seq') end as id, %s%s,
          %s
          from old_rows o full join new_rows r on %s
          offset 0
        ) u$from$,
      coalesce((select string_agg(format(', u.before_%1$s, u.named_%1$s', i), '' order by i) from generate_series(1, cardinality(named)) i), ''),
      changed, changed_text, befores, afters, named_changed,
      (select string_agg(format('o.%1$I is null or r.%1$I is null', k), ' or ') from unnest(keys) k), label, identity,
      names || salt || coalesce((select string_agg(format(', o.%I::text as before_%s', c, i), '' order by i) from unnest(named) with ordinality u (c, i)), ''),
      pairs, (select string_agg(format('o.%1$I = r.%1$I', k), ' and ') from unnest(keys) k)),
    audit.netstring('UPDATE') || clear, replace(audit.netstring('UPDATE') || clear, '%', '%%') || own)
    || E'\n  return null;\nend';
end $$;

create function audit.attach(
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
-- A member of a granted family may be in others too: an event of a family is read with a grant for that family.
create policy events_support_select on audit.events for select to nestsync_support
  using (case when family_id is null then subject_user = any ((select private.granted_users())::uuid[])
    else family_id = any ((select private.granted_families())::uuid[]) end);
create policy events_staff_select on audit.events for select to nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin
  using ((select private.session_duty()) is not null);
grant select (id, xid, occurred_at, epoch, category, operation, table_name, session_login, duty, request_id, leaf) on audit.events
  to nestsync_support, nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin;
-- What events are found by: through a view with a barrier no index could give them in the order of time.
grant select (app_user, family_id, subject_user, record_id, record_key, reason, ticket) on audit.events
  to nestsync_support, nestsync_compliance, nestsync_auditor, nestsync_admin;

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
    when 'support' then case when e.family_id is null then coalesce(e.subject_user = any ((select private.granted_users())::uuid[]), false)
      else e.family_id = any ((select private.granted_families())::uuid[]) end
    when 'compliance' then true
    when 'auditor' then true
    when 'admin' then true
    else false
  end;
comment on view audit.readable_events is
  'Events with their values: for support within its grants and only the columns it may read in the table itself; for compliance, auditor and admin all. sre reads the skeleton in audit.events.';
grant select on audit.readable_events to nestsync_support, nestsync_compliance, nestsync_auditor, nestsync_admin;

revoke execute on all functions in schema audit from public;
grant execute on function audit.image(json, text[], text[]), audit.image_for_support(text, jsonb)
  to nestsync_support, nestsync_compliance, nestsync_auditor, nestsync_admin;
grant execute on function audit.default_partitions() to nestsync_support, nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin;
grant select on audit.captured_tables to nestsync_support, nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin;
