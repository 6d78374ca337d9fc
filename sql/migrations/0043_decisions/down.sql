do $$
begin
  if exists (select from privacy.decision_records) then
    raise exception 'decisions stand in a ledger that this database knows of: they are not dropped';
  end if;
end $$;
create or replace function ops.remove_duty(login text, duty text) returns jsonb
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  elsewhere text[] := private.needed_elsewhere(login);
  remaining text[] := '{}';
begin
  perform private.require_admin();
  perform private.lock_operators();
  perform ops.use_approval('operator', ops.plan_remove_duty(login, duty));
  update ops.operator_duties d set revoked_at = now() where d.login = remove_duty.login and d.duty = remove_duty.duty;
  if elsewhere = '{}' then
    remaining := private.take_role(login, 'nestsync_' || duty);
    if duty = 'admin' then
      remaining := remaining || private.take_role(login, 'authenticated');
    end if;
  end if;
  return jsonb_build_object('login', login, 'grants_closed', private.close_grants(login, duty), 'elsewhere', to_jsonb(elsewhere),
    'remaining', to_jsonb(remaining));
end $$;
create or replace function ops.revoke_operator(login text) returns jsonb
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  elsewhere text[] := private.needed_elsewhere(login);
  remaining text[] := '{}';
  role_name text;
  closed integer;
begin
  perform private.require_admin();
  perform private.lock_operators();
  perform ops.use_approval('operator', ops.plan_revoke_operator(login));
  closed := private.close_grants(login, null);
  update ops.operator_duties d set revoked_at = now() where d.login = revoke_operator.login and d.revoked_at is null;
  update ops.operators o set revoked_at = now() where o.login = revoke_operator.login;
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
delete from ops.approval_rules where action = 'decision_replay';
select privacy.undeclare('privacy.decisions'), privacy.undeclare('privacy.decision_records');
delete from ops.duty_permissions where resource in ('decisions', 'decision_records');
delete from audit.captured_tables where table_name = 'privacy.decision_records'::regclass;
do $$
declare
  t record;
begin
  for t in select g.tgname, g.tgrelid::regclass as name from pg_catalog.pg_trigger g where g.tgfoid = 'private.note_decision()'::regprocedure loop
    execute format('drop trigger %I on %s', t.tgname, t.name);
  end loop;
end $$;
drop function privacy.replay_decisions(jsonb, jsonb, jsonb);
drop function privacy.decisions_approvable(jsonb, jsonb, jsonb);
drop function private.take_again(text, text[], jsonb, timestamptz);
drop function private.current_state(text, text[]);
drop function private.end_operator(text);
drop function private.end_duty(text, text);
drop function privacy.decisions_take(text, jsonb);
drop function private.narrowed(text, jsonb, jsonb);
drop function private.lower_role(text, text);
drop function privacy.known_decisions(uuid, text, text[], integer);
drop function ops.enter_decisions(uuid[], text, text);
drop function ops.decisions_known(uuid[]);
drop function ops.decisions_to_enter(integer);
drop function ops.decisions_waiting();
drop function private.ledger_duty();
drop function private.note_decision();
drop table privacy.decision_records;
drop table privacy.decisions;
drop function audit.capture_privacy_decision_records();
