-- kind: schema
-- locks: SHARE ROW EXCLUSIVE on children and users, briefly
-- transaction: yes
-- reversible: yes, where nobody was ever recorded
-- seeds: ops.duty_permissions, audit.captured_tables, privacy.subjects, privacy.column_answers, privacy.paths

-- Who stands for whom. A membership says who may see a family's log; who may ask for a child's data, and be given it,
-- is another question, and the law of the province answers it.
create function private.evidence_of(basis text) returns text[]
  language sql immutable set search_path = pg_catalog, pg_temp
  return case basis
    when 'parent' then '{act_of_birth,court_order}'
    when 'adoption' then '{adoption_judgment,act_of_birth}'
    when 'parenting_order' then '{court_order}'
    when 'guardianship' then '{court_order,will}'
    when 'tutorship' then '{court_order,notarial_act,will}'
    when 'agency' then '{court_order,agency_mandate}' end::text[];
comment on function private.evidence_of(text) is 'Kinds of documents that show on what basis somebody stands for a child; any of them does.';

create table privacy.guardians (
  family_id uuid not null,
  id uuid not null default gen_random_uuid(),
  child_id uuid not null,
  user_id uuid references public.users (id) on delete cascade,
  guardian_name text,
  basis text not null,
  limits text[] not null default '{}',
  evidence text[] not null,
  from_date date not null,
  until_date date,
  added_by text not null default session_user references ops.operators (login),
  added_at timestamptz not null default clock_timestamp(),
  ended_on date,
  end_ground text,
  ended_by text references ops.operators (login),
  ended_at timestamptz,
  primary key (family_id, id),
  constraint guardians_child_fkey foreign key (family_id, child_id) references public.children (family_id, id) on delete cascade,
  constraint guardians_person check (num_nonnulls(user_id, guardian_name) = 1),
  constraint guardians_name check (guardian_name ~ '[^[:space:]]' and guardian_name = btrim(guardian_name) and guardian_name !~ '[[:cntrl:]]' and char_length(guardian_name) <= 200),
  constraint guardians_basis check (basis in ('parent', 'adoption', 'parenting_order', 'guardianship', 'tutorship', 'agency')),
  constraint guardians_limits check (limits <@ '{no_information,no_contact,no_authority,no_decisions,joint_decisions,supervised}'),
  constraint guardians_evidence check (
    evidence <@ '{act_of_birth,adoption_judgment,court_order,will,notarial_act,agency_mandate}' and evidence && private.evidence_of(basis)),
  constraint guardians_limited check (limits = '{}' or evidence && '{court_order,agency_mandate}'),
  constraint guardians_time_order check (until_date >= from_date and (ended_on >= from_date or end_ground = 'entered_in_error')),
  constraint guardians_ended check (num_nonnulls(ended_on, end_ground, ended_by, ended_at) in (0, 4)),
  constraint guardians_end_ground check (end_ground in ('court_order', 'deprivation', 'death', 'replaced', 'resigned', 'entered_in_error'))
);
comment on table privacy.guardians is
  'Who stands for a child: who may ask for its data and be given it. Being family_core is no such thing. Written through privacy.add_guardian and privacy.end_guardian, under the duty compliance.';
comment on column privacy.guardians.guardian_name is 'Of somebody who has no account; user_id for whoever has one.';
comment on column privacy.guardians.basis is
  'parent (filiation, Civil Code of Québec (C.C.Q.) arts. 597-600); adoption (C.C.Q. art. 577); parenting_order (Divorce Act s. 16.1 and the like of provinces); guardianship (common-law provinces, by court or will); tutorship (C.C.Q. arts. 185-206, suppletive too); agency (director of youth protection, children''s aid society).';
comment on column privacy.guardians.limits is
  'By a court: no_information, no access to information about the child (Divorce Act s. 16.4); no_contact; no_authority, deprived of parental authority (C.C.Q. art. 606); no_decisions, decision-making is another''s; joint_decisions, with another; supervised, parenting time under supervision. The first four let nobody act.';
comment on column privacy.guardians.evidence is 'What kinds of documents were seen. Never their numbers.';
comment on column privacy.guardians.until_date is 'The last day of the term, where an order names one.';
comment on column privacy.guardians.ended_on is 'The first day on which it no longer held. One that was entered in error never did.';
create index guardians_child_idx on privacy.guardians (family_id, child_id);
create index guardians_user_idx on privacy.guardians (user_id) where user_id is not null;
create index guardians_added_by_idx on privacy.guardians (added_by);
create index guardians_ended_by_idx on privacy.guardians (ended_by) where ended_by is not null;
create trigger guardians_fixed_key before update on privacy.guardians for each row
  when (old.family_id is distinct from new.family_id or old.id is distinct from new.id or old.child_id is distinct from new.child_id or old.user_id is distinct from new.user_id or old.guardian_name is distinct from new.guardian_name)
  execute function private.refuse_key_change();

create function private.guardian_days(g privacy.guardians) returns daterange
  language sql immutable set search_path = pg_catalog, pg_temp
  return case when g.end_ground = 'entered_in_error' then 'empty'::daterange
    else daterange(g.from_date, least(g.until_date + 1, g.ended_on), '[)') end;
comment on function private.guardian_days(privacy.guardians) is 'The days on which somebody stands for a child.';

create function private.refuse_overlap(g privacy.guardians) returns void
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  if exists (
    select from privacy.guardians x
    where x.family_id = g.family_id and x.child_id = g.child_id and x.id is distinct from g.id
      and (x.user_id = g.user_id or lower(x.guardian_name) = lower(g.guardian_name))
      and private.guardian_days(x) && private.guardian_days(g))
  then
    perform private.fail('NS005', 'this person stands for the child already on some of those days',
      format('nestctl guardian list --family %s --child %s', g.family_id, g.child_id));
  end if;
end $$;

-- An exclusion constraint would keep rows from going to another family with their child.
create function private.keep_guardians_apart() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  -- Whoever else writes about this child waits here, and then sees what was written.
  perform from public.children c where c.family_id = new.family_id and c.id = new.child_id for no key update;
  perform private.refuse_overlap(new);
  return new;
end $$;
comment on function private.keep_guardians_apart() is 'No day on which one person stands for one child twice, maybe with other limits.';
create trigger guardians_apart before insert or update on privacy.guardians
  for each row execute function private.keep_guardians_apart();

alter table privacy.guardians enable row level security;
alter table privacy.guardians force row level security;
create policy guardians_owner_all on privacy.guardians to current_user using (true) with check (true);
create policy guardians_compliance_select on privacy.guardians for select to nestsync_compliance
  using (family_id = any ((select private.granted_families())::uuid[]));
grant select on privacy.guardians to nestsync_compliance;
grant select (xmin) on privacy.guardians to nestsync_compliance;
insert into ops.duty_permissions (duty, resource, command, condition) values ('compliance', 'guardians', 'select', 'grant');
select audit.attach('privacy.guardians', 'modification', family => 'family_id', person => 'user_id', named => '{guardian_name}');

-- What compliance does with them ------------------------------------------------------------------------------------

create function private.require_guardians(family_id uuid) returns void
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  if private.session_duty() is distinct from 'compliance' then
    perform private.fail('NS004', 'who stands for a child is the business of the duty compliance');
  end if;
  if not coalesce(require_guardians.family_id = any (private.granted_families()), false) then
    perform private.fail('NS002', 'no live access grant of yours covers this family',
      format('nestctl access open --family %s --reason "…" --ticket …', require_guardians.family_id));
  end if;
end $$;
comment on function private.require_guardians(uuid) is 'Raises unless this session may know who stands for the children of a family: duty and live grant.';

create function private.require_guardian_change(family_id uuid) returns void
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform private.require_guardians(family_id), private.require_purpose();
  -- Under an older snapshot what another session has just recorded would not be seen.
  if current_setting('transaction_isolation') <> 'read committed' then
    perform private.fail('NS005', 'guardians are written under READ COMMITTED');
  end if;
end $$;

create function privacy.check_guardian(family_id uuid, child_id uuid, user_id uuid, guardian_name text, basis text, limits text[], evidence text[],
  from_date date, until_date date default null) returns void
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform private.require_guardians(family_id);
  if num_nonnulls(user_id, guardian_name) <> 1 then
    perform private.fail('NS007', 'a guardian is one person: an account, or the name of somebody who has none');
  elsif until_date < from_date then
    perform private.fail('NS007', 'it cannot end before it begins');
  elsif not evidence && private.evidence_of(basis) then
    perform private.fail('NS007', format('%s is shown by %s', basis, array_to_string(private.evidence_of(basis), ' or ')));
  elsif limits <> '{}' and not evidence && '{court_order,agency_mandate}' then
    perform private.fail('NS007', 'limits are set by a court_order or an agency_mandate that was seen');
  end if;
  if not exists (select from public.children c where c.family_id = check_guardian.family_id and c.id = check_guardian.child_id) then
    perform private.fail('NS006', 'this family has no such child', format('nestctl family show %s', family_id));
  end if;
  if user_id is not null and not exists (select from public.users u where u.id = check_guardian.user_id and u.deleted_at is null) then
    perform private.fail('NS006', 'there is no account with this id', 'Somebody who has none is named: --name');
  end if;
  perform private.refuse_overlap(row(family_id, null, child_id, user_id, btrim(guardian_name), basis, limits, evidence, from_date, until_date,
    null, null, null, null, null, null)::privacy.guardians);
end $$;
comment on function privacy.check_guardian(uuid, uuid, uuid, text, text, text[], text[], date, date) is
  'Raises where privacy.add_guardian would, and writes nothing.';

create function privacy.add_guardian(family_id uuid, child_id uuid, user_id uuid, guardian_name text, basis text, limits text[], evidence text[],
  from_date date, until_date date default null) returns uuid
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_id uuid;
begin
  perform private.require_guardian_change(family_id);
  perform privacy.check_guardian(family_id, child_id, user_id, guardian_name, basis, limits, evidence, from_date, until_date);
  insert into privacy.guardians (family_id, child_id, user_id, guardian_name, basis, limits, evidence, from_date, until_date)
  values (family_id, child_id, user_id, btrim(guardian_name), basis, limits, evidence, from_date, until_date)
  returning id into v_id;
  return v_id;
end $$;
comment on function privacy.add_guardian(uuid, uuid, uuid, text, text, text[], text[], date, date) is
  'Records that somebody stands for a child, from a day on, on evidence that was seen. Needs the duty compliance, a live grant for the family, reason and ticket.';

create function privacy.end_guardian(family_id uuid, id uuid, ended_on date, ground text, seen text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  g privacy.guardians;
  version text;
begin
  perform private.require_guardian_change(family_id);
  select x.* into g from privacy.guardians x where x.family_id = end_guardian.family_id and x.id = end_guardian.id for update;
  if not found then
    perform private.fail('NS006', 'nobody is recorded under this id in that family');
  end if;
  select x.xmin::text into version from privacy.guardians x where x.family_id = g.family_id and x.id = g.id;
  perform private.refuse_stale('record', seen, version);
  if g.ended_at is not null then
    perform private.fail('NS005', format('it ended on %s already', g.ended_on));
  elsif ended_on < g.from_date and ground <> 'entered_in_error' then
    perform private.fail('NS007', format('it cannot end before it begins, on %s', g.from_date), 'What never held was entered in error: --because entered_in_error');
  end if;
  update privacy.guardians x
  set ended_on = end_guardian.ended_on, end_ground = ground, ended_by = session_user, ended_at = clock_timestamp()
  where x.family_id = g.family_id and x.id = g.id;
end $$;
comment on function privacy.end_guardian(uuid, uuid, date, text, text) is
  'Records from which day on somebody no longer stands for a child, and on what ground. Once.';

create function private.family_of_child(child_id uuid) returns uuid
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  families uuid[] := array(select c.family_id from public.children c where c.id = child_id order by 1);
begin
  if cardinality(families) = 0 then
    perform private.fail('NS006', 'there is no such child', 'nestctl family list');
  elsif cardinality(families) > 1 then
    -- A family chooses the ids of its children: one that takes another's would stand for that child.
    perform private.fail('NS005', format('%s families have a child with this id, and whose it is nobody can say', cardinality(families)),
      format('nestctl family show %s', families[1]));
  end if;
  return families[1];
end $$;
comment on function private.family_of_child(uuid) is 'The one family whose child this is. Raises where none is, or more than one.';

create function private.may_act_for(family_id uuid, child_id uuid, user_id uuid, guardian_name text, at timestamptz default clock_timestamp())
  returns table (allowed boolean, why text, guardian uuid, notes text[])
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  child record;
  day date;
  g privacy.guardians;
  majority integer;
begin
  if num_nonnulls(user_id, guardian_name) <> 1 or at is null then
    perform private.fail('NS007', 'whether one person may act, at one moment, is what is asked here');
  end if;
  select c.date_of_birth as born, coalesce(c.province, f.province)::text as province, f.timezone into child
  from public.children c join public.families f on f.id = c.family_id
  where c.family_id = may_act_for.family_id and c.id = may_act_for.child_id;
  if not found then
    perform private.fail('NS006', 'this family has no such child', format('nestctl family show %s', family_id));
  end if;
  day := (at at time zone child.timezone)::date;
  majority := case when child.province in ('BC', 'NB', 'NL', 'NS', 'NT', 'NU', 'YT') then 19 else 18 end;
  allowed := false;
  notes := '{}';
  -- The one that holds on that day; else the last, to say why not.
  select x.* into g from privacy.guardians x
  where x.family_id = may_act_for.family_id and x.child_id = may_act_for.child_id
    and (x.user_id = may_act_for.user_id or lower(x.guardian_name) = lower(btrim(may_act_for.guardian_name)))
  order by private.guardian_days(x) @> day desc, x.end_ground = 'entered_in_error' nulls first, x.from_date > day, x.from_date desc limit 1;
  guardian := g.id;
  why := case
    when day >= (child.born + make_interval(years => majority))::date then 'of_age'
    when g.id is null or g.end_ground = 'entered_in_error' then 'no_guardian'
    when day < g.from_date then 'not_yet'
    when not private.guardian_days(g) @> day then 'over'
    when 'no_information' = any (g.limits) then 'no_information'
    when 'no_contact' = any (g.limits) then 'no_contact'
    when 'no_authority' = any (g.limits) then 'no_authority'
    when 'no_decisions' = any (g.limits) then 'no_decisions'
    else 'guardian' end;
  if why = 'no_guardian' then
    guardian := null;
  elsif why = 'guardian' then
    allowed := true;
    notes := array_remove(array[
      case when 'joint_decisions' = any (g.limits) then 'joint_decisions' end,
      case when 'supervised' = any (g.limits) then 'supervised' end,
      case when child.province = 'QC' and day >= (child.born + interval '14 years')::date then 'fourteen' end], null);
  end if;
  return next;
end $$;
comment on function private.may_act_for(uuid, uuid, uuid, text, timestamptz) is 'As privacy.may_act_for, for whoever has checked who asks.';

create function privacy.may_act_for(family_id uuid, child_id uuid, user_id uuid, guardian_name text, at timestamptz default clock_timestamp())
  returns table (allowed boolean, why text, guardian uuid, notes text[])
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform private.require_guardians(family_id);
  return query select * from private.may_act_for(family_id, child_id, user_id, guardian_name, at);
end $$;
comment on function privacy.may_act_for(uuid, uuid, uuid, text, timestamptz) is
  'Whether a person may act for a child at a moment, by the day in the family''s zone, and why: guardian; or no_guardian, not_yet, over, of_age, or the court''s limit that forbids it. Notes: joint_decisions, supervised, fourteen (Quebec: the minor may decide too, P-39.1 s. 4.1).';

revoke execute on function private.evidence_of(text), private.guardian_days(privacy.guardians), private.refuse_overlap(privacy.guardians), private.keep_guardians_apart(), private.require_guardians(uuid), private.require_guardian_change(uuid),
  privacy.check_guardian(uuid, uuid, uuid, text, text, text[], text[], date, date), privacy.add_guardian(uuid, uuid, uuid, text, text, text[], text[], date, date), privacy.end_guardian(uuid, uuid, date, text, text),
  privacy.may_act_for(uuid, uuid, uuid, text, timestamptz), private.may_act_for(uuid, uuid, uuid, text, timestamptz), private.family_of_child(uuid) from public;
grant execute on function privacy.check_guardian(uuid, uuid, uuid, text, text, text[], text[], date, date), privacy.add_guardian(uuid, uuid, uuid, text, text, text[], text[], date, date), privacy.end_guardian(uuid, uuid, date, text, text),
  privacy.may_act_for(uuid, uuid, uuid, text, timestamptz) to nestsync_compliance;

-- What the data map says of it ----------------------------------------------------------------------------------------

insert into privacy.subjects (subject, about, root_table, root_columns) values
  ('guardian', 'whoever stands for a child without an account', 'privacy.guardians', '{family_id,id}');
select privacy.declare_path('privacy.guardians', 'child', 'child', 'child', 'subject', 'family_id child_id', 'public.children', 'family_id id'),
  privacy.declare_path('privacy.guardians', 'person', 'direct', 'account', 'subject', 'user_id', 'public.users', 'id'),
  privacy.declare_path('privacy.guardians', 'self', 'direct', 'guardian', 'subject', 'family_id id', 'privacy.guardians', 'family_id id'),
  privacy.declare_path('privacy.guardians', 'by_' || who, 'direct', 'operator', 'subject', who, 'ops.operators', 'login')
from unnest(array['added_by', 'ended_by']) who;
select privacy.declare('privacy.guardians', 'family_id id child_id', 'subject', 'child', 'identifier', 'assigned', 'rights', 'family', 'delete'),
  privacy.declare('privacy.guardians', 'user_id', 'subject', 'account', 'identifier', 'assigned', 'rights', 'family', 'delete'),
  privacy.declare('privacy.guardians', 'guardian_name', 'other', 'guardian', 'identity', 'reported', 'rights', 'family', 'delete'),
  privacy.declare('privacy.guardians', 'basis limits evidence from_date until_date added_at ended_on end_ground ended_at',
    'subject', 'account', 'membership', 'reported', 'rights', 'family', 'delete'),
  privacy.declare('privacy.guardians', 'added_by ended_by', 'other', 'operator', 'staff', 'observed', 'accountability', 'family', 'delete');
