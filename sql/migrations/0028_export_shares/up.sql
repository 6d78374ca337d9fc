-- kind: schema
-- locks: none on existing tables
-- transaction: yes
-- reversible: yes, where no package was ever shared
-- seeds: ops.duty_permissions, audit.captured_tables, privacy.column_answers, privacy.paths

-- Packages that lie in the object store for the person to fetch. ------------------------------------------------------

create table privacy.export_shares (
  id uuid primary key default gen_random_uuid(),
  share_id uuid not null,
  step text not null,
  export_id uuid not null references privacy.exports (id),
  request text not null references privacy.requests (number),
  user_id uuid,
  child_id uuid,
  object_sha256 text not null,
  region text not null,
  link_signed_at timestamptz,
  link_expires_at timestamptz,
  removed_versions integer,
  evidence text,
  made_by text not null default session_user references ops.operators (login),
  made_at timestamptz not null default clock_timestamp(),
  constraint export_shares_subject check (num_nonnulls(user_id, child_id) = 1),
  constraint export_shares_step_key unique (share_id, step),
  constraint export_shares_step check (step in ('begun', 'shared', 'revoked')),
  constraint export_shares_object check (object_sha256 ~ '^[0-9a-f]{64}$'),
  constraint export_shares_region check (region ~ '^[A-Za-z0-9-]{1,64}$'),
  constraint export_shares_link check ((step = 'shared') = (link_signed_at is not null) and (step = 'shared') = (link_expires_at is not null)),
  -- No store takes a link that was signed later than this ahead of its clock.
  constraint export_shares_at_most_7_days check (
    link_expires_at > link_signed_at and link_expires_at <= link_signed_at + interval '7 days' and link_signed_at <= made_at + interval '15 minutes'),
  constraint export_shares_removed check ((step = 'revoked') = (removed_versions is not null) and removed_versions >= 0),
  constraint export_shares_evidence check ((step = 'begun') = (evidence is null))
);
comment on table privacy.export_shares is
  'What became of packages in the object store, step by step: begun before anything is sent, shared once it was read back whole, revoked once nothing of it is left there. Links are secrets and not here.';
comment on column privacy.export_shares.child_id is 'Of the package of a child.';
comment on column privacy.export_shares.object_sha256 is 'SHA-256 of endpoint, bucket and name of the object: by it the object is known again where the context still leads there.';
comment on column privacy.export_shares.region is 'Where the bucket lay, as the store said when the share was begun.';
comment on column privacy.export_shares.removed_versions is 'How many versions of the object were deleted; none was left.';
comment on column privacy.export_shares.evidence is 'The signed record about the step, chain/number.';
create index export_shares_export_idx on privacy.export_shares (export_id, made_at desc);
create index export_shares_user_idx on privacy.export_shares (user_id) where user_id is not null;
create index export_shares_child_idx on privacy.export_shares (child_id) where child_id is not null;
create index export_shares_request_idx on privacy.export_shares (request);
create index export_shares_made_by_idx on privacy.export_shares (made_by);
create trigger export_shares_append_only before update or delete on privacy.export_shares for each row execute function private.refuse_delete();
alter table privacy.export_shares enable row level security;
alter table privacy.export_shares force row level security;
create policy export_shares_owner_all on privacy.export_shares to current_user using (true) with check (true);
create policy export_shares_compliance_select on privacy.export_shares for select to nestsync_compliance
  using (user_id = any ((select private.subject_users())::uuid[]) or child_id = any ((select private.granted_children())::uuid[]));
create policy export_shares_auditor_select on privacy.export_shares for select to nestsync_auditor using ((select private.session_duty()) is not null);
grant select on privacy.export_shares to nestsync_compliance, nestsync_auditor;
insert into ops.duty_permissions (duty, resource, command, condition) values
  ('compliance', 'export_shares', 'select', 'grant'), ('compliance', 'export_shares', 'insert', 'grant'), ('auditor', 'export_shares', 'select', 'always');
select audit.attach('privacy.export_shares', 'access', person => 'user_id');

create function privacy.export_request(export uuid) returns text
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  if private.session_duty() is distinct from 'compliance' then
    perform private.fail('NS004', 'packages are the business of the duty compliance');
  end if;
  return (select e.request from privacy.exports e where e.id = export);
end $$;
comment on function privacy.export_request(uuid) is 'Which request a package answers, so that the officer knows for whom to open access; null where there is no such package.';

create function private.require_package_grant(e privacy.exports) returns void
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  if private.session_duty() is distinct from 'compliance' then
    perform private.fail('NS004', 'the package of a person is the business of the duty compliance');
  end if;
  if e.child_id is not null then
    perform private.require_guardians(private.family_of_child(e.child_id));
  elsif not coalesce(e.user_id = any (private.subject_users()), false) then
    perform private.fail('NS002', 'no live access grant of yours is for this person', format('nestctl access open --user %s --reason "…" --ticket …', e.user_id));
  end if;
  perform private.require_purpose();
end $$;
comment on function private.require_package_grant(privacy.exports) is
  'Raises without the duty compliance, a live grant for whom a package is of (of a child: for its family), reason and ticket. Whatever became of the request: what was handed out must be revocable.';

create function private.export_to_share(export uuid) returns privacy.exports
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  e privacy.exports;
  q privacy.requests;
  why text;
begin
  -- Two officers who share at once wait for each other.
  select x.* into e from privacy.exports x where x.id = export for no key update;
  if not found then
    perform private.fail('NS006', 'there is no such package', 'nestctl request list --all');
  end if;
  perform private.require_package_grant(e);
  -- Held until the step stands, so that nobody ends the request meanwhile.
  select r.* into q from privacy.requests r where r.number = e.request for share;
  if q.state in ('revoked', 'denied') then
    perform private.fail('NS005', format('request %s was %s: its package is shared with nobody', e.request,
      case q.state when 'denied' then 'refused' else 'withdrawn' end), format('nestctl request show %s', e.request));
  end if;
  if e.child_id is not null then
    perform from public.children c where c.id = e.child_id for share;
    why := private.why_no_guardian(q);
    if why is not null then
      perform private.fail('NS005', format('whoever asks may not act for the child: %s', why),
        format('nestctl guardian list --family %s --child %s', private.family_of_child(e.child_id), e.child_id));
    end if;
  end if;
  return e;
end $$;
comment on function private.export_to_share(uuid) is
  'The package that is to be shared, held. Raises as private.require_package_grant does, where its request was withdrawn or refused, and where whoever asked may not act for the child any more.';

create function privacy.begin_share(export uuid, share uuid, object_sha256 text, region text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  e privacy.exports := private.export_to_share(export);
  s privacy.export_shares;
begin
  select x.* into s from privacy.export_shares x
  where x.export_id = e.id and x.step = 'begun'
    and not exists (select from privacy.export_shares r where r.share_id = x.share_id and r.step = 'revoked')
  limit 1;
  if s.share_id = share and s.object_sha256 = begin_share.object_sha256
    and not exists (select from privacy.export_shares r where r.share_id = share and r.step = 'shared') then
    return;
  elsif s.share_id is not null then
    perform private.fail('NS005', 'this package was shared before, and not revoked', format('nestctl export revoke %s', e.id));
  end if;
  insert into privacy.export_shares (share_id, step, export_id, request, user_id, child_id, object_sha256, region)
  values (share, 'begun', e.id, e.request, e.user_id, e.child_id, begin_share.object_sha256, begin_share.region);
end $$;
comment on function privacy.begin_share(uuid, uuid, text, text) is
  'Records that a package is about to be sent to the object store, so that whatever lies there is known. Goes on with the very share that was begun; refuses a second one before the first is revoked.';

create function privacy.record_share(share uuid, signed_at timestamptz, expires_at timestamptz, evidence text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  s privacy.export_shares;
  e privacy.exports;
begin
  select x.* into s from privacy.export_shares x where x.share_id = share and x.step = 'begun';
  if not found then
    perform private.fail('NS006', 'no such share was begun', 'nestctl export share --help');
  end if;
  e := private.export_to_share(s.export_id);
  if exists (select from privacy.export_shares r where r.share_id = share and r.step <> 'begun') then
    perform private.fail('NS005', 'this share was made or revoked meanwhile', format('nestctl export list %s', e.request));
  end if;
  insert into privacy.export_shares (share_id, step, export_id, request, user_id, child_id, object_sha256, region, link_signed_at, link_expires_at, evidence)
  values (share, 'shared', s.export_id, s.request, s.user_id, s.child_id, s.object_sha256, s.region, signed_at, expires_at, evidence);
end $$;
comment on function privacy.record_share(uuid, timestamptz, timestamptz, text) is
  'Records that a package lies in the store, whole, and until when its link works, before the link is told to anybody.';

create function privacy.record_revocation(share uuid, removed_versions integer, evidence text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  s privacy.export_shares;
  e privacy.exports;
begin
  select x.* into s from privacy.export_shares x where x.share_id = share and x.step = 'begun' for no key update;
  if not found then
    perform private.fail('NS006', 'no such share was begun', 'nestctl export list');
  end if;
  select x.* into e from privacy.exports x where x.id = s.export_id;
  perform private.require_package_grant(e);
  if exists (select from privacy.export_shares r where r.share_id = share and r.step = 'revoked') then
    perform private.fail('NS005', 'this share was revoked meanwhile', 'nestctl export list');
  end if;
  insert into privacy.export_shares (share_id, step, export_id, request, user_id, child_id, object_sha256, region, removed_versions, evidence)
  values (share, 'revoked', s.export_id, s.request, s.user_id, s.child_id, s.object_sha256, s.region, record_revocation.removed_versions, record_revocation.evidence);
end $$;
comment on function privacy.record_revocation(uuid, integer, text) is
  'Records that nothing of a share is left in the store: after that was read back there. Whatever became of the request.';

create function ops.expired_shares() returns table (id uuid, object_sha256 text, package uuid, request text, package_sha256 text, link_expires_at timestamptz)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform private.maintenance_duty();
  return query
    select b.share_id, b.object_sha256, e.id, e.request, e.package_sha256, d.link_expires_at
    from privacy.export_shares b
      join privacy.exports e on e.id = b.export_id
      left join privacy.export_shares d on d.share_id = b.share_id and d.step = 'shared'
    where b.step = 'begun' and coalesce(d.link_expires_at, b.made_at + interval '7 days') <= clock_timestamp()
      and not exists (select from privacy.export_shares r where r.share_id = b.share_id and r.step = 'revoked')
    order by b.made_at;
end $$;
comment on function ops.expired_shares() is
  'For maintenance: shares whose link is over, and those that were begun a week ago and never ended, while nobody has recorded that they are deleted. Nobody is named.';

create function ops.record_expired_share(share uuid, removed_versions integer, evidence text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  s privacy.export_shares;
begin
  perform private.maintenance_duty();
  select x.* into s from privacy.export_shares x where x.share_id = share and x.step = 'begun' for no key update;
  if s.id is null or not exists (select from ops.expired_shares() x where x.id = share) then
    perform private.fail('NS005', 'this share has not expired, or was revoked meanwhile', 'nestctl maintenance status');
  end if;
  insert into privacy.export_shares (share_id, step, export_id, request, user_id, child_id, object_sha256, region, removed_versions, evidence)
  values (share, 'revoked', s.export_id, s.request, s.user_id, s.child_id, s.object_sha256, s.region, record_expired_share.removed_versions, record_expired_share.evidence);
end $$;
comment on function ops.record_expired_share(uuid, integer, text) is
  'For maintenance: records that nothing of an expired share is left in the store, after that was read back there.';

revoke execute on all functions in schema privacy, private, ops from public;
grant execute on function privacy.export_request(uuid), privacy.begin_share(uuid, uuid, text, text), privacy.record_share(uuid, timestamptz, timestamptz, text),
  privacy.record_revocation(uuid, integer, text) to nestsync_compliance;
grant execute on function ops.expired_shares(), ops.record_expired_share(uuid, integer, text) to nestsync_sre, nestsync_admin;

-- What the data map says of this --------------------------------------------------------------------------------------

select privacy.declare_path('privacy.export_shares', 'person', 'direct', 'account', 'subject', 'user_id', 'public.users', 'id'),
  privacy.declare_path('privacy.export_shares', 'child', 'child', 'child', 'subject', 'child_id', 'public.children', 'id'),
  privacy.declare_path('privacy.export_shares', 'request', 'direct', 'request', 'subject', 'request', 'privacy.requests', 'number'),
  privacy.declare_path('privacy.export_shares', 'export', 'link', null, null, 'export_id', 'privacy.exports', 'id'),
  privacy.declare_path('privacy.export_shares', 'by_made_by', 'direct', 'operator', 'subject', 'made_by', 'ops.operators', 'login'),
  privacy.declare('privacy.export_shares', 'user_id', 'subject', 'account', 'identifier', 'assigned', 'rights', 'audit', 'keep', 'accountability'),
  privacy.declare('privacy.export_shares', 'child_id', 'subject', 'child', 'identifier', 'assigned', 'rights', 'audit', 'keep', 'accountability'),
  privacy.declare('privacy.export_shares', 'id share_id step export_id request region link_expires_at made_at', 'subject', 'request', 'access_record', 'observed', 'rights', 'audit', 'keep', 'accountability'),
  privacy.declare('privacy.export_shares', 'made_by', 'other', 'operator', 'staff', 'observed', 'accountability', 'audit', 'keep', 'accountability'),
  privacy.declare_operational('privacy.export_shares', 'object_sha256 link_signed_at removed_versions evidence', 'rights', 'audit');
