-- kind: schema
-- locks: SHARE ROW EXCLUSIVE on the tables whose decisions are noted, briefly
-- transaction: yes
-- reversible: yes, where no decision stands in a ledger
-- seeds: ops.approval_rules, ops.duty_permissions, audit.captured_tables, privacy.paths, privacy.column_answers

-- A restore also forgets what was decided since: a consent withdrawn, a member removed, access revoked, a hold placed. So every
-- such decision is noted here in its own transaction, maintenance carries it into a ledger outside, by keyed hashes of its row,
-- and a restored database is told of what it does not know. A replay takes away, and never gives.

create table privacy.decisions (
  id uuid primary key default gen_random_uuid(),
  kind text not null,
  key text[] not null,
  state jsonb not null,
  user_id uuid,
  family uuid,
  epoch integer not null default audit.current_epoch(),
  xid xid8 not null default pg_current_xact_id(),
  made_at timestamptz not null default clock_timestamp(),
  constraint decisions_kind check (kind in ('account', 'settings', 'notifications', 'consent', 'member', 'invitation', 'guardian', 'hold', 'grant', 'operator', 'duty')),
  constraint decisions_key check (cardinality(key) > 0 and array_position(key, null) is null),
  constraint decisions_state check (jsonb_typeof(state) = 'object')
);
create index decisions_made_idx on privacy.decisions (made_at, id);
create index decisions_user_idx on privacy.decisions (user_id) where user_id is not null;
create index decisions_family_idx on privacy.decisions (family) where family is not null;
comment on table privacy.decisions is
  'What was decided about access, consents and holds and does not stand in the ledger outside yet: a row goes once it does.';
comment on column privacy.decisions.key is 'Of the row that was decided about; of a consent, whose and to what.';
comment on column privacy.decisions.state is 'What the row says since. Of a hold, subject: of what, and its id.';

create table privacy.decision_records (
  sha256 text primary key,
  record text not null,
  decisions integer not null,
  replayed boolean not null default false,
  entered_at timestamptz not null default clock_timestamp(),
  entered_by text not null default session_user references ops.operators (login),
  constraint decision_records_sha256 check (sha256 ~ '^[0-9a-f]{64}$'),
  constraint decision_records_record check (record ~ '^decisions/[1-9][0-9]*$'),
  constraint decision_records_decisions check (decisions > 0)
);
create index decision_records_by_idx on privacy.decision_records (entered_by);
comment on table privacy.decision_records is
  'The records of the ledger of decisions that this database knows all of: what another one says was decided after the point to which this was restored.';
comment on column privacy.decision_records.sha256 is 'Of the signed record, hex.';
comment on column privacy.decision_records.replayed is 'Whether its decisions were lost with a restore, and taken again or left out.';
create trigger decision_records_append_only before update or delete on privacy.decision_records for each row execute function private.refuse_delete();
create trigger decision_records_no_truncate before truncate on privacy.decision_records execute function private.refuse_truncate();

-- Noting ------------------------------------------------------------------------------------------------------------------------------

create function private.note_decision() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  r constant jsonb := case tg_op when 'DELETE' then to_jsonb(old) else to_jsonb(new) end;
  state jsonb := (select jsonb_object_agg(c, r -> c) from unnest(tg_argv[2]::text[]) c);
begin
  -- An erasure stands in a ledger of its own.
  if private.erasing() then
    return null;
  end if;
  if tg_op = 'DELETE' then
    -- Whoever goes with their family is not removed from it, nor who moves with it into another.
    if not exists (select from public.families f where f.id = (r ->> 'family_id')::uuid)
      or exists (select from ops.moves m where (r ->> 'family_id')::uuid in (m.from_family, m.to_family) and m.xid = pg_current_xact_id()) then
      return null;
    end if;
    state := state || '{"status": "removed"}';
  elsif tg_argv[0] = 'consent' and tg_op = 'INSERT' and r ->> 'status' = 'granted' and not exists (
    select from public.consent_records c
    where (c.user_id, c.consent_type) = ((r ->> 'user_id')::uuid, r ->> 'consent_type') and c.status <> 'granted')
  then
    return null;
  elsif tg_argv[0] = 'hold' then
    state := state || jsonb_build_object('subject', case
      when r ->> 'user_id' is not null then jsonb_build_array('user', r -> 'user_id')
      when r ->> 'family_id' is not null then jsonb_build_array('family', r -> 'family_id') else jsonb_build_array('child', r -> 'child_id') end);
  end if;
  insert into privacy.decisions (kind, key, state, user_id, family)
  values (tg_argv[0], (select array_agg(r ->> k order by n) from unnest(tg_argv[1]::text[]) with ordinality u (k, n)), state,
    case when tg_argv[3] <> '' then (r ->> tg_argv[3])::uuid end, (r ->> 'family_id')::uuid);
  return null;
end $$;
comment on function private.note_decision() is 'Notes what a row says since a decision. Arguments: kind, columns of its key, columns of its state, the column with whose it is.';

-- Written out, not as comparisons of rows: those read otherwise after a dump and restore, which the audit log would take for a touched trigger.
do $$
declare
  d record;
begin
  for d in
    select * from (values
      ('public.users', 'account', 'id', 'status', 'id', 'update', $w$(old.status = 'suspended') <> (new.status = 'suspended')$w$),
      ('public.users', 'settings', 'id', 'marketing_consent,analytics_consent,data_sharing_consent', 'id', 'update',
        'old.marketing_consent is distinct from new.marketing_consent or old.analytics_consent is distinct from new.analytics_consent or old.data_sharing_consent is distinct from new.data_sharing_consent'),
      ('public.notification_preferences', 'notifications', 'user_id,id', 'push_enabled,email_enabled,sms_enabled,consented_at', 'user_id', 'update',
        'old.push_enabled is distinct from new.push_enabled or old.email_enabled is distinct from new.email_enabled or old.sms_enabled is distinct from new.sms_enabled or (old.consented_at is null) <> (new.consented_at is null)'),
      ('public.consent_records', 'consent', 'user_id,consent_type', 'status', 'user_id', 'insert', null),
      ('public.consent_records', 'consent', 'user_id,consent_type', 'status', 'user_id', 'update', 'old.status is distinct from new.status'),
      ('public.family_members', 'member', 'family_id,id', 'status,role,access_expires_at,granted_permissions,denied_permissions', 'user_id', 'update',
        'old.status is distinct from new.status or old.role is distinct from new.role or old.access_expires_at is distinct from new.access_expires_at or old.granted_permissions is distinct from new.granted_permissions or old.denied_permissions is distinct from new.denied_permissions'),
      ('public.family_members', 'member', 'family_id,id', 'status,role,access_expires_at,granted_permissions,denied_permissions', 'user_id', 'delete', null),
      ('public.family_invitations', 'invitation', 'family_id,id', 'status', '', 'update', $w$(old.status = 'revoked') <> (new.status = 'revoked')$w$),
      ('privacy.guardians', 'guardian', 'family_id,id', 'ended_on,end_ground', 'user_id', 'update', 'old.ended_on is distinct from new.ended_on'),
      ('privacy.legal_holds', 'hold', 'number', 'basis,review_on,placed_at,released_at', 'user_id', 'insert', null),
      ('privacy.legal_holds', 'hold', 'number', 'basis,review_on,placed_at,released_at', 'user_id', 'update',
        'old.released_at is distinct from new.released_at or old.review_on is distinct from new.review_on'),
      ('ops.access_grants', 'grant', 'id', 'closed_at', 'user_id', 'update', 'old.closed_at is distinct from new.closed_at'),
      ('ops.operators', 'operator', 'login', 'revoked_at', '', 'update', 'old.revoked_at is distinct from new.revoked_at'),
      ('ops.operator_duties', 'duty', 'login,duty', 'revoked_at,expires_at', '', 'update',
        'old.revoked_at is distinct from new.revoked_at or old.expires_at is distinct from new.expires_at')
    ) x (t, kind, key, state, whose, op, changed)
  loop
    execute format('create trigger %I after %s on %s for each row %s execute function private.note_decision(%L, %L, %L, %L)', d.kind || '_decided_by_' || d.op, d.op, d.t,
      case when d.changed is not null then format('when (%s)', d.changed) else '' end, d.kind, format('{%s}', d.key), format('{%s}', d.state), d.whose);
  end loop;
end $$;

-- Entering them into the ledger ----------------------------------------------------------------------------------------------------------

create function private.ledger_duty() returns void
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  if coalesce(private.session_duty(), '') not in ('sre', 'admin', 'compliance') then
    perform private.fail('NS004', 'decisions are entered into the ledger under the duty sre, admin or compliance');
  end if;
end $$;

create function ops.decisions_waiting(out waiting bigint, out since timestamptz)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform private.ledger_duty();
  select count(*), min(d.made_at) into waiting, since from privacy.decisions d;
end $$;
comment on function ops.decisions_waiting() is 'How many decisions stand in no ledger yet, and since when.';

create function ops.decisions_to_enter(wanted integer) returns table (id uuid, kind text, key text[], state jsonb, epoch integer, xid text, made_at text)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform private.ledger_duty();
  return query select d.id, d.kind, d.key, d.state, d.epoch, d.xid::text, to_char(d.made_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
  from privacy.decisions d order by d.made_at, d.id limit wanted;
end $$;
comment on function ops.decisions_to_enter(integer) is 'The oldest decisions that stand in no ledger: keys of rows, and what they say about access since.';

create function ops.decisions_known(ids uuid[]) returns uuid[]
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform private.ledger_duty();
  return array(select d.id from privacy.decisions d where d.id = any (ids) order by 1);
end $$;
comment on function ops.decisions_known(uuid[]) is 'Which of these decisions are here and stand in no ledger, as far as this database knows.';

create function ops.enter_decisions(ids uuid[], record text, sha256 text) returns integer
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  gone integer;
begin
  perform private.ledger_duty();
  delete from privacy.decisions d where d.id = any (ids);
  get diagnostics gone = row_count;
  if gone <> cardinality(ids) then
    perform private.fail('NS005', 'these decisions are not those that wait to be entered', 'nestctl maintenance run');
  end if;
  insert into privacy.decision_records (sha256, record, decisions) values (enter_decisions.sha256, enter_decisions.record, gone) on conflict do nothing;
  return gone;
end $$;
comment on function ops.enter_decisions(uuid[], text, text) is 'Says that decisions stand in a signed record of the ledger: they are forgotten here, and the record is known.';

-- What a restore has lost ---------------------------------------------------------------------------------------------------------------

create function privacy.known_decisions(look uuid, kind text, after text[], wanted integer) returns table (key text[], state jsonb)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  a constant text := after[1];
  b constant text := after[2];
  first constant uuid := '00000000-0000-0000-0000-000000000000';
begin
  perform private.my_look(look);
  case kind
    when 'account' then return query select array[u.id::text], jsonb_build_object('status', u.status) from public.users u
      where u.status = 'active' and (after is null or u.id > a::uuid) order by u.id limit wanted;
    when 'settings' then return query
      select array[u.id::text], jsonb_build_object('marketing_consent', u.marketing_consent, 'analytics_consent', u.analytics_consent, 'data_sharing_consent', u.data_sharing_consent)
      from public.users u where (u.marketing_consent or u.analytics_consent or u.data_sharing_consent) and (after is null or u.id > a::uuid) order by u.id limit wanted;
    when 'notifications' then return query
      select array[n.user_id::text, n.id::text], jsonb_build_object('push_enabled', n.push_enabled, 'email_enabled', n.email_enabled, 'sms_enabled', n.sms_enabled, 'consented_at', n.consented_at)
      from public.notification_preferences n where (n.user_id, n.id) > (coalesce(a::uuid, first), coalesce(b::uuid, first)) order by n.user_id, n.id limit wanted;
    when 'consent' then return query
      select distinct on (c.user_id, c.consent_type) array[c.user_id::text, c.consent_type], '{"status": "granted"}'::jsonb from public.consent_records c
      where c.status = 'granted' and (c.user_id, c.consent_type) > (coalesce(a::uuid, first), coalesce(b, '')) order by c.user_id, c.consent_type limit wanted;
    when 'member' then return query
      select array[m.family_id::text, m.id::text], jsonb_build_object('status', m.status, 'role', m.role, 'access_expires_at', m.access_expires_at,
        'granted_permissions', m.granted_permissions, 'denied_permissions', m.denied_permissions)
      from public.family_members m
      where m.status = 'active' and (m.family_id, m.id) > (coalesce(a::uuid, first), coalesce(b::uuid, first)) order by m.family_id, m.id limit wanted;
    when 'invitation' then return query
      select array[i.family_id::text, i.id::text], jsonb_build_object('status', i.status) from public.family_invitations i
      where i.status = 'pending' and (i.family_id, i.id) > (coalesce(a::uuid, first), coalesce(b::uuid, first)) order by i.family_id, i.id limit wanted;
    when 'guardian' then return query
      select array[g.family_id::text, g.id::text], jsonb_build_object('ended_on', g.ended_on) from privacy.guardians g
      where g.ended_on is null and (g.family_id, g.id) > (coalesce(a::uuid, first), coalesce(b::uuid, first)) order by g.family_id, g.id limit wanted;
    when 'hold' then return query
      select array[h.number], jsonb_build_object('released_at', h.released_at) from privacy.legal_holds h where after is null or h.number > a order by h.number limit wanted;
    when 'grant' then return query
      select array[g.id::text], '{"closed_at": null}'::jsonb from ops.access_grants g
      where private.grant_is_live(g) and (after is null or g.id > a::uuid) order by g.id limit wanted;
    when 'operator' then return query
      select array[o.login], '{"revoked_at": null}'::jsonb from ops.operators o where o.revoked_at is null and (after is null or o.login > a) order by o.login limit wanted;
    when 'duty' then return query
      select array[d.login, d.duty], jsonb_build_object('revoked_at', null, 'expires_at', d.expires_at) from ops.operator_duties d
      where d.revoked_at is null and (d.login, d.duty) > (coalesce(a, ''), coalesce(b, '')) order by d.login, d.duty limit wanted;
    when 'user' then return query select array[u.id::text], '{}'::jsonb from public.users u where after is null or u.id > a::uuid order by u.id limit wanted;
    when 'family' then return query select array[f.id::text], '{}'::jsonb from public.families f where after is null or f.id > a::uuid order by f.id limit wanted;
    when 'child' then return query
      select array[c.id::text], '{}'::jsonb from public.children c where after is null or c.id > a::uuid order by c.id limit wanted;
    else perform private.fail('NS007', format('nothing is decided about a %s', kind));
  end case;
end $$;
comment on function privacy.known_decisions(uuid, text, text[], integer) is
  'Rows from which a decision could have taken something, in the order of their keys, and what they say; of hold all that there are; and the keys of users, families and children, of which a hold may be. For a committed look of one''s own.';

create function private.lower_role(a text, b text) returns text
  language sql immutable parallel safe set search_path = pg_catalog, pg_temp
  return (select r from unnest('{institutional,professional,extended_family,family_core}'::text[]) with ordinality x (r, at) where r in (a, b) order by at limit 1);

create function private.narrowed(kind text, was jsonb, said jsonb) returns jsonb
  language sql stable parallel safe set search_path = pg_catalog, pg_temp
begin atomic
  select nullif(n.state, was) from (select case kind
    when 'account' then was || case when said ->> 'status' = 'suspended' and was ->> 'status' = 'active' then '{"status": "suspended"}' else '{}'::jsonb end
    when 'settings' then (select coalesce(jsonb_object_agg(w.key, w.value = 'true' and coalesce(said -> w.key, 'true') <> 'false'), '{}') from jsonb_each(was) w)
    when 'notifications' then (select jsonb_object_agg(w.key, case when w.key = 'consented_at' then case when said -> w.key = 'null' then 'null' else w.value end
      else to_jsonb(w.value = 'true' and coalesce(said -> w.key, 'true') <> 'false') end) from jsonb_each(was) w)
    when 'consent' then was || case when said ->> 'status' in ('withdrawn', 'denied') and was ->> 'status' = 'granted' then '{"status": "withdrawn"}' else '{}'::jsonb end
    when 'member' then was || jsonb_build_object(
      'status', case when was ->> 'status' = 'active' then coalesce(said -> 'status', was -> 'status') else was -> 'status' end,
      'role', private.lower_role(was ->> 'role', coalesce(said ->> 'role', was ->> 'role')),
      -- Ends are compared as times: the ledger may spell them otherwise.
      'access_expires_at', case when (said ->> 'access_expires_at')::timestamptz < coalesce((was ->> 'access_expires_at')::timestamptz, 'infinity')
        then to_jsonb((said ->> 'access_expires_at')::timestamptz) else was -> 'access_expires_at' end,
      'granted_permissions', case when said ? 'granted_permissions' then (select coalesce(jsonb_agg(p.value order by p.value), '[]')
        from jsonb_array_elements(was -> 'granted_permissions') p where said -> 'granted_permissions' @> p.value) else was -> 'granted_permissions' end,
      'denied_permissions', case when coalesce(said -> 'denied_permissions', '[]') <@ (was -> 'denied_permissions') then was -> 'denied_permissions'
        else (select jsonb_agg(distinct p.value) from jsonb_array_elements((was -> 'denied_permissions') || (said -> 'denied_permissions')) p) end)
      || case when said ? 'granted_permissions' and (was -> 'granted_permissions') <@ (said -> 'granted_permissions')
        then jsonb_build_object('granted_permissions', was -> 'granted_permissions') else '{}' end
    when 'invitation' then was || case when said ->> 'status' = 'revoked' and was ->> 'status' = 'pending' then '{"status": "revoked"}' else '{}'::jsonb end
    when 'guardian' then was || case when said ->> 'ended_on' is not null and was ->> 'ended_on' is null
      then jsonb_build_object('ended_on', said -> 'ended_on', 'end_ground', said -> 'end_ground') else '{}' end
    when 'grant' then was || case when said ->> 'closed_at' is not null and was ->> 'closed_at' is null then '{"closed_at": "now"}' else '{}'::jsonb end
    when 'operator' then was || case when said ->> 'revoked_at' is not null and was ->> 'revoked_at' is null then '{"revoked_at": "now"}' else '{}'::jsonb end
    when 'duty' then was || case when said ->> 'revoked_at' is not null and was ->> 'revoked_at' is null then '{"revoked_at": "now"}' else '{}'::jsonb end
      || case when (said ->> 'expires_at')::timestamptz < coalesce((was ->> 'expires_at')::timestamptz, 'infinity')
        then jsonb_build_object('expires_at', (said ->> 'expires_at')::timestamptz) else '{}' end
    end as state) n;
end;
comment on function private.narrowed(text, jsonb, jsonb) is
  'What is left of what a row says once a decision is taken again: never more than it says. Null where the decision takes nothing from it.';

create function privacy.decisions_take(kind text, pairs jsonb) returns boolean[]
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform private.require_request_duty();
  return array(select private.narrowed(kind, p.pair -> 0, p.pair -> 1) is not null from jsonb_array_elements(pairs) with ordinality p (pair, at) order by p.at);
end $$;
comment on function privacy.decisions_take(text, jsonb) is 'Of pairs of what a row says and what a decision left of it, whether that takes anything from it.';

-- What a revocation does besides, for whoever may -------------------------------------------------------------------------------------------

create function private.end_duty(login text, duty text) returns jsonb
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  elsewhere text[] := private.needed_elsewhere(login);
  remaining text[] := '{}';
begin
  update ops.operator_duties d set revoked_at = now() where d.login = end_duty.login and d.duty = end_duty.duty;
  if elsewhere = '{}' then
    remaining := private.take_role(login, 'nestsync_' || duty);
    if duty = 'admin' then
      remaining := remaining || private.take_role(login, 'authenticated');
    end if;
  end if;
  return jsonb_build_object('login', login, 'grants_closed', private.close_grants(login, duty), 'elsewhere', to_jsonb(elsewhere),
    'remaining', to_jsonb(remaining));
end $$;
comment on function private.end_duty(text, text) is 'Takes a duty from an operator and closes the grants under it, whoever has decided so.';

create or replace function ops.remove_duty(login text, duty text) returns jsonb
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform private.require_admin();
  perform private.lock_operators();
  perform ops.use_approval('operator', ops.plan_remove_duty(login, duty));
  return private.end_duty(login, duty);
end $$;

create function private.end_operator(login text) returns jsonb
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  elsewhere text[] := private.needed_elsewhere(login);
  remaining text[] := '{}';
  role_name text;
  closed integer;
begin
  closed := private.close_grants(login, null);
  update ops.operator_duties d set revoked_at = now() where d.login = end_operator.login and d.revoked_at is null;
  update ops.operators o set revoked_at = now() where o.login = end_operator.login;
  if to_regrole(quote_ident(login)) is not null then
    begin
      execute format('revoke connect on database %I from %I', current_database(), login);
    exception
      when insufficient_privilege then null;
    end;
    if elsewhere = '{}' then
      begin
        execute format('alter role %I nologin', login);
      exception
        when insufficient_privilege then remaining := array[format('alter role %I nologin', login)];
      end;
      foreach role_name in array '{nestsync_support,nestsync_compliance,nestsync_sre,nestsync_auditor,nestsync_admin,authenticated}'::text[] loop
        remaining := remaining || private.take_role(login, role_name);
      end loop;
    end if;
  end if;
  return jsonb_build_object('login', login, 'grants_closed', closed, 'elsewhere', to_jsonb(elsewhere), 'remaining', to_jsonb(remaining));
end $$;
comment on function private.end_operator(text) is 'Ends an operator, their grants, login and duties, whoever has decided so.';

create or replace function ops.revoke_operator(login text) returns jsonb
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform private.require_admin();
  perform private.lock_operators();
  perform ops.use_approval('operator', ops.plan_revoke_operator(login));
  return private.end_operator(login);
end $$;

-- Taking them again -----------------------------------------------------------------------------------------------------------------------

insert into ops.approval_rules (action, requester_duty, approver_duty, lasts, about) values
  ('decision_replay', 'compliance', 'compliance', '7 days', 'decisions that a restore has lost are taken again');

create function private.current_state(kind text, key text[]) returns jsonb
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  s jsonb;
begin
  case kind
    when 'account' then select jsonb_build_object('status', u.status) into s from public.users u where u.id = key[1]::uuid for update;
    when 'settings' then select jsonb_build_object('marketing_consent', u.marketing_consent, 'analytics_consent', u.analytics_consent, 'data_sharing_consent', u.data_sharing_consent)
      into s from public.users u where u.id = key[1]::uuid for update;
    when 'notifications' then select jsonb_build_object('push_enabled', n.push_enabled, 'email_enabled', n.email_enabled, 'sms_enabled', n.sms_enabled, 'consented_at', n.consented_at)
      into s from public.notification_preferences n where (n.user_id, n.id) = (key[1]::uuid, key[2]::uuid) for update;
    when 'consent' then select '{"status": "granted"}' into s from public.consent_records c
      where (c.user_id, c.consent_type, c.status) = (key[1]::uuid, key[2], 'granted') limit 1 for update;
    when 'member' then select jsonb_build_object('status', m.status, 'role', m.role, 'access_expires_at', m.access_expires_at,
        'granted_permissions', m.granted_permissions, 'denied_permissions', m.denied_permissions)
      into s from public.family_members m where (m.family_id, m.id) = (key[1]::uuid, key[2]::uuid) for update;
    when 'invitation' then select jsonb_build_object('status', i.status) into s from public.family_invitations i where (i.family_id, i.id) = (key[1]::uuid, key[2]::uuid) for update;
    when 'guardian' then select jsonb_build_object('ended_on', g.ended_on) into s from privacy.guardians g where (g.family_id, g.id) = (key[1]::uuid, key[2]::uuid) for update;
    when 'grant' then select jsonb_build_object('closed_at', case when private.grant_is_live(g) then g.closed_at else clock_timestamp() end)
      into s from ops.access_grants g where g.id = key[1]::uuid for update;
    when 'operator' then select jsonb_build_object('revoked_at', o.revoked_at) into s from ops.operators o where o.login = key[1] for update;
    when 'duty' then select jsonb_build_object('revoked_at', d.revoked_at, 'expires_at', d.expires_at) into s from ops.operator_duties d where (d.login, d.duty) = (key[1], key[2]) for update;
    else perform private.fail('NS007', format('nothing is decided about a %s', kind));
  end case;
  return s;
end $$;
comment on function private.current_state(text, text[]) is 'What a row that was decided about says now, locked; null where it is not there.';

create function private.take_again(kind text, key text[], said jsonb, made_at timestamptz) returns boolean
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  told constant text := 'placed before a restore, and again after it: the file of the hold says what it is about';
  n jsonb;
begin
  if kind = 'hold' then
    if said ->> 'released_at' is not null or exists (select from privacy.legal_holds h where h.number = key[1]) then
      return false;
    end if;
    insert into privacy.legal_holds (number, user_id, family_id, child_id, basis, matter, review_on, placed_at, reason, ticket)
    values (key[1], case when said #>> '{subject,0}' = 'user' then (said #>> '{subject,1}')::uuid end, case when said #>> '{subject,0}' = 'family' then (said #>> '{subject,1}')::uuid end,
      case when said #>> '{subject,0}' = 'child' then (said #>> '{subject,1}')::uuid end, said ->> 'basis', told, (said ->> 'review_on')::date, (said ->> 'placed_at')::timestamptz,
      btrim(current_setting('nestsync.reason', true)), nullif(btrim(current_setting('nestsync.ticket', true)), ''));
    return true;
  end if;
  n := private.narrowed(kind, private.current_state(kind, key), said);
  if n is null then
    return false;
  end if;
  case kind
    when 'account' then update public.users u set status = n ->> 'status' where u.id = key[1]::uuid;
    when 'settings' then update public.users u set marketing_consent = (n ->> 'marketing_consent')::boolean, analytics_consent = (n ->> 'analytics_consent')::boolean,
      data_sharing_consent = (n ->> 'data_sharing_consent')::boolean where u.id = key[1]::uuid;
    when 'notifications' then update public.notification_preferences p set push_enabled = (n ->> 'push_enabled')::boolean, email_enabled = (n ->> 'email_enabled')::boolean,
      sms_enabled = (n ->> 'sms_enabled')::boolean, consented_at = (n ->> 'consented_at')::timestamptz,
      device_tokens = case when n ->> 'consented_at' is null and p.consented_at is not null then '{}' else p.device_tokens end
      where (p.user_id, p.id) = (key[1]::uuid, key[2]::uuid);
    when 'consent' then update public.consent_records c set status = 'withdrawn', withdrawn_at = greatest(take_again.made_at, c.granted_at),
      evidence = c.evidence || '{"withdrawal": {"recorded_by": "replay after a restore"}}'
      where (c.user_id, c.consent_type, c.status) = (key[1]::uuid, key[2], 'granted');
    when 'member' then update public.family_members m set status = n ->> 'status', role = n ->> 'role',
      -- One that would end before it began has ended.
      access_expires_at = greatest((n ->> 'access_expires_at')::timestamptz, m.created_at + interval '1 microsecond'),
      granted_permissions = array(select jsonb_array_elements_text(n -> 'granted_permissions')), denied_permissions = array(select jsonb_array_elements_text(n -> 'denied_permissions'))
      where (m.family_id, m.id) = (key[1]::uuid, key[2]::uuid);
    when 'invitation' then update public.family_invitations i set status = n ->> 'status' where (i.family_id, i.id) = (key[1]::uuid, key[2]::uuid);
    when 'guardian' then update privacy.guardians g set ended_on = (n ->> 'ended_on')::date, end_ground = n ->> 'end_ground', ended_by = session_user, ended_at = clock_timestamp()
      where (g.family_id, g.id) = (key[1]::uuid, key[2]::uuid);
    when 'grant' then update ops.access_grants g set closed_at = clock_timestamp() where g.id = key[1]::uuid;
    when 'operator' then
      perform private.lock_operators(), private.keep_an_admin(key[1]);
      perform private.end_operator(key[1]);
    when 'duty' then
      perform private.lock_operators();
      if n ->> 'revoked_at' is null then
        update ops.operator_duties d set expires_at = (n ->> 'expires_at')::timestamptz where (d.login, d.duty) = (key[1], key[2]);
        return true;
      end if;
      if key[2] = 'admin' then
        perform private.keep_an_admin(key[1]);
      end if;
      perform private.end_duty(key[1], key[2]);
  end case;
  return true;
end $$;
comment on function private.take_again(text, text[], jsonb, timestamptz) is 'Takes a decision again on a row that says more than it left of it; false where there is nothing to take. A hold that is not there is placed again, under its number.';

create function privacy.decisions_approvable(decisions jsonb, left_out jsonb, records jsonb) returns jsonb
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform private.require_request_duty();
  return jsonb_build_object('do', 'replay decisions', 'decisions', (
      select coalesce(jsonb_object_agg(k.kind, k.n), '{}') from (select d ->> 'kind' as kind, count(*) as n from jsonb_array_elements(decisions) d group by 1) k),
    'left_out', left_out, 'records', (select coalesce(jsonb_agg(r -> 'record' order by r ->> 'record'), '[]') from jsonb_array_elements(records) r),
    'sha256', encode(sha256(convert_to((decisions || records)::text, 'UTF8')), 'hex'));
end $$;
comment on function privacy.decisions_approvable(jsonb, jsonb, jsonb) is
  'What a second operator approves before privacy.replay_decisions: how many of which kind, which transactions are left out because they were the mistake that was restored from, which records of the ledger this makes known, and the hash of it all.';

create function privacy.replay_decisions(decisions jsonb, left_out jsonb, records jsonb) returns table (place integer, outcome text, why text, next text)
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  d record;
  refused integer := 0;
  message text;
  hint text;
begin
  perform private.require_request_duty();
  perform ops.use_approval('decision_replay', privacy.decisions_approvable(decisions, left_out, records));
  -- What stands against one is told with it, not at the end of the transaction.
  set constraints all immediate;
  for d in
    select x.at::integer as at, x.decision ->> 'kind' as kind, array(select jsonb_array_elements_text(x.decision -> 'key')) as key, x.decision -> 'state' as state,
      (x.decision ->> 'made_at')::timestamptz as made_at
    from jsonb_array_elements(decisions) with ordinality x (decision, at) order by made_at, x.at
  loop
    place := d.at;
    why := null;
    next := null;
    begin
      outcome := case when private.take_again(d.kind, d.key, d.state, d.made_at) then 'taken' else 'as_it_was' end;
    exception
      when sqlstate 'NS004' or sqlstate 'NS005' or integrity_constraint_violation then
        get stacked diagnostics message = message_text, hint = pg_exception_hint;
        outcome := 'refused';
        why := message;
        next := nullif(hint, '');
        refused := refused + 1;
    end;
    return next;
  end loop;
  -- What was refused is still lost: its record stays unknown.
  if refused = 0 then
    insert into privacy.decision_records (sha256, record, decisions, replayed)
    select r ->> 'sha256', r ->> 'record', (r ->> 'decisions')::integer, true from jsonb_array_elements(records) r on conflict do nothing;
  end if;
end $$;
comment on function privacy.replay_decisions(jsonb, jsonb, jsonb) is
  'Takes decisions again that a restore has lost, in their order, under an approval of privacy.decisions_approvable: whatever a row says more than it said then is taken from it, and nothing given. What stands against one is told and stops no other; where none was refused the records are known from then on.';

do $$
declare
  t text;
  untold constant text := 'goes within the hour, once it stands in the ledger by keyed hashes alone';
begin
  foreach t in array '{decisions,decision_records}'::text[] loop
    execute format('alter table privacy.%I enable row level security', t);
    execute format('alter table privacy.%I force row level security', t);
    execute format('create policy %I on privacy.%I to current_user using (true) with check (true)', t || '_owner_all', t);
    execute format('create policy %I on privacy.%I for select to nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin using ((select private.session_duty()) is not null)', t || '_staff_select', t);
    execute format('grant select on privacy.%I to nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin', t);
  end loop;
  perform privacy.declare_path('privacy.decisions', 'person', 'direct', 'account', 'subject', 'user_id', 'public.users', 'id');
  perform privacy.declare_path('privacy.decisions', 'household', 'membership', 'household', 'joint', 'family', 'public.families', 'id');
  perform privacy.declare('privacy.decisions', 'user_id', 'subject', 'account', 'identifier', 'assigned', 'accountability', 'operation', 'delete', withheld => untold);
  perform privacy.declare('privacy.decisions', 'id kind key state family epoch xid made_at', 'joint', 'household', 'access_record', 'observed', 'accountability', 'operation', 'delete', withheld => untold);
  perform privacy.declare_operational('privacy.decision_records', 'sha256 record decisions replayed entered_at', 'rights', 'audit');
  perform privacy.declare_path('privacy.decision_records', 'by_entered_by', 'direct', 'operator', 'subject', 'entered_by', 'ops.operators', 'login');
  perform privacy.declare('privacy.decision_records', 'entered_by', 'other', 'operator', 'staff', 'observed', 'accountability', 'audit', 'keep', 'accountability');
end $$;
insert into ops.duty_permissions (duty, resource, command, condition)
select duty, resource, 'select', 'always' from unnest('{compliance,sre,auditor,admin}'::text[]) duty, unnest('{decisions,decision_records}'::text[]) resource;
select audit.attach('privacy.decision_records', 'modification', record => null);

revoke execute on all functions in schema privacy, private, ops from public;
grant execute on function ops.decisions_waiting(), ops.decisions_to_enter(integer), ops.decisions_known(uuid[]), ops.enter_decisions(uuid[], text, text)
  to nestsync_sre, nestsync_admin, nestsync_compliance;
grant execute on function privacy.known_decisions(uuid, text, text[], integer), privacy.decisions_take(text, jsonb), privacy.decisions_approvable(jsonb, jsonb, jsonb),
  privacy.replay_decisions(jsonb, jsonb, jsonb) to nestsync_compliance;
