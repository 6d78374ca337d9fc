-- kind: schema
-- locks: none on existing tables
-- transaction: yes
-- reversible: yes

create function audit.bundle_part(e audit.events, part integer) returns jsonb
  language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  select case
    when e.erased_hashes[part] is not null then
      jsonb_build_object('hash', encode(e.erased_hashes[part], 'base64'), 'erased', coalesce(e.erased_requests[part], ''))
    when e.salts[part] is not null then jsonb_build_object('salt', encode(e.salts[part], 'base64')) || case part
      when 1 then jsonb_build_object('app_user', e.app_user)
      when 2 then jsonb_build_object('family_id', e.family_id, 'subject_user', e.subject_user, 'record_id', e.record_id, 'record_key', e.record_key,
        'changed_columns', e.changed_columns, 'old_row', e.old_row::text, 'new_row', e.new_row::text)
      when 3 then jsonb_build_object('reason', e.reason, 'ticket', e.ticket)
      else jsonb_build_object('column', e.named_columns[part - 3], 'old', e.named_old[part - 3], 'new', e.named_new[part - 3])
    end
  end;
end;
comment on function audit.bundle_part(audit.events, integer) is
  'A part of an event with its salt, so that its hash can be computed; of an erased one the hash and the request; null for an absent one.';

create function audit.family_leaves(family uuid, after bigint, at_least integer)
  returns table (leaf bigint, hash bytea, event jsonb, parts jsonb)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  own bytea;
  t record;
  hashes bytea;
  entries bytea;
  given bigint;
  rest bigint := at_least;
begin
  if coalesce(private.session_duty(), '') not in ('compliance', 'auditor', 'admin') then
    perform private.fail('NS004', 'the history of a family is bundled under the duty compliance, auditor or admin');
  end if;
  select int4send(c.number) into own from audit.family_chains c where c.key = sha256(uuid_send(family));
  -- Of a tile that has nothing of the family only its families are read: they stand in the row itself, all else of it elsewhere.
  for t in
    select p.number, p.hashes, p.entries, p.families from audit.tiles p
    where p.level = 0 and p.number >= (after + 1) / 256 and position(own in p.families) > 0
    order by p.number
  loop
    -- Fetched once, rather than once for each leaf.
    hashes := t.hashes || ''::bytea;
    entries := t.entries || ''::bytea;
    return query
    select t.number * 256 + p.g, substr(hashes, p.g * 32 + 1, 32),
      case when e.id is not null then jsonb_build_object('epoch', e.epoch, 'xid', e.xid::text,
        'occurred_at', ((extract(epoch from e.occurred_at) - 946684800) * 1000000)::bigint::text, 'operation', e.operation, 'table_name', e.table_name,
        'category', e.category, 'session_login', e.session_login, 'duty', e.duty, 'request_id', e.request_id, 'id', e.id::text) end,
      case when e.id is not null then (select jsonb_agg(audit.bundle_part(e, part) order by part) from generate_series(1, cardinality(e.salts)) part) end
    from (
      select g, ('x' || encode(substr(entries, g * 30 + 13, 8), 'hex'))::bit(64)::bigint as id,
        timestamptz '2000-01-01 00:00:00+00' + ('x' || encode(substr(entries, g * 30 + 21, 8), 'hex'))::bit(64)::bigint * interval '1 microsecond' as occurred_at,
        (select c from unnest(enum_range(null::audit.category)) c where starts_with(c::text, convert_from(substr(entries, g * 30 + 29, 2), 'UTF8'))) as category
      from generate_series(0, octet_length(t.families) / 4 - 1) g
      where substr(t.families, g * 4 + 1, 4) = own and t.number * 256 + g > after offset 0) p
      left join audit.events e on e.id = p.id and e.occurred_at = p.occurred_at and e.category = p.category
    order by p.g;
    get diagnostics given = row_count;
    rest := rest - given;
    exit when rest <= 0;
  end loop;
end $$;
comment on function audit.family_leaves(uuid, bigint, integer) is
  'The leaves in the chain of a family behind one, in order, with the event of each, its salts included; event is null where its row is not kept any more.';

revoke execute on function audit.bundle_part(audit.events, integer), audit.family_leaves(uuid, bigint, integer) from public;
grant execute on function audit.family_leaves(uuid, bigint, integer) to nestsync_compliance, nestsync_auditor, nestsync_admin;
