-- kind: schema
-- locks: access exclusive on privacy.requests, for a moment
-- transaction: yes
-- reversible: yes, where no account went by itself
-- seeds: privacy.retentions, privacy.column_answers

-- Accounts that nobody uses any more are erased as any other is: by a request, which we file ourselves, under the same gates, the
-- approval of a second operator, and thirty days in which it can be cancelled.

insert into privacy.retentions (retention, keeps, begins, law, proposed) values
  ('inactive', '3 years', 'the last sign-in to an account that nobody pays for', 'PIPEDA principle 4.5.3; P-39.1 s. 23', true);
update privacy.column_answers set retention = 'inactive' where table_name = 'public.users' and column_name = 'last_login_at';

-- Tables of staff's work are small: looking through them takes a moment.
alter table privacy.requests drop constraint requests_requester, drop constraint requests_channel, drop constraint requests_state,
  -- squawk-ignore constraint-missing-not-valid
  add constraint requests_requester check (requester in ('self', 'guardian', 'representative', 'organization') and (subject_kind <> 'child' or requester <> 'self')
    and (requester not in ('self', 'organization') or num_nonnulls(requester_user, requester_name, requester_contact) = 0)
    and (requester <> 'organization' or kind = 'deletion' and subject_kind = 'user')),
  -- squawk-ignore constraint-missing-not-valid
  add constraint requests_channel check (channel in ('email', 'form', 'mail', 'in_person', 'own_motion')),
  -- squawk-ignore constraint-missing-not-valid
  add constraint requests_own_motion check ((channel = 'own_motion') = (requester = 'organization')),
  -- squawk-ignore constraint-missing-not-valid
  add constraint requests_state check (case state
    when 'open' then state_reason is null
    when 'in_progress' then (state_reason is null) = (identity_verified_at is not null) and coalesce(state_reason = 'need_user_verification', true)
    when 'denied' then state_reason in ('suspected_fraud', 'insuf_verification', 'no_match', 'claim_not_covered', 'outside_jurisdiction', 'too_many_requests', 'other')
    when 'fulfilled' then state_reason is null and (identity_verified_at is not null or requester = 'organization') and (cost_estimate is null or cost_accepted_at is not null)
    when 'revoked' then state_reason is null
    else false end and (state <> 'denied' or state_reason is not null));
comment on column privacy.requests.requester is 'Who asks: the subject, a guardian or another representative; the organization of its own motion, since the time of the account is over.';

create function private.idleness(u public.users) returns text
  language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  select case
      when exists (select from public.subscriptions s where s.user_id = u.id and s.status in ('trialing', 'active', 'past_due')) then 'paid'
      when u.retention_date >= (clock_timestamp() at time zone u.timezone)::date then 'promised'
      when greatest(u.created_at, u.last_login_at) >= clock_timestamp() - t.keeps then 'used'
      -- Whoever never confirmed the address never signed in.
      when u.last_login_at is null and u.status <> 'pending_verification' then 'unknown'
      else 'over' end
  from privacy.retentions t where t.retention = 'inactive';
end;
comment on function private.idleness(public.users) is
  'Whether the time of an account is over: used lately; paid for; promised, kept until a day (retention_date); unknown, where nothing says when somebody last signed in; or over.';

create function private.idle_accounts() returns table (account public.users, idle text, held boolean, filed boolean)
  language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  select u, i.idle, exists (select from private.held_subjects() h where h.user_id = u.id),
    exists (select from privacy.requests r where r.user_id = u.id and r.kind = 'deletion' and r.state in ('open', 'in_progress'))
  from public.users u cross join lateral (select private.idleness(u) as idle) i
  where u.status <> 'pending_deletion' and i.idle in ('over', 'unknown')
    and not exists (select from privacy.erasures e where e.person = u.id and e.cancelled_at is null);
end;
comment on function private.idle_accounts() is 'Accounts whose time is over, or of which nobody knows; held: preserved; filed: a request is to erase them already.';

create function ops.idle_accounts(out due bigint, out held bigint, out filed bigint, out unknown bigint)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  if coalesce(private.session_duty(), '') not in ('sre', 'admin') then
    perform private.fail('NS004', 'accounts that nobody uses are counted under the duty sre or admin');
  end if;
  select count(*) filter (where i.idle = 'over' and not i.held and not i.filed), count(*) filter (where i.idle = 'over' and i.held and not i.filed),
    count(*) filter (where i.idle = 'over' and i.filed), count(*) filter (where i.idle = 'unknown')
  into due, held, filed, unknown from private.idle_accounts() i;
end $$;
comment on function ops.idle_accounts() is 'How many accounts are over their time: due, held by a hold, request or complaint, filed to be erased; and of how many nobody knows.';

create function privacy.idle_accounts(wanted integer) returns table (user_id uuid, province text, zone text, language text)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform private.require_request_duty();
  return query select (i.account).id, (i.account).province::text, (i.account).timezone::text, (i.account).language
  from private.idle_accounts() i where i.idle = 'over' and not i.held and not i.filed order by greatest((i.account).created_at, (i.account).last_login_at), 1 limit wanted;
end $$;
comment on function privacy.idle_accounts(integer) is 'So many accounts whose time is over, longest first, for which no request is filed yet.';

create function private.own_motion() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  u public.users;
begin
  select x.* into u from public.users x where x.id = new.user_id for share;
  if not found or private.idleness(u) <> 'over' then
    perform private.fail('NS005', 'of its own motion the organization erases only an account whose time is over', 'nestctl datamap show');
  end if;
  return new;
end $$;
create trigger requests_own_motion before insert on privacy.requests for each row when (new.requester = 'organization') execute function private.own_motion();

create or replace function private.erasure_gates(r privacy.requests, families uuid[]) returns jsonb
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select coalesce(jsonb_agg(jsonb_build_object('gate', g.gate, 'why', g.why, 'next', g.next) order by g.at, g.why), '[]') from (
    select 1 as at, 'request' as gate, format('request %s has ended: it is %s', r.number, r.state) as why, format('nestctl request show %s', r.number) as next
    where r.state not in ('open', 'in_progress')
    union all
    select 2, 'identity', 'nobody has verified who asks', format('nestctl request verify-identity %s', r.number) where r.identity_verified_at is null and r.requester <> 'organization'
    union all
    select distinct 3, 'hold', private.held_by(h.number, case when h.why = 'legal_hold' then 'it' else 'it: it can still be complained of (PIPEDA s. 8(8))' end), private.look_at_hold(h.number)
    from private.held_subjects() h where h.user_id = r.user_id or h.family_id = any (families)
    union all
    select 4, 'family', case f.why when 'last_core' then format('the last family_core of family %s, in which %s', f.family_id, case f.members when 1 then 'one other is' else f.members || ' others are' end)
        else format('alone in family %s, where somebody else is a guardian of record', f.family_id) end,
      case f.why when 'last_core' then format('nestctl member transfer --family %s', f.family_id) else format('nestctl guardian list --family %s', f.family_id) end
    from private.erasure_fates(r.user_id) f where f.fate = 'decide'
    union all
    select 5, 'used', 'its time is not over (any more): it is used, paid for, or kept until a promised day', format('nestctl request withdraw %s', r.number)
    from public.users u where r.requester = 'organization' and u.id = r.user_id and private.idleness(u) <> 'over') g;
end;

-- Nobody asks, so there is nobody to verify.
do $$
begin
  execute replace(pg_get_functiondef('privacy.fulfil_request(text, text, text, timestamptz, date)'::regprocedure),
    'if r.identity_verified_at is null then', 'if r.identity_verified_at is null and r.requester <> ''organization'' then');
end $$;

revoke execute on all functions in schema privacy, private, ops from public;
grant execute on function ops.idle_accounts() to nestsync_sre, nestsync_admin;
grant execute on function privacy.idle_accounts(integer) to nestsync_compliance;
