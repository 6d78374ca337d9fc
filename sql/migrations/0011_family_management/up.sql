-- kind: schema
-- locks: SHARE ROW EXCLUSIVE on family_members, briefly
-- transaction: yes
-- reversible: yes, where no invitation mail was ever asked for
-- seeds: ops.duty_permissions, audit.captured_tables

-- A family with children never loses its last core member, whoever takes them away ---------------------------

create function private.keep_core_member() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if not (old.role = 'family_core' and old.status = 'active')
    or not exists (select from public.families f where f.id = old.family_id)
    or not exists (select from public.children c where c.family_id = old.family_id and c.deleted_at is null) then
    return null;
  end if;
  -- Locked, so that two core members who remove each other at once cannot both believe that the other stays. One
  -- without an end must not be replaced by one whose end is set.
  perform from public.family_members m
  where m.family_id = old.family_id and m.role = 'family_core' and m.status = 'active'
    and (m.access_expires_at is null or (old.access_expires_at is not null and m.access_expires_at > now()))
  limit 1 for share;
  if not found then
    perform private.fail('NS005', 'a family with children never loses its last family_core member',
      'Give the role to another member first: nestctl member transfer --family … --from … --to …');
  end if;
  return null;
end $$;
comment on function private.keep_core_member() is 'Checked when the transaction commits, so that the role can be handed over within one.';
create constraint trigger family_members_keep_core after update or delete on public.family_members
  deferrable initially deferred for each row execute function private.keep_core_member();

-- What staff may write goes through these functions: a duty, a live grant, a reason and a ticket -------------

create function private.require_purpose() returns void
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  if char_length(btrim(coalesce(current_setting('nestsync.reason', true), ''))) < 10 then
    perform private.fail('NS001', 'a reason of at least 10 characters is needed', 'Say what the complaint or request is: --reason "…"');
  end if;
  if coalesce(current_setting('nestsync.ticket', true), '') !~ '^[[:alnum:]][[:alnum:]._#/-]{1,63}$' then
    perform private.fail('NS001', 'a ticket is needed', 'Name it like the tracker does: --ticket SUP-1234');
  end if;
end $$;

create function private.require_family(family_id uuid) returns void
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  if coalesce(private.session_duty(), '') not in ('support', 'admin') then
    perform private.fail('NS004', 'families are changed under the duty support or admin');
  end if;
  if not coalesce(require_family.family_id = any (private.granted_families()), false) and not private.break_glass() then
    perform private.fail('NS002', 'no live access grant of yours covers this family',
      format('nestctl access open --family %s --reason "…" --ticket …', require_family.family_id));
  end if;
  perform private.require_purpose();
end $$;
comment on function private.require_family(uuid) is 'Raises unless this session may change a family: duty, live grant, reason and ticket.';

create function private.require_person(user_id uuid) returns void
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  if coalesce(private.session_duty(), '') not in ('support', 'admin') then
    perform private.fail('NS004', 'accounts are changed under the duty support or admin');
  end if;
  if not coalesce(require_person.user_id = any (private.subject_users()), false) and not private.break_glass() then
    perform private.fail('NS002', 'no live access grant of yours is for this person',
      format('nestctl access open --user %s --reason "…" --ticket …', require_person.user_id));
  end if;
  perform private.require_purpose();
end $$;
comment on function private.require_person(uuid) is
  'Raises unless this session may change an account. A grant for a family is not enough: an account reaches into others.';

-- Where single columns are granted, a row's version is one of them.
grant select (xmin) on public.users, public.family_invitations to nestsync_support, nestsync_compliance, nestsync_admin;

create function private.refuse_stale(what text, seen text, now_there text) returns void
  language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
  if seen is distinct from now_there then
    perform private.fail('NS005', format('the %s has changed since it was shown', what), 'Run the command again and look at the new plan.');
  end if;
end $$;
comment on function private.refuse_stale(text, text, text) is 'A change is made to the very row version (xmin) whose plan was consented to.';

create function private.member_to_change(family_id uuid, user_id uuid, seen text) returns public.family_members
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  m public.family_members;
  version text;
begin
  perform private.require_family(family_id);
  select f.* into m from public.family_members f
    where f.family_id = member_to_change.family_id and f.user_id = member_to_change.user_id for update;
  if not found then
    perform private.fail('NS006', 'this person is no member of that family', format('nestctl member list --family %s', family_id));
  end if;
  select f.xmin::text into version from public.family_members f where f.family_id = m.family_id and f.id = m.id;
  perform private.refuse_stale('membership', seen, version);
  return m;
end $$;

create function ops.extend_member(family_id uuid, user_id uuid, until timestamptz, seen text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  m public.family_members := private.member_to_change(family_id, user_id, seen);
begin
  if until <= clock_timestamp() then
    perform private.fail('NS007', 'access cannot end in the past', 'To end it now: nestctl member suspend or member remove');
  end if;
  update public.family_members f set access_expires_at = until where f.family_id = m.family_id and f.id = m.id;
end $$;
comment on function ops.extend_member(uuid, uuid, timestamptz, text) is 'Sets when a membership ends; null for never.';

create function ops.set_member_role(family_id uuid, user_id uuid, role text, seen text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  m public.family_members := private.member_to_change(family_id, user_id, seen);
begin
  update public.family_members f set role = set_member_role.role where f.family_id = m.family_id and f.id = m.id;
end $$;

create function ops.set_member_permissions(family_id uuid, user_id uuid, granted text[], denied text[], seen text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  m public.family_members := private.member_to_change(family_id, user_id, seen);
begin
  update public.family_members f set granted_permissions = granted, denied_permissions = denied
  where f.family_id = m.family_id and f.id = m.id;
end $$;

create function ops.set_member_status(family_id uuid, user_id uuid, status text, seen text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  m public.family_members := private.member_to_change(family_id, user_id, seen);
begin
  if (m.status, set_member_status.status) not in (('active', 'suspended'), ('active', 'removed'), ('invited', 'removed'),
    ('suspended', 'active'), ('suspended', 'removed'), ('inactive', 'active'), ('inactive', 'removed'), ('removed', 'active')) then
    perform private.fail('NS005', format('a membership that is %s cannot become %s', m.status, set_member_status.status));
  end if;
  update public.family_members f set status = set_member_status.status where f.family_id = m.family_id and f.id = m.id;
end $$;
comment on function ops.set_member_status(uuid, uuid, text, text) is 'Suspends, reinstates (active) or removes a member.';

create function ops.add_member(family_id uuid, user_id uuid, role text, until timestamptz) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  account text;
  there text;
begin
  perform private.require_family(family_id);
  select u.status into account from public.users u where u.id = add_member.user_id and u.deleted_at is null;
  if account is null then
    perform private.fail('NS006', 'there is no account with this id', 'Without an account they are invited: nestctl invitation create');
  elsif account in ('suspended', 'pending_deletion') then
    perform private.fail('NS005', format('the account is %s', replace(account, '_', ' ')));
  end if;
  select m.status into there from public.family_members m where m.family_id = add_member.family_id and m.user_id = add_member.user_id;
  if there is not null then
    perform private.fail('NS005', format('this person''s membership is there already, and %s', there),
      format('nestctl member %s --family %s --user %s', case there when 'active' then 'set-role' else 'reinstate' end, family_id, user_id));
  end if;
  insert into public.family_members (family_id, user_id, role, joined_at, access_expires_at)
  values (add_member.family_id, add_member.user_id, add_member.role, now(), until);
end $$;

create function ops.transfer_core(family_id uuid, from_user uuid, to_user uuid, then_role text, seen_from text, seen_to text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  giver public.family_members := private.member_to_change(family_id, from_user, seen_from);
  taker public.family_members := private.member_to_change(family_id, to_user, seen_to);
begin
  if giver.role <> 'family_core' then
    perform private.fail('NS005', 'only a family_core member has that role to hand over');
  elsif taker.status <> 'active' then
    perform private.fail('NS005', format('the membership that is to receive the role is %s', taker.status));
  elsif giver.id = taker.id then
    perform private.fail('NS007', 'the role is handed from one member to another');
  end if;
  update public.family_members m set role = 'family_core', access_expires_at = null where m.family_id = taker.family_id and m.id = taker.id;
  update public.family_members m set role = then_role where m.family_id = giver.family_id and m.id = giver.id;
end $$;
comment on function ops.transfer_core(uuid, uuid, uuid, text, text, text) is
  'Hands the core role from one member to another in one transaction; who gives it stays as then_role.';

create function private.family_to_change(family_id uuid, seen text) returns public.families
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  f public.families;
  version text;
begin
  perform private.require_family(family_id);
  select a.* into f from public.families a where a.id = family_id for update;
  if not found then
    perform private.fail('NS006', format('there is no family %s', family_id));
  end if;
  select a.xmin::text into version from public.families a where a.id = family_id;
  perform private.refuse_stale('family', seen, version);
  return f;
end $$;

create function ops.create_family(name text, family_type text, time_zone text, province text, core_user uuid) returns uuid
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_id uuid;
begin
  perform private.require_person(core_user);
  if not exists (select from public.users u where u.id = core_user and u.status = 'active' and u.deleted_at is null) then
    perform private.fail('NS005', 'the account of the first family_core member is not active');
  end if;
  insert into public.families (name, family_type, timezone, province) values (name, family_type, time_zone, create_family.province) returning id into v_id;
  insert into public.family_members (family_id, user_id, role, joined_at) values (v_id, core_user, 'family_core', now());
  return v_id;
end $$;
comment on function ops.create_family(text, text, text, text, uuid) is 'Makes a family with its first family_core member, within a grant for that person.';

create function ops.rename_family(family_id uuid, name text, seen text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  f public.families := private.family_to_change(family_id, seen);
begin
  update public.families a set name = rename_family.name where a.id = f.id;
end $$;

create function ops.archive_family(family_id uuid, seen text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  f public.families := private.family_to_change(family_id, seen);
begin
  if f.archived_at is not null then
    perform private.fail('NS005', 'the family is archived already');
  end if;
  update public.families a set archived_at = now() where a.id = f.id;
end $$;

create function ops.restore_family(family_id uuid, seen text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  f public.families := private.family_to_change(family_id, seen);
begin
  if f.archived_at is null then
    perform private.fail('NS005', 'the family is not archived');
  end if;
  update public.families a set archived_at = null where a.id = f.id;
end $$;

create function private.account_to_change(user_id uuid, seen text) returns public.users
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  u public.users;
  version text;
begin
  perform private.require_person(user_id);
  select a.* into u from public.users a where a.id = user_id for update;
  if not found then
    perform private.fail('NS006', format('there is no person %s', user_id));
  end if;
  select a.xmin::text into version from public.users a where a.id = u.id;
  perform private.refuse_stale('account', seen, version);
  if u.status = 'pending_deletion' then
    perform private.fail('NS004', 'the account waits for its deletion: compliance decides about it', 'Hand it over to compliance.');
  end if;
  return u;
end $$;

create function ops.suspend_user(user_id uuid, seen text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  u public.users := private.account_to_change(user_id, seen);
begin
  if u.status = 'suspended' then
    perform private.fail('NS005', 'the account is suspended already');
  end if;
  update public.users a set status = 'suspended' where a.id = u.id;
end $$;

create function ops.reinstate_user(user_id uuid, seen text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  u public.users := private.account_to_change(user_id, seen);
begin
  if u.status <> 'suspended' then
    perform private.fail('NS005', format('the account is not suspended but %s', replace(u.status, '_', ' ')));
  end if;
  update public.users a set status = case when a.email_verified_at is null then 'pending_verification' else 'active' end,
    failed_login_attempts = 0, locked_until = null where a.id = u.id;
end $$;
comment on function ops.reinstate_user(uuid, text) is 'Ends a suspension; an address that was never verified still waits for that.';

create function ops.resend_verification(user_id uuid, seen text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  u public.users := private.account_to_change(user_id, seen);
begin
  if u.email_verified_at is not null then
    perform private.fail('NS005', 'the address is verified already');
  end if;
  if exists (select from public.notification_logs n where n.user_id = u.id and n.notification_type = 'email_verification'
      and n.delivery_status = 'pending') then
    perform private.fail('NS005', 'a verification mail is waiting to be sent already');
  end if;
  insert into public.notification_logs (user_id, notification_type, priority, channel, title, message)
  values (u.id, 'email_verification', 'high', 'email',
    case u.language when 'fr' then 'Confirmez votre adresse' else 'Confirm your address' end,
    case u.language when 'fr' then 'Ouvrez le lien de ce courriel pour confirmer votre adresse.' else 'Open the link in this message to confirm your address.' end);
end $$;
comment on function ops.resend_verification(uuid, text) is 'Queues the verification mail again; the application sends what is pending.';

create function ops.link_accounts(kept uuid, duplicate uuid, seen_kept text, seen_duplicate text) returns integer
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  k public.users := private.account_to_change(kept, seen_kept);
  d public.users := private.account_to_change(duplicate, seen_duplicate);
  moved integer;
begin
  if k.id = d.id then
    perform private.fail('NS007', 'an account is linked with another one');
  elsif k.status <> 'active' then
    perform private.fail('NS005', format('the account to be kept is %s', replace(k.status, '_', ' ')));
  elsif exists (
    select from public.family_members a
      join public.family_members b on b.family_id = a.family_id and b.user_id = d.id
    where a.user_id = k.id and a.status <> 'removed' and b.status <> 'removed') then
    perform private.fail('NS005', 'both accounts are members of the same family',
      'Decide which membership is to stay, and remove the other: nestctl member remove');
  end if;
  -- As old as it was: a membership that has ended cannot have begun after its end.
  insert into public.family_members as there (family_id, user_id, role, granted_permissions, denied_permissions, status, joined_at, access_expires_at, invited_by, created_by, created_at)
  select m.family_id, k.id, m.role, m.granted_permissions, m.denied_permissions, m.status, m.joined_at, m.access_expires_at, m.invited_by, m.created_by, m.created_at
  from public.family_members m where m.user_id = d.id and m.status <> 'removed'
  on conflict on constraint family_members_person_once do update set role = excluded.role, granted_permissions = excluded.granted_permissions,
    denied_permissions = excluded.denied_permissions, status = excluded.status, access_expires_at = excluded.access_expires_at,
    created_at = least(there.created_at, excluded.created_at);
  get diagnostics moved = row_count;
  update public.family_members m set status = 'removed' where m.user_id = d.id and m.status <> 'removed';
  update public.users u set status = 'suspended' where u.id = d.id;
  return moved;
end $$;
comment on function ops.link_accounts(uuid, uuid, text, text) is
  'Gives one of a person''s two accounts the memberships of the other and suspends that one. Rows they created keep their creator. Returns how many memberships moved.';

-- Invitations ----------------------------------------------------------------------------------------------

create table ops.invitation_mails (
  id uuid primary key default gen_random_uuid(),
  family_id uuid not null,
  invitation_id uuid not null,
  requested_by text not null default session_user,
  requested_at timestamptz not null default clock_timestamp(),
  sent_at timestamptz,
  constraint invitation_mails_invitation_fkey foreign key (family_id, invitation_id) references public.family_invitations (family_id, id) on delete cascade,
  constraint invitation_mails_time_order check (sent_at >= requested_at)
);
comment on table ops.invitation_mails is
  'Invitation mails that staff asked for. The application sends them: it alone makes the token, so that no operator ever holds one.';
create index invitation_mails_invitation_idx on ops.invitation_mails (family_id, invitation_id);
create unique index invitation_mails_waiting_key on ops.invitation_mails (family_id, invitation_id) where sent_at is null;
alter table ops.invitation_mails enable row level security;
alter table ops.invitation_mails force row level security;
create policy invitation_mails_owner_all on ops.invitation_mails to current_user using (true) with check (true);
create policy invitation_mails_staff_select on ops.invitation_mails for select to nestsync_support, nestsync_admin
  using (family_id = any ((select private.granted_families())::uuid[]) or (select private.break_glass()));
grant select on ops.invitation_mails to nestsync_support, nestsync_admin;
select audit.attach('ops.invitation_mails', 'access', family => 'family_id');

create function ops.waiting_invitation_mails() returns setof ops.invitation_mails
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select w.* from ops.invitation_mails w where w.sent_at is null order by w.requested_at, w.id;
end;
create function ops.invitation_mail_sent(mail uuid) returns void
  language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  update ops.invitation_mails w set sent_at = clock_timestamp() where w.id = mail and w.sent_at is null;
end;
comment on function ops.waiting_invitation_mails() is 'For the application, as service_role: mails to be sent, the oldest first. It makes a token, keeps its hash in the invitation and sends it.';
comment on function ops.invitation_mail_sent(uuid) is 'For the application, as service_role: a mail that was sent.';

create function private.invitation_to_change(family_id uuid, invitation_id uuid, seen text) returns public.family_invitations
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  i public.family_invitations;
  version text;
begin
  perform private.require_family(family_id);
  select a.* into i from public.family_invitations a where a.family_id = invitation_to_change.family_id and a.id = invitation_id for update;
  if not found then
    perform private.fail('NS006', 'there is no such invitation in that family', format('nestctl invitation list --family %s', family_id));
  end if;
  select a.xmin::text into version from public.family_invitations a where a.family_id = i.family_id and a.id = i.id;
  perform private.refuse_stale('invitation', seen, version);
  return i;
end $$;

create function ops.create_invitation(family_id uuid, email text, role text, until timestamptz) returns uuid
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_id uuid;
begin
  perform private.require_family(family_id);
  if until <= clock_timestamp() then
    perform private.fail('NS007', 'an invitation cannot end in the past');
  end if;
  if exists (select from public.families f where f.id = create_invitation.family_id and f.archived_at is not null) then
    perform private.fail('NS005', 'the family is archived', format('nestctl family restore %s', family_id));
  end if;
  if exists (
    select from public.family_members m join public.users u on u.id = m.user_id
    where m.family_id = create_invitation.family_id and lower(u.email) = lower(create_invitation.email) and m.status not in ('invited', 'removed')) then
    perform private.fail('NS005', 'whoever has this address is a member already', format('nestctl member list --family %s', family_id));
  end if;
  update public.family_invitations i set status = 'expired'
  where i.family_id = create_invitation.family_id and lower(i.email) = lower(create_invitation.email) and i.status = 'pending' and i.expires_at <= clock_timestamp();
  if exists (select from public.family_invitations i where i.family_id = create_invitation.family_id
      and lower(i.email) = lower(create_invitation.email) and i.status = 'pending') then
    perform private.fail('NS005', 'an invitation to this address is open already', format('nestctl invitation list --family %s', family_id));
  end if;
  insert into public.family_invitations (family_id, email, role, expires_at, token_hash)
  values (create_invitation.family_id, create_invitation.email, create_invitation.role, until,
    sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))) returning id into v_id;
  insert into ops.invitation_mails (family_id, invitation_id) values (create_invitation.family_id, v_id);
  return v_id;
end $$;
comment on function ops.create_invitation(uuid, text, text, timestamptz) is
  'Invites an address and asks the application to send the mail. Until it does no token opens the invitation.';

create function ops.resend_invitation(family_id uuid, invitation_id uuid, until timestamptz, seen text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  i public.family_invitations := private.invitation_to_change(family_id, invitation_id, seen);
begin
  if i.status not in ('pending', 'expired') then
    perform private.fail('NS005', format('the invitation is %s', i.status), 'Invite the address anew: nestctl invitation create');
  end if;
  if until <= clock_timestamp() then
    perform private.fail('NS007', 'an invitation cannot end in the past');
  end if;
  -- What was sent before opens nothing any more.
  update public.family_invitations a set status = 'pending', expires_at = until,
    token_hash = sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))
  where a.family_id = i.family_id and a.id = i.id;
  if not exists (select from ops.invitation_mails w where w.family_id = i.family_id and w.invitation_id = i.id and w.sent_at is null) then
    insert into ops.invitation_mails (family_id, invitation_id) values (i.family_id, i.id);
  end if;
end $$;

create function ops.revoke_invitation(family_id uuid, invitation_id uuid, seen text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  i public.family_invitations := private.invitation_to_change(family_id, invitation_id, seen);
begin
  if i.status not in ('pending', 'expired') then
    perform private.fail('NS005', format('the invitation is %s', i.status));
  end if;
  update public.family_invitations a set status = 'revoked' where a.family_id = i.family_id and a.id = i.id;
  delete from ops.invitation_mails w where w.family_id = i.family_id and w.invitation_id = i.id and w.sent_at is null;
end $$;

insert into ops.duty_permissions (duty, resource, command, condition)
select duty, 'family management', 'update', 'grant' from unnest(array['support', 'admin']) duty;

revoke execute on all functions in schema private, ops, audit from public;
grant usage on schema ops to service_role;
grant execute on function ops.waiting_invitation_mails(), ops.invitation_mail_sent(uuid) to service_role;
grant execute on function
  ops.extend_member(uuid, uuid, timestamptz, text), ops.set_member_role(uuid, uuid, text, text),
  ops.set_member_permissions(uuid, uuid, text[], text[], text), ops.set_member_status(uuid, uuid, text, text),
  ops.add_member(uuid, uuid, text, timestamptz), ops.transfer_core(uuid, uuid, uuid, text, text, text),
  ops.create_family(text, text, text, text, uuid), ops.rename_family(uuid, text, text), ops.archive_family(uuid, text),
  ops.restore_family(uuid, text), ops.suspend_user(uuid, text), ops.reinstate_user(uuid, text), ops.resend_verification(uuid, text),
  ops.link_accounts(uuid, uuid, text, text), ops.create_invitation(uuid, text, text, timestamptz),
  ops.resend_invitation(uuid, uuid, timestamptz, text), ops.revoke_invitation(uuid, uuid, text)
  to nestsync_support, nestsync_admin;
