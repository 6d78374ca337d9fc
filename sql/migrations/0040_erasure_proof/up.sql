-- kind: schema
-- locks: none
-- transaction: yes
-- reversible: yes
-- seeds: none

-- An erasure is done when it was looked for what is left and nothing was found: proven, certified, and closed once archives and
-- everybody outside have followed.

create function privacy.prove_erasure(number text, looked_at text[] default '{}') returns privacy.erasures
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
comment on function privacy.prove_erasure(text, text[]) is
  'Looks for whatever is left of a person in every column of every schema, and keeps what was found: where, never what. looked_at: places (schema.table.column, or schema.table that could not be read) of which somebody has seen that nothing there is of this person.';

create function privacy.settle_outside(number text, recipient text, outcome text, reference text) returns privacy.erasure_outside
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  e privacy.erasures;
  o privacy.erasure_outside;
begin
  perform private.require_request_duty();
  e := private.lock_erasure(number);
  if e.begun_at is null then
    perform private.fail('NS005', 'it has not begun: they still need what they have', format('nestctl erasure show %s', number));
  end if;
  if char_length(btrim(coalesce(reference, ''))) < 3 then
    perform private.fail('NS007', 'it has to be said by what it can be looked up there', 'The number of their confirmation, or of our letter.');
  end if;
  select x.* into o from privacy.erasure_outside x where x.erasure_id = e.id and x.recipient = settle_outside.recipient for update;
  if not found then
    perform private.fail('NS006', format('request %s has nothing to settle with %s', number, recipient), format('nestctl erasure show %s', number));
  elsif o.outcome is not null then
    perform private.fail('NS005', format('%s is settled already, since %s', recipient, (o.settled_at at time zone 'UTC')::date), format('nestctl erasure show %s', number));
  end if;
  update privacy.erasure_outside x set outcome = settle_outside.outcome, reference = btrim(settle_outside.reference), settled_at = clock_timestamp(), settled_by = session_user
  where x.erasure_id = e.id and x.recipient = settle_outside.recipient returning x.* into o;
  return o;
end $$;
comment on function privacy.settle_outside(text, text, text, text) is 'Says what became of the data that somebody outside had: erased, not_held, or kept under an obligation of their own.';

create function private.utc(at timestamptz) returns text
  language sql immutable parallel safe set search_path = pg_catalog, pg_temp
  return to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"');
comment on function private.utc(timestamptz) is 'A point in time as RFC 3339 writes it, whole seconds.';

create function privacy.certificate_facts(number text) returns jsonb
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  e privacy.erasures;
begin
  perform private.require_request_duty();
  select x.* into e from privacy.erasures x where x.request = number and x.cancelled_at is null;
  if not found or e.proven_at is null then
    perform private.fail('NS005', format('that request %s erased all is not proven', number), format('nestctl erasure verify %s', number));
  end if;
  return jsonb_build_object('erasure', e.id, 'request', e.request, 'ground', e.ground, 'approval', e.approval_id, 'plan', e.plan_hash, 'catalogue', e.catalogue,
    'scheduled_at', private.utc(e.scheduled_at), 'begun_at', private.utc(e.begun_at), 'erased_at', private.utc(e.erased_at), 'proven_at', private.utc(e.proven_at),
    'families', cardinality(e.families),
    'steps', (select coalesce(jsonb_agg(jsonb_build_object('table', s.table_name, 'rows_of', s.rows_of, 'does', s.does, 'columns', to_jsonb(s.columns), 'rows', s.rows) order by s.at), '[]')
      from privacy.erasure_steps s where s.erasure_id = e.id and s.rows > 0),
    'kept', (select coalesce(jsonb_agg(k.step order by k.at), '[]') from (
      select s.at, jsonb_build_object('table', s.step ->> 'table', 'rows_of', s.step ->> 'rows_of', 'rows', s.step -> 'rows', 'obligations', s.step -> 'obligations',
        -- Whatever it is counted from was before the erasure.
        'until', (select ((e.erased_at + max(t.keeps)) at time zone 'UTC')::date from privacy.column_answers a join privacy.retentions t using (retention)
          where a.table_name = s.step ->> 'table' and s.step -> 'obligations' ? a.obligation)) as step
      from jsonb_array_elements(e.plan -> 'steps') with ordinality s (step, at) where jsonb_array_length(coalesce(s.step -> 'obligations', '[]')) > 0) k),
    'obligations', (select coalesce(jsonb_agg(jsonb_build_object('obligation', o.obligation, 'about', o.about, 'law', o.law) order by o.obligation), '[]') from privacy.obligations o
      where exists (select from jsonb_array_elements(e.plan -> 'steps') s where s -> 'obligations' ? o.obligation)),
    'found', (select coalesce(jsonb_object_agg(f.state, f.n), '{}') from (select x ->> 'state' as state, count(*) as n from jsonb_array_elements(e.proof -> 'found') x group by 1) f),
    'archives', (select jsonb_build_object('reached', count(*) filter (where a.done_at is not null), 'waiting', count(*) filter (where a.done_at is null))
      from audit.archive_erasures a where a.approval_id = e.approval_id),
    'outside', (select coalesce(jsonb_agg(jsonb_build_object('recipient', o.recipient, 'about', r.about, 'outcome', o.outcome, 'settled_at', private.utc(o.settled_at)) order by o.recipient), '[]')
      from privacy.erasure_outside o join privacy.recipients r using (recipient) where o.erasure_id = e.id),
    -- No catalogue of backups is known to the database.
    'backups_until', null);
end $$;
comment on function privacy.certificate_facts(text) is 'What the certificate of an erasure says, without anybody''s data but the number of the request.';

create function privacy.record_certificate(number text, certificate text) returns privacy.erasures
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  e privacy.erasures;
  statement jsonb;
begin
  perform private.require_request_duty();
  e := private.lock_erasure(number);
  begin
    statement := convert_from(decode(certificate::jsonb ->> 'payload', 'base64'), 'UTF8')::jsonb;
  exception when others then
    perform private.fail('NS007', 'that is no signed record');
  end;
  -- Whether a known key signed it is what nestctl evidence verify tells.
  if statement ->> 'predicateType' is distinct from 'urn:nestctl:evidence:erasure-certificate:v1'
    or statement #> '{predicate,content}' is distinct from privacy.certificate_facts(number)
    or coalesce(jsonb_array_length(certificate::jsonb -> 'signatures'), 0) = 0
  then
    perform private.fail('NS007', format('the certificate is not of exactly what request %s erased', number));
  end if;
  update privacy.erasures x set certificate = record_certificate.certificate, certified_at = clock_timestamp() where x.id = e.id returning x.* into e;
  return e;
end $$;
comment on function privacy.record_certificate(text, text) is 'Keeps the certificate of an erasure. certificate: an envelope whose statement says exactly privacy.certificate_facts.';

create function privacy.close_erasure(number text) returns privacy.erasures
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  e privacy.erasures;
begin
  perform private.require_request_duty();
  e := private.lock_erasure(number);
  if e.proven_at is null or e.closed_at is not null
    or exists (select from audit.archive_erasures a where a.approval_id = e.approval_id and a.done_at is null)
    or exists (select from privacy.erasure_outside o where o.erasure_id = e.id and o.outcome is null) then
    return e;
  end if;
  delete from privacy.erasure_identifiers i where i.erasure_id = e.id;
  update privacy.erasures x set closed_at = clock_timestamp() where x.id = e.id returning x.* into e;
  return e;
end $$;
comment on function privacy.close_erasure(text) is
  'Closes an erasure that is proven and whose archives and recipients have all followed: that by which its people were found goes too. Does nothing where something is still to come.';

create function ops.erasures_to_run(out due bigint, out begun bigint, out unproven bigint, out outside bigint)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform private.maintenance_duty();
  select count(*) filter (where e.begun_at is null and e.due_at <= clock_timestamp()), count(*) filter (where e.begun_at is not null and e.erased_at is null),
    count(*) filter (where e.erased_at is not null and e.proven_at is null),
    count(*) filter (where e.proven_at is not null and e.closed_at is null)
  into due, begun, unproven, outside from privacy.erasures e where e.cancelled_at is null;
end $$;
comment on function ops.erasures_to_run() is 'For maintenance: how many erasures are due, begun and not at their end, not proven, or wait for archives and others; nobody is named.';

revoke execute on all functions in schema privacy, private, ops from public;
grant execute on function privacy.prove_erasure(text, text[]), privacy.settle_outside(text, text, text, text), privacy.certificate_facts(text),
  privacy.record_certificate(text, text), privacy.close_erasure(text) to nestsync_compliance;
grant execute on function ops.erasures_to_run() to nestsync_sre, nestsync_admin;
