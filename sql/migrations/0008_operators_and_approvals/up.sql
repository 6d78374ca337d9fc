-- kind: schema
-- locks: SHARE ROW EXCLUSIVE on ops.access_grants and ops.operators, briefly
-- transaction: yes
-- reversible: yes, where no approval was ever asked for and no access was ever reviewed
-- seeds: ops.approval_rules, audit.captured_tables

-- Approvals -------------------------------------------------------------------------------------------------

create table ops.approval_rules (
  action text primary key,
  requester_duty text not null,
  approver_duty text not null,
  lasts interval not null,
  about text not null,
  constraint approval_rules_action check (action ~ '^[a-z][a-z_]{2,40}$'),
  constraint approval_rules_duties check (array[requester_duty, approver_duty] <@ '{support,compliance,sre,auditor,admin}'),
  constraint approval_rules_lasts check (lasts between interval '1 hour' and interval '30 days')
);
comment on table ops.approval_rules is
  'What needs a second operator''s approval: under which duty it is asked for, which duty approves it, and how long a request can be decided and used.';
insert into ops.approval_rules (action, requester_duty, approver_duty, lasts, about) values
  ('operator', 'admin', 'admin', '3 days', 'operators and their duties'),
  ('break_glass', 'admin', 'admin', '4 hours', 'access to everything for up to 60 minutes'),
  ('erasure', 'compliance', 'compliance', '7 days', 'erasure of a data subject'),
  ('promote', 'sre', 'sre', '4 hours', 'a restored instance takes the place of production');

create table ops.approvals (
  id uuid primary key default gen_random_uuid(),
  action text not null references ops.approval_rules (action),
  plan jsonb not null,
  plan_hash text not null,
  requested_by text not null references ops.operators (login),
  duty text not null,
  approver_duty text not null,
  reason text not null,
  ticket text not null,
  requested_at timestamptz not null,
  expires_at timestamptz not null,
  decision text,
  decided_by text references ops.operators (login),
  decided_at timestamptz,
  decided_xid xid8,
  decided_reason text,
  used_at timestamptz,
  used_xid xid8,
  constraint approvals_plan check (jsonb_typeof(plan) = 'object'),
  constraint approvals_reason check (char_length(btrim(reason)) >= 10 and reason !~ '[[:cntrl:]]'),
  constraint approvals_ticket check (ticket ~ '^[[:alnum:]][[:alnum:]._#/-]{1,63}$'),
  constraint approvals_decision check (decision in ('granted', 'refused', 'withdrawn')),
  constraint approvals_decided check (num_nulls(decision, decided_by, decided_at, decided_xid, decided_reason) in (0, 5)),
  -- Four eyes: only who asked withdraws, and only somebody else decides.
  constraint approvals_four_eyes check ((decision = 'withdrawn') = (requested_by = decided_by)),
  constraint approvals_in_time check (decided_at between requested_at and expires_at and used_at between decided_at and expires_at),
  constraint approvals_used check (num_nulls(used_at, used_xid) in (0, 2) and (used_at is null or decision = 'granted' and used_xid <> decided_xid))
);
comment on table ops.approvals is
  'Requests for a second operator''s approval of one exact plan. Each is decided once, by somebody else who holds the duty that the action names, and used once, by who asked, for that plan and no other.';
comment on column ops.approvals.plan is 'What is to be done, for people to read and for its hash to bind.';
comment on column ops.approvals.plan_hash is 'SHA-256 in hexadecimal of action and plan, made by the database.';
create index approvals_action_idx on ops.approvals (action, requested_at desc);
create index approvals_requester_idx on ops.approvals (requested_by, plan_hash, requested_at desc);
create index approvals_decider_idx on ops.approvals (decided_by) where decided_by is not null;

create function private.plan_hash(action text, plan jsonb) returns text
  language sql immutable parallel safe set search_path = pg_catalog, pg_temp
  return encode(sha256(convert_to(action || ' ' || plan::text, 'UTF8')), 'hex');
comment on function private.plan_hash(text, jsonb) is 'What binds an approval to its plan: jsonb prints the same content the same way.';

create function private.may_judge(login text, duty text) returns boolean
  language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp
  return private.has_duty(login, duty) and exists (
    select from ops.operators o join ops.operator_duties d on d.login = o.login
    where o.login = $1 and d.duty = $2 and greatest(o.registered_at, d.granted_at) <= clock_timestamp() - interval '1 day');
comment on function private.may_judge(text, text) is
  'Whether an operator may approve or review under a duty: held now, and neither registered nor given the duty within the last day.';

create function private.stamp_approval() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  rule ops.approval_rules;
begin
  if tg_op = 'INSERT' then
    select * into rule from ops.approval_rules r where r.action = new.action;
    new.plan_hash := private.plan_hash(new.action, new.plan);
    new.requested_by := session_user;
    new.duty := private.session_duty();
    new.approver_duty := rule.approver_duty;
    new.requested_at := clock_timestamp();
    new.expires_at := new.requested_at + rule.lasts;
    new.decision := null; new.decided_by := null; new.decided_at := null; new.decided_xid := null; new.decided_reason := null;
    new.used_at := null; new.used_xid := null;
    if new.duty is distinct from rule.requester_duty then
      perform private.fail('NS004', format('this is asked for under the duty %s', coalesce(rule.requester_duty, 'of an operator')));
    end if;
    return new;
  end if;
  if to_jsonb(new) - '{decision,decided_by,decided_at,decided_xid,decided_reason,used_at,used_xid}'::text[]
    <> to_jsonb(old) - '{decision,decided_by,decided_at,decided_xid,decided_reason,used_at,used_xid}'::text[]
  then
    perform private.fail('NS005', 'an approval never changes; it is decided once and used once');
  end if;
  if old.decision is null then
    new.decided_by := session_user;
    new.decided_at := clock_timestamp();
    new.decided_xid := pg_current_xact_id();
    new.used_at := null; new.used_xid := null;
    if new.decision is distinct from 'withdrawn'
      and (private.session_duty() is distinct from old.approver_duty or not private.may_judge(session_user, old.approver_duty))
    then
      perform private.fail('NS004', format('this is decided under the duty %s by who has held it for a day', old.approver_duty));
    end if;
    return new;
  end if;
  if old.decision <> 'granted' or old.used_at is not null or session_user <> old.requested_by then
    perform private.fail('NS005', 'an approval never changes; it is decided once and used once');
  end if;
  new.decision := old.decision; new.decided_by := old.decided_by; new.decided_at := old.decided_at;
  new.decided_xid := old.decided_xid; new.decided_reason := old.decided_reason;
  new.used_at := clock_timestamp();
  new.used_xid := pg_current_xact_id();
  return new;
end $$;
create trigger approvals_stamp before insert or update on ops.approvals
  for each row execute function private.stamp_approval();
create trigger approvals_no_delete before delete on ops.approvals
  for each row execute function private.refuse_delete();
create trigger approvals_no_truncate before truncate on ops.approvals
  execute function private.refuse_truncate();

create function private.check_purpose(reason text, ticket text) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if char_length(btrim(coalesce(reason, ''))) < 10 then
    perform private.fail('NS001', 'a reason of at least 10 characters is needed', 'Say what it is for: --reason "…"');
  end if;
  if reason ~ '[[:cntrl:]]' then
    perform private.fail('NS007', 'the reason holds line breaks or control characters');
  end if;
  if coalesce(ticket, '') !~ '^[[:alnum:]][[:alnum:]._#/-]{1,63}$' then
    perform private.fail('NS001', 'a ticket is needed', 'Name it like the tracker does: --ticket OPS-1234');
  end if;
end $$;

create function ops.approval_state(a ops.approvals) returns text
  language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp
  return case
    when a.used_at is not null then 'used'
    when a.decision in ('refused', 'withdrawn') then a.decision
    when a.expires_at <= clock_timestamp() then 'expired'
    when a.decision is null then 'pending'
    when not private.has_duty(a.decided_by, a.approver_duty) then 'void'
    else 'granted'
  end;
comment on function ops.approval_state(ops.approvals) is
  'pending, granted, refused, withdrawn, used, expired; void: whoever granted it holds the duty no longer.';

create function private.approvals_for(action text, plan jsonb) returns setof ops.approvals
  language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp
begin atomic
  select p.* from ops.approvals p
  where p.requested_by = session_user and p.plan_hash = private.plan_hash(approvals_for.action, approvals_for.plan)
  order by p.requested_at desc;
end;
comment on function private.approvals_for(text, jsonb) is 'What the operator behind this session has asked for with this plan, newest first.';

create function ops.find_approval(action text, plan jsonb) returns setof ops.approvals
  language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp
begin atomic
  select p.* from private.approvals_for(find_approval.action, find_approval.plan) p
  where ops.approval_state(p) in ('granted', 'pending')
  order by ops.approval_state(p), p.requested_at desc limit 1;
end;
comment on function ops.find_approval(text, jsonb) is 'Your own request for this plan that is granted or waits; no row where there is none.';

create function ops.request_approval(action text, plan jsonb, reason text, ticket text) returns ops.approvals
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  rule ops.approval_rules;
  a ops.approvals;
begin
  select * into rule from ops.approval_rules r where r.action = request_approval.action;
  if not found then
    perform private.fail('NS007', format('there is no action %L that needs an approval', action));
  end if;
  if private.session_duty() is distinct from rule.requester_duty then
    perform private.fail('NS004', format('an approval for "%s" is asked for under the duty %s', action, rule.requester_duty));
  end if;
  perform private.check_purpose(reason, ticket);
  if plan is null or jsonb_typeof(plan) <> 'object' then
    perform private.fail('NS007', 'a plan is a JSON object');
  end if;
  -- Two sessions of one operator file one request, not two.
  perform pg_advisory_xact_lock(hashtextextended('nestsync approval ' || session_user, 0));
  select p.* into a from ops.find_approval(action, plan) p;
  if found then
    return a;
  end if;
  select p.* into a from private.approvals_for(action, plan) p limit 1;
  if found and ops.approval_state(a) = 'refused' and a.expires_at > clock_timestamp()
    and a.reason = btrim(request_approval.reason) and a.ticket = request_approval.ticket
  then
    perform private.fail('NS004', format('%s has refused this', a.decided_by), format('nestctl approval show %s', a.id));
  end if;
  perform set_config('nestsync.reason', btrim(reason), true), set_config('nestsync.ticket', ticket, true);
  insert into ops.approvals as p (action, plan, reason, ticket)
  values (request_approval.action, request_approval.plan, btrim(request_approval.reason), request_approval.ticket)
  returning p.* into a;
  return a;
end $$;
comment on function ops.request_approval(text, jsonb, text, text) is
  'Files a request for exactly this plan, or returns yours that waits or is granted already. One that was refused is filed again only for another reason or ticket.';

create function ops.decide_approval(approval uuid, decision text, reason text) returns ops.approvals
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  a ops.approvals;
  v_duty text := private.session_duty();
begin
  if decision is null or decision not in ('granted', 'refused', 'withdrawn') then
    perform private.fail('NS007', 'a request is granted, refused or withdrawn');
  end if;
  if v_duty is null then
    perform private.fail('NS004', 'this session has taken no duty that its operator holds', 'Take one with --duty; see: nestctl doctor');
  end if;
  select p.* into a from ops.approvals p
  where p.id = approval and (p.requested_by = session_user or p.approver_duty = v_duty or v_duty in ('auditor', 'admin')) for update;
  if not found then
    perform private.fail('NS006', format('there is no request %s that you may decide', approval), 'nestctl approval list');
  end if;
  if decision = 'withdrawn' and a.requested_by <> session_user then
    perform private.fail('NS004', 'only who asked withdraws a request', format('nestctl approval refuse %s', approval));
  elsif decision <> 'withdrawn' and a.requested_by = session_user then
    perform private.fail('NS004', 'nobody decides a request of their own: it takes a second operator');
  elsif decision <> 'withdrawn' and v_duty <> a.approver_duty then
    perform private.fail('NS004', format('this is decided under the duty %s', a.approver_duty), format('Take it with --duty %s.', a.approver_duty));
  elsif decision <> 'withdrawn' and not private.may_judge(session_user, a.approver_duty) then
    perform private.fail('NS004', format('whoever became an operator or got the duty %s less than a day ago decides nothing yet', a.approver_duty));
  end if;
  if ops.approval_state(a) <> 'pending' then
    perform private.fail('NS005', format('request %s is %s already', approval, ops.approval_state(a)));
  end if;
  perform private.check_purpose(reason, a.ticket);
  perform set_config('nestsync.reason', btrim(reason), true), set_config('nestsync.ticket', a.ticket, true);
  update ops.approvals p set decision = decide_approval.decision, decided_reason = btrim(decide_approval.reason)
  where p.id = approval returning p.* into a;
  return a;
end $$;
comment on function ops.decide_approval(uuid, text, text) is
  'Grants, refuses or withdraws a request: the first two by a second operator under the duty that the action names, the third by who asked.';

create function ops.use_approval(action text, plan jsonb) returns uuid
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  a ops.approvals;
  state text;
begin
  -- The granted one is locked: a second use waits here, and then finds it used.
  select p.* into a from ops.approvals p
  where p.requested_by = session_user and p.plan_hash = private.plan_hash(use_approval.action, use_approval.plan)
    and p.decision = 'granted' and p.used_at is null and p.expires_at > clock_timestamp()
  order by private.has_duty(p.decided_by, p.approver_duty) desc, p.requested_at desc limit 1 for update;
  if not found then
    select p.* into a from private.approvals_for(action, plan) p limit 1;
  end if;
  state := case when a.id is null then 'absent' else ops.approval_state(a) end;
  case state
    when 'granted' then null;
    when 'pending' then
      perform private.fail('NS008', 'this waits for a second operator''s approval', format('nestctl approval grant %s', a.id));
    when 'refused', 'void' then
      perform private.fail('NS004', case state when 'refused' then format('%s has refused this', a.decided_by)
        else format('%s, who approved this, holds the duty %s no longer', a.decided_by, a.approver_duty) end, format('nestctl approval show %s', a.id));
    when 'absent', 'withdrawn' then
      perform private.fail('NS008', 'this needs a second operator''s approval, and nobody was asked for it', 'Ask with ops.request_approval for exactly this plan.');
    else
      perform private.fail('NS005', format('the approval for this is %s', state), 'Ask for another.');
  end case;
  if private.session_duty() is distinct from a.duty then
    perform private.fail('NS004', format('this was approved for the duty %s', a.duty), format('Take it with --duty %s.', a.duty));
  end if;
  if a.decided_xid is not distinct from pg_current_xact_id_if_assigned() then
    perform private.fail('NS005', 'an approval counts from the transaction after its own on');
  end if;
  perform set_config('nestsync.reason', a.reason, true), set_config('nestsync.ticket', a.ticket, true);
  update ops.approvals p set used_at = clock_timestamp() where p.id = a.id;
  return a.id;
end $$;
comment on function ops.use_approval(text, jsonb) is
  'Uses up your approval for exactly this plan, and lends its reason and ticket to the rest of the transaction. Raises NS008 while there is none, NS004 where it was refused, NS005 where it has expired or was used. What needs an approval calls this first, with a plan of its own making.';

-- Operators -------------------------------------------------------------------------------------------------

create function private.require_admin() returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if private.session_duty() is distinct from 'admin' then
    perform private.fail('NS004', 'operators are managed under the duty admin', 'Take it with --duty admin.');
  end if;
end $$;

create function private.needed_elsewhere(login text) returns text[]
  language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp
  return array(
    select d.datname::text from pg_catalog.pg_database d
    where d.datname <> current_database() and exists (
      select from aclexplode(d.datacl) a
      where a.grantee = to_regrole(quote_ident($1)) and a.privilege_type = 'CONNECT')
    order by 1);
comment on function private.needed_elsewhere(text) is
  'Other databases of the cluster that name a login among those who may connect. Its role is left as it is, whatever happens here.';

create function private.check_login(login text) returns void
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  r record;
  why text;
begin
  if login is null or login !~ '^[a-z][a-z0-9_.@-]{1,62}$' or login ~ '^(pg_|nestsync_)' or login in ('postgres', 'anon', 'authenticated', 'service_role', 'authenticator', 'public', 'none') then
    perform private.fail('NS007', format('%L is no name for a person''s login', login), 'Lower-case letters, digits, dot, dash and underscore: jo.tremblay');
  end if;
  select * into r from pg_catalog.pg_roles p where p.rolname = login;
  if not found then
    return;
  end if;
  why := case
    when r.rolsuper then 'is a superuser'
    when r.rolbypassrls then 'is not bound by row security'
    when r.rolcreaterole then 'may make roles'
    when r.rolreplication then 'may replicate'
    when exists (select from private.app_logins a where a.login = check_login.login) then 'is a login of the application'
    when not r.rolcanlogin and not exists (select from ops.operators o where o.login = check_login.login) then 'cannot log in, so it is no person''s'
    when exists (select from pg_catalog.pg_shdepend s where s.refclassid = 'pg_authid'::regclass and s.refobjid = r.oid and s.deptype = 'o')
      then 'owns objects'
    when exists (select from pg_catalog.pg_auth_members m where m.member = r.oid
        and m.roleid::regrole::text not in ('authenticated', 'nestsync_support', 'nestsync_compliance', 'nestsync_sre', 'nestsync_auditor', 'nestsync_admin'))
      then 'is a member of other roles than duties'
  end;
  if why is not null then
    perform private.fail('NS005', format('the role %s is there already and %s', login, why), 'An operator has a login of their own, for nothing else.');
  end if;
end $$;
comment on function private.check_login(text) is 'Refuses a name that is no person''s, and a role that has or can do more than an operator.';

create function private.ensure_login(login text, verifier text) returns boolean
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  r record;
  order_text text;
begin
  -- What PostgreSQL stores for a password, never the password.
  if verifier is not null and verifier !~ '^SCRAM-SHA-256\$\d{4,7}:[A-Za-z0-9+/=]{20,}\$[A-Za-z0-9+/=]{44}:[A-Za-z0-9+/=]{44}$' then
    perform private.fail('NS007', 'a password is handed over as a SCRAM-SHA-256 verifier');
  end if;
  select * into r from pg_catalog.pg_roles p where p.rolname = login;
  if not found then
    order_text := format('create role %I login noinherit', login);
  elsif not r.rolcanlogin or r.rolinherit then
    order_text := format('alter role %I login noinherit', login);
  end if;
  begin
    if order_text is not null or verifier is not null then
      execute coalesce(order_text, format('alter role %I', login)) || coalesce(format(' password %L', verifier), '');
    end if;
  exception
    when insufficient_privilege then
      perform private.fail('NS005', format('the owner of the database may not make or change the role %s', login),
        format('A DBA runs this once, then run the command again: %s', coalesce(order_text, format('alter role %I', login))));
  end;
  return r.rolname is null;
end $$;
comment on function private.ensure_login(text, text) is
  'Makes a login, or switches one on again, and gives it a password where a verifier is given; true where it was made.';

create function private.enrol(login text, display_name text, email text, duties text[], until timestamptz, verifier text) returns jsonb
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  made boolean;
  d text;
  remaining text[] := '{}';
begin
  perform private.check_login(login);
  made := private.ensure_login(login, verifier);
  foreach d in array duties loop
    if not private.give_role(login, 'nestsync_' || d) then
      perform private.fail('NS005', format('the owner of the database may not give the duty %s', d),
        format('A DBA runs this once, then run the command again: grant nestsync_%s to %I', d, login));
    end if;
  end loop;
  -- To act as a person, under an impersonation grant; nothing else needs it.
  if 'admin' = any (duties) and not private.give_role(login, 'authenticated') then
    remaining := remaining || format('grant authenticated to %I', login);
  end if;
  perform private.let_in(login);
  insert into ops.operators as o (login, display_name, email)
  values (enrol.login, btrim(enrol.display_name), btrim(enrol.email))
  on conflict on constraint operators_pkey do update set display_name = excluded.display_name, email = excluded.email,
    registered_at = now(), registered_by = session_user, revoked_at = null;
  insert into ops.operator_duties as h (login, duty, expires_at)
  select enrol.login, u.duty, enrol.until from unnest(duties) u (duty)
  on conflict on constraint operator_duties_pkey do update set granted_at = now(), granted_by = session_user,
    expires_at = excluded.expires_at, revoked_at = null;
  return jsonb_build_object('login', login, 'login_made', made, 'remaining', to_jsonb(remaining));
end $$;
comment on function private.enrol(text, text, text, text[], timestamptz, text) is
  'Makes a login an operator with duties. Returns the login, whether it was made, and the SQL that only a DBA may run.';

create function private.check_duties(duties text[], until timestamptz) returns text[]
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  known constant text[] := '{support,compliance,sre,auditor,admin}';
begin
  if coalesce(cardinality(duties), 0) = 0 or not duties <@ known then
    perform private.fail('NS007', 'duties are support, compliance, sre, auditor and admin; an operator has one at least');
  end if;
  if 'auditor' = any (duties) and until is null then
    perform private.fail('NS007', 'the duty auditor always ends', 'Say when: --until 2027-03-31');
  end if;
  if until <= clock_timestamp() or until > clock_timestamp() + interval '2 years' then
    perform private.fail('NS007', 'a duty ends in the future, within two years');
  end if;
  return array(select k from unnest(known) with ordinality u (k, position) where k = any (duties) order by position);
end $$;

create function private.live_operator(login text) returns ops.operators
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  o ops.operators;
begin
  select p.* into o from ops.operators p where p.login = live_operator.login;
  if not found then
    perform private.fail('NS006', format('there is no operator %s', login), 'nestctl operator list');
  elsif o.revoked_at is not null then
    perform private.fail('NS005', format('the operator %s is revoked already', login), 'nestctl operator list --revoked');
  end if;
  return o;
end $$;

create function private.keep_an_admin(leaving text) returns void
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  if private.has_duty(leaving, 'admin') and not exists (
    select from ops.operators o where o.login <> leaving and private.has_duty(o.login, 'admin'))
  then
    perform private.fail('NS005', format('%s is the last admin', leaving), 'Make another one first.');
  end if;
end $$;

-- Plans are compared by their hash, so they print times in one zone.
create function ops.plan_add_operator(login text, display_name text, email text, duties text[], until timestamptz default null) returns jsonb
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
  perform private.require_admin();
  if login = session_user then
    perform private.fail('NS004', 'nobody makes themselves an operator or gives themselves a duty');
  end if;
  if exists (select from ops.operators o where o.login = plan_add_operator.login and o.revoked_at is null) then
    perform private.fail('NS005', format('%s is an operator already', login), format('nestctl operator duty %s --add …', login));
  end if;
  if coalesce(display_name, '') !~ '[^[:space:]]{2}' or display_name ~ '[[:cntrl:]]' then
    perform private.fail('NS007', 'an operator has a name');
  end if;
  if coalesce(email, '') !~ '^[^@[:space:]]+@[^@[:space:]]+$' then
    perform private.fail('NS007', 'an operator has an e-mail address');
  end if;
  perform private.check_login(login);
  return jsonb_build_object('do', 'add operator', 'login', login, 'name', btrim(display_name), 'email', btrim(email),
    'duties', to_jsonb(private.check_duties(duties, until)), 'until', until);
end $$;

create function ops.add_operator(login text, display_name text, email text, duties text[], until timestamptz default null, verifier text default null)
  returns jsonb
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform private.require_admin();
  perform private.lock_operators();
  perform ops.use_approval('operator', ops.plan_add_operator(login, display_name, email, duties, until));
  return private.enrol(login, display_name, email, private.check_duties(duties, until), until, verifier);
end $$;
comment on function ops.add_operator(text, text, text, text[], timestamptz, text) is
  'Makes a person an operator, with a second admin''s approval: makes the login LOGIN NOINHERIT where it is absent, gives the duty roles, registers both. verifier: a SCRAM-SHA-256 verifier for the login''s password.';

create function ops.plan_add_duty(login text, duty text, until timestamptz default null) returns jsonb
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
  perform private.require_admin();
  if login = session_user then
    perform private.fail('NS004', 'nobody makes themselves an operator or gives themselves a duty');
  end if;
  perform private.live_operator(login), private.check_duties(array[duty], until);
  if private.has_duty(login, duty) and exists (
    select from ops.operator_duties d
    where d.login = plan_add_duty.login and d.duty = plan_add_duty.duty and d.expires_at is not distinct from until)
  then
    perform private.fail('NS005', format('%s holds the duty %s already', login, duty));
  end if;
  return jsonb_build_object('do', 'add duty', 'login', login, 'duty', duty, 'until', until);
end $$;

create function ops.add_duty(login text, duty text, until timestamptz default null) returns jsonb
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  held boolean;
  remaining text[] := '{}';
begin
  perform private.require_admin();
  perform private.lock_operators();
  perform ops.use_approval('operator', ops.plan_add_duty(login, duty, until));
  perform private.check_login(login);
  held := private.has_duty(login, duty);
  if not private.give_role(login, 'nestsync_' || duty) then
    perform private.fail('NS005', format('the owner of the database may not give the duty %s', duty),
      format('A DBA runs this once, then run the command again: grant nestsync_%s to %I', duty, login));
  end if;
  if duty = 'admin' and not private.give_role(login, 'authenticated') then
    remaining := remaining || format('grant authenticated to %I', login);
  end if;
  -- Who only holds it longer is not new to it.
  insert into ops.operator_duties as h (login, duty, expires_at) values (add_duty.login, add_duty.duty, add_duty.until)
  on conflict on constraint operator_duties_pkey do update set expires_at = excluded.expires_at, revoked_at = null,
    granted_at = case when held then h.granted_at else now() end, granted_by = session_user;
  return jsonb_build_object('login', login, 'remaining', to_jsonb(remaining));
end $$;
comment on function ops.add_duty(text, text, timestamptz) is
  'Gives an operator a duty, or another end to one they hold, with a second admin''s approval.';

create function private.close_grants(login text, duty text) returns integer
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  closed integer;
begin
  update ops.access_grants g set closed_at = clock_timestamp()
  where g.operator = login and (close_grants.duty is null or g.duty = close_grants.duty) and g.closed_at is null and g.expires_at > clock_timestamp();
  get diagnostics closed = row_count;
  return closed;
end $$;

create function private.take_role(login text, role_name text) returns text[]
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  begin
    execute format('revoke %I from %I', role_name, login);
  exception
    when insufficient_privilege then null;
  end;
  -- A membership that somebody else granted stays, with a warning only.
  return array(
    select format('revoke %s from %s granted by %s', m.roleid::regrole, m.member::regrole, m.grantor::regrole)
    from pg_catalog.pg_auth_members m
    where m.roleid = to_regrole(quote_ident(role_name)) and m.member = to_regrole(quote_ident(login)));
end $$;
comment on function private.take_role(text, text) is
  'Ends a membership. Returns the SQL by which a DBA ends what the owner may not.';

create function ops.plan_remove_duty(login text, duty text) returns jsonb
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform private.require_admin();
  perform private.live_operator(login);
  if not exists (select from ops.operator_duties d where d.login = plan_remove_duty.login and d.duty = plan_remove_duty.duty and d.revoked_at is null) then
    perform private.fail('NS005', format('%s does not hold the duty %s', login, duty));
  end if;
  if duty = 'admin' then
    perform private.keep_an_admin(login);
  end if;
  return jsonb_build_object('do', 'remove duty', 'login', login, 'duty', duty);
end $$;

create function ops.remove_duty(login text, duty text) returns jsonb
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
comment on function ops.remove_duty(text, text) is
  'Takes a duty from an operator, with a second admin''s approval, and closes the grants under it. It ends in the register at once; the membership in the role stays where another database of the cluster needs the login.';

create function ops.plan_revoke_operator(login text) returns jsonb
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  o ops.operators;
begin
  perform private.require_admin();
  o := private.live_operator(login);
  perform private.keep_an_admin(login);
  return jsonb_build_object('do', 'revoke operator', 'login', login, 'name', o.display_name);
end $$;

create function ops.revoke_operator(login text) returns jsonb
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
comment on function ops.revoke_operator(text) is
  'Ends an operator, with a second admin''s approval: nothing opens to them from the commit on, their grants are closed, their login is off and their duties are gone. Where another database of the cluster names the login among those who may connect, the role is left as it is. What the owner may not do is returned as SQL for a DBA.';

create function ops.end_sessions(login text) returns table (ended integer, remaining integer)
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  elsewhere boolean := private.needed_elsewhere(login) <> '{}';
  borrowed boolean := false;
  s record;
begin
  perform private.require_admin();
  if not exists (select from ops.operators o where o.login = end_sessions.login and o.revoked_at is not null) then
    perform private.fail('NS005', format('%s is no revoked operator', login), 'nestctl operator list --revoked');
  end if;
  ended := 0;
  remaining := 0;
  for s in
    select a.pid from pg_catalog.pg_stat_activity a
    where a.usename = login and a.pid <> pg_backend_pid() and (not elsewhere or a.datname = current_database())
  loop
    -- Ending a session takes the rights of its role, which the owner who administers it lends itself for this.
    if not borrowed and not pg_has_role(current_user, login, 'usage') then
      begin
        execute format('grant %I to %I%s', login, current_user,
          case when current_setting('server_version_num')::integer >= 160000 then ' with inherit true, set false' else '' end);
        borrowed := true;
      exception
        when insufficient_privilege or invalid_grant_operation then null;
      end;
    end if;
    begin
      if pg_terminate_backend(s.pid) then
        ended := ended + 1;
      end if;
    exception
      when insufficient_privilege then remaining := remaining + 1;
    end;
  end loop;
  if borrowed then
    execute format('revoke %I from %I%s', login, current_user,
      case when current_setting('server_version_num')::integer >= 160000 then format(' granted by %I', current_user) else '' end);
  end if;
  return next;
end $$;
comment on function ops.end_sessions(text) is
  'Ends the sessions of a revoked operator, which show them nothing any more; those in other databases too unless the login is needed there. Says how many it had no right to end.';

create function ops.bootstrap_operator(login text, display_name text, email text, reason text, ticket text, verifier text default null) returns jsonb
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  admins integer;
begin
  perform private.lock_operators();
  perform private.check_purpose(reason, ticket);
  select count(*) into admins from ops.operators o where private.has_duty(o.login, 'admin');
  if admins >= 2 then
    perform private.fail('NS005', 'there are two admins: from here on they manage operators', 'nestctl operator add');
  end if;
  if private.has_duty(login, 'admin') then
    perform private.fail('NS005', format('%s is an admin already', login), 'Name the second one.');
  end if;
  if coalesce(display_name, '') !~ '[^[:space:]]{2}' or display_name ~ '[[:cntrl:]]' or coalesce(email, '') !~ '^[^@[:space:]]+@[^@[:space:]]+$' then
    perform private.fail('NS007', 'an operator has a name and an e-mail address');
  end if;
  perform set_config('nestsync.reason', btrim(reason), true), set_config('nestsync.ticket', ticket, true);
  return private.enrol(login, display_name, email, '{admin}', null, verifier);
end $$;
comment on function ops.bootstrap_operator(text, text, text, text, text, text) is
  'Owner only: makes one of the first two admins, and is refused once there are two.';

-- Break-glass -----------------------------------------------------------------------------------------------

-- No grant names an approval yet, so there is nothing to scan for.
-- squawk-ignore constraint-missing-not-valid, adding-foreign-key-constraint
alter table ops.access_grants add constraint access_grants_approval_id_fkey foreign key (approval_id) references ops.approvals (id);

create function ops.plan_break_glass(minutes integer) returns jsonb
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform private.require_admin();
  if minutes is null or minutes not between 1 and 60 then
    perform private.fail('NS007', 'break-glass access lasts at most 60 minutes when it was approved');
  end if;
  return jsonb_build_object('do', 'break the glass', 'scope', 'everything', 'minutes', minutes);
end $$;

create function ops.break_glass(minutes integer) returns table (id uuid, duty text, expires_at timestamptz)
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_approval uuid;
begin
  v_approval := ops.use_approval('break_glass', ops.plan_break_glass(minutes));
  return query
    insert into ops.access_grants as g (duty, kind, reason, ticket, expires_at, approval_id)
    select 'admin', 'break_glass', a.reason, a.ticket, clock_timestamp() + make_interval(mins => minutes), a.id
    from ops.approvals a where a.id = v_approval
    returning g.id, g.duty, g.expires_at;
end $$;
comment on function ops.break_glass(integer) is
  'Opens everything to an admin for up to 60 minutes, with a second admin''s approval. Alone it is ops.open_access, for 30 minutes, with a review afterwards.';

create table ops.access_reviews (
  grant_id uuid primary key references ops.access_grants (id),
  operator text not null,
  reviewer text not null references ops.operators (login),
  duty text not null,
  verdict text not null,
  note text not null,
  reviewed_at timestamptz not null,
  constraint access_reviews_four_eyes check (reviewer <> operator),
  constraint access_reviews_verdict check (verdict in ('justified', 'not_justified')),
  constraint access_reviews_note check (char_length(btrim(note)) >= 10 and note !~ '[[:cntrl:]]')
);
comment on table ops.access_reviews is 'What somebody else said afterwards of each break-glass that was started alone.';
create index access_reviews_operator_idx on ops.access_reviews (operator);
create index access_reviews_reviewer_idx on ops.access_reviews (reviewer);

create function private.stamp_review() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  new.operator := (select g.operator from ops.access_grants g where g.id = new.grant_id and g.review_due_at is not null);
  new.reviewer := session_user;
  new.duty := private.session_duty();
  new.reviewed_at := clock_timestamp();
  if coalesce(new.duty, '') not in ('auditor', 'admin') or not private.may_judge(session_user, new.duty) then
    perform private.fail('NS004', 'a review is signed under the duty auditor or admin by who has held it for a day');
  end if;
  return new;
end $$;
create trigger access_reviews_stamp before insert on ops.access_reviews
  for each row execute function private.stamp_review();
create trigger access_reviews_append_only before update or delete on ops.access_reviews
  for each row execute function private.refuse_delete();
create trigger access_reviews_no_truncate before truncate on ops.access_reviews
  execute function private.refuse_truncate();

create function ops.review_access(grant_id uuid, verdict text, note text) returns ops.access_reviews
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  g ops.access_grants;
  v ops.access_reviews;
begin
  if coalesce(private.session_duty(), '') not in ('auditor', 'admin') then
    perform private.fail('NS004', 'a review is signed under the duty auditor or admin');
  end if;
  select a.* into g from ops.access_grants a where a.id = review_access.grant_id and a.review_due_at is not null for update;
  if not found then
    perform private.fail('NS006', format('no access %s waits for a review', grant_id), 'nestctl access review');
  end if;
  if g.operator = session_user then
    perform private.fail('NS004', 'nobody reviews their own access');
  end if;
  if g.closed_at is null and g.expires_at > clock_timestamp() then
    perform private.fail('NS005', 'it is still open: what was done is reviewed once it has ended');
  end if;
  if exists (select from ops.access_reviews r where r.grant_id = g.id) then
    perform private.fail('NS005', format('access %s was reviewed already', g.id));
  end if;
  if verdict is null or verdict not in ('justified', 'not_justified') then
    perform private.fail('NS007', 'a verdict is justified or not_justified');
  end if;
  perform private.check_purpose(note, g.ticket);
  perform set_config('nestsync.reason', btrim(note), true), set_config('nestsync.ticket', g.ticket, true);
  insert into ops.access_reviews as r (grant_id, verdict, note) values (g.id, review_access.verdict, btrim(review_access.note))
  returning r.* into v;
  return v;
end $$;
comment on function ops.review_access(uuid, text, text) is
  'Signs off a break-glass that was started alone: by an auditor or admin who is somebody else, once it has ended.';

-- Who sees and does what ------------------------------------------------------------------------------------

do $$
declare
  t regclass;
begin
  foreach t in array array['ops.approval_rules', 'ops.approvals', 'ops.access_reviews']::regclass[] loop
    execute format('revoke all on %s from public, anon, authenticated, service_role', t);
    execute format('alter table %s enable row level security', t);
    execute format('alter table %s force row level security', t);
    execute format('create policy %I on %s to current_user using (true) with check (true)', (select relname from pg_class where oid = t) || '_owner_all', t);
    execute format('grant select on %s to nestsync_support, nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin', t);
  end loop;
end $$;
create policy approval_rules_staff_select on ops.approval_rules for select
  to nestsync_support, nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin using (true);

create function private.decidable_duties() returns text[]
  language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp
  return array(select d.duty from ops.operator_duties d where d.login = session_user and private.has_duty(d.login, d.duty));
comment on function private.decidable_duties() is
  'The duties that the operator behind this session holds, taken or not: what waits for their decision is shown under any.';
create policy approvals_staff_select on ops.approvals for select
  to nestsync_support, nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin
  using (requested_by = (select session_user::text)
    or approver_duty = any ((select private.decidable_duties())::text[])
    or (select private.session_duty()) in ('auditor', 'admin'));
create policy access_reviews_staff_select on ops.access_reviews for select
  to nestsync_support, nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin
  using (operator = (select session_user::text) or (select private.session_duty()) in ('auditor', 'admin'));

select audit.attach('ops.approval_rules', 'access', record => null);
select audit.attach('ops.approvals', 'access');
select audit.attach('ops.access_reviews', 'access', record => null);

revoke execute on all functions in schema private, ops, audit from public;
grant execute on function private.decidable_duties(), ops.approval_state(ops.approvals), ops.find_approval(text, jsonb),
  ops.request_approval(text, jsonb, text, text), ops.decide_approval(uuid, text, text), ops.use_approval(text, jsonb)
  to nestsync_support, nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin;
grant execute on function ops.plan_add_operator(text, text, text, text[], timestamptz), ops.add_operator(text, text, text, text[], timestamptz, text),
  ops.plan_add_duty(text, text, timestamptz), ops.add_duty(text, text, timestamptz), ops.plan_remove_duty(text, text), ops.remove_duty(text, text),
  ops.plan_revoke_operator(text), ops.revoke_operator(text), ops.end_sessions(text), ops.plan_break_glass(integer), ops.break_glass(integer)
  to nestsync_admin;
grant execute on function ops.review_access(uuid, text, text) to nestsync_auditor, nestsync_admin;
