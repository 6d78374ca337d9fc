do $$
begin
  if exists (select from privacy.requests where requester = 'organization') then
    raise exception 'accounts were to be erased of our own motion: the record of it is not dropped';
  end if;
end $$;
do $$
begin
  execute replace(pg_get_functiondef('privacy.fulfil_request(text, text, text, timestamptz, date)'::regprocedure),
    'if r.identity_verified_at is null and r.requester <> ''organization'' then', 'if r.identity_verified_at is null then');
end $$;
drop trigger requests_own_motion on privacy.requests;
drop function private.own_motion();
drop function privacy.idle_accounts(integer);
drop function ops.idle_accounts();
drop function private.idle_accounts();

create or replace function private.erasure_gates(r privacy.requests, families uuid[]) returns jsonb
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select coalesce(jsonb_agg(jsonb_build_object('gate', g.gate, 'why', g.why, 'next', g.next) order by g.at, g.why), '[]') from (
    select 1 as at, 'request' as gate, format('request %s has ended: it is %s', r.number, r.state) as why, format('nestctl request show %s', r.number) as next
    where r.state not in ('open', 'in_progress')
    union all
    select 2, 'identity', 'nobody has verified who asks', format('nestctl request verify-identity %s', r.number) where r.identity_verified_at is null
    union all
    select distinct 3, 'hold', private.held_by(h.number, case when h.why = 'legal_hold' then 'it' else 'it: it can still be complained of (PIPEDA s. 8(8))' end), private.look_at_hold(h.number)
    from private.held_subjects() h where h.user_id = r.user_id or h.family_id = any (families)
    union all
    select 4, 'family', case f.why when 'last_core' then format('the last family_core of family %s, in which %s', f.family_id, case f.members when 1 then 'one other is' else f.members || ' others are' end)
        else format('alone in family %s, where somebody else is a guardian of record', f.family_id) end,
      case f.why when 'last_core' then format('nestctl member transfer --family %s', f.family_id) else format('nestctl guardian list --family %s', f.family_id) end
    from private.erasure_fates(r.user_id) f where f.fate = 'decide') g;
end;

drop function private.idleness(public.users);
comment on column privacy.requests.requester is 'Who asks: the subject, a guardian or another representative.';
alter table privacy.requests drop constraint requests_requester, drop constraint requests_channel, drop constraint requests_state, drop constraint requests_own_motion,
  add constraint requests_requester check (requester in ('self', 'guardian', 'representative') and (subject_kind <> 'child' or requester <> 'self')
    and (requester <> 'self' or num_nonnulls(requester_user, requester_name, requester_contact) = 0)),
  add constraint requests_channel check (channel in ('email', 'form', 'mail', 'in_person')),
  add constraint requests_state check (case state
    when 'open' then state_reason is null
    when 'in_progress' then (state_reason is null) = (identity_verified_at is not null) and coalesce(state_reason = 'need_user_verification', true)
    when 'denied' then state_reason in ('suspected_fraud', 'insuf_verification', 'no_match', 'claim_not_covered', 'outside_jurisdiction', 'too_many_requests', 'other')
    when 'fulfilled' then state_reason is null and identity_verified_at is not null and (cost_estimate is null or cost_accepted_at is not null)
    when 'revoked' then state_reason is null
    else false end and (state <> 'denied' or state_reason is not null));
update privacy.column_answers set retention = 'account' where table_name = 'public.users' and column_name = 'last_login_at';
delete from privacy.retentions where retention = 'inactive';
