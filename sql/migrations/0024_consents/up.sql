-- kind: schema
-- locks: none on existing tables
-- transaction: yes
-- reversible: yes
-- seeds: privacy.consent_types, privacy.consent_purposes, privacy.column_answers, privacy.paths

-- What each consent carries, and what follows from its withdrawal: a person is told so before (PIPEDA principle 4.3.8).
create table privacy.consent_types (
  consent_type text primary key,
  about text not null,
  follows text not null,
  law text not null,
  required boolean not null default false,
  user_flag text,
  constraint consent_types_user_flag check (user_flag in ('marketing_consent', 'analytics_consent', 'data_sharing_consent'))
);
comment on table privacy.consent_types is
  'Kinds of consent: those of public.consent_records, and notifications, which is given in notification_preferences.';
comment on column privacy.consent_types.follows is 'What follows from its withdrawal, as the person is told.';
comment on column privacy.consent_types.required is 'Without it the application shows the person nothing.';
comment on column privacy.consent_types.user_flag is 'The column of users by which the application goes.';

create table privacy.consent_purposes (
  consent_type text not null references privacy.consent_types (consent_type),
  purpose text not null references privacy.purposes (purpose),
  primary key (consent_type, purpose)
);
create index consent_purposes_purpose_idx on privacy.consent_purposes (purpose);
comment on table privacy.consent_purposes is 'For which purposes of the data map a consent is asked: what rests on it are the columns that answer with them.';

do $$
declare
  t text;
begin
  foreach t in array array['consent_types', 'consent_purposes'] loop
    execute format('create trigger %I before insert or update or delete or truncate on privacy.%I execute function private.only_by_migration()', t || '_by_migration', t);
    execute format('alter table privacy.%I enable row level security', t);
    execute format('alter table privacy.%I force row level security', t);
    execute format('create policy %I on privacy.%I to current_user using (true) with check (true)', t || '_owner_all', t);
    execute format('create policy %I on privacy.%I for select to nestsync_compliance, nestsync_sre, nestsync_admin using ((select private.session_duty()) is not null)', t || '_staff_select', t);
    execute format('grant select on privacy.%I to nestsync_compliance, nestsync_sre, nestsync_admin', t);
  end loop;
end $$;

insert into privacy.consent_types (consent_type, about, follows, law, required, user_flag) values
  ('privacy_policy', 'the account as such, and sharing in a family',
   'The application shows them nothing any more and takes nothing in. What is kept stays until its years are over or its erasure is asked for.',
   'PIPEDA principles 4.3 and 4.3.8; P-39.1 ss. 12 and 14', true, null),
  ('terms_of_service', 'the contract of the account and its subscription',
   'The application shows them nothing any more. A running subscription has to be cancelled; its books are kept for the tax laws.',
   'PIPEDA principle 4.3.8: subject to contractual restrictions and reasonable notice', true, null),
  ('marketing', 'offers by e-mail',
   'No offer is sent any more. Messages about supplies and about the account go on.',
   'PIPEDA principle 4.3.8; Canada''s Anti-Spam Legislation (S.C. 2010, c. 23) s. 11: within 10 business days', false, 'marketing_consent'),
  ('analytics', 'improving the application by how it is used',
   'What they do is counted no more. Events and figures that are there already go when their years are over, or with an erasure.',
   'PIPEDA principle 4.3.8; P-39.1 s. 12', false, 'analytics_consent'),
  ('data_sharing', 'giving data to the third parties named in the record',
   'Nothing more is given to others. Those who were given something, as the record names them, have to be told.',
   'PIPEDA principle 4.3.8; P-39.1 s. 13', false, 'data_sharing_consent'),
  ('child_data', 'planning for a child and keeping its log',
   'The application shows them nothing any more. What the family keeps of its children is there on the consent of whoever else stands for them; without one its erasure has to be decided.',
   'PIPEDA principle 4.3.8; P-39.1 s. 4.1: under 14 with the consent of a holder of parental authority', true, null),
  ('emergency_data', 'telling carers what matters in an emergency',
   'Emergency profiles are not shown to them any more: in an emergency carers know less. The profiles that are there go with an erasure.',
   'PIPEDA principles 4.3.4 and 4.3.8; P-39.1 s. 12: sensitive, express consent', false, null),
  ('cookies', 'what the application stores in a browser without needing it',
   'Only what the application cannot do without is stored in the browser.',
   'PIPEDA principle 4.3.8; P-39.1 s. 8.1', false, null),
  ('notifications', 'messages that were asked for, by push, e-mail and text message',
   'No message is sent any more, on any channel, and the addresses of devices are forgotten: nobody tells them that something runs out.',
   'PIPEDA principle 4.3.8; P-39.1 s. 12', false, null);
insert into privacy.consent_purposes (consent_type, purpose)
select consent_type, purpose
from (values ('privacy_policy', 'account family security'), ('terms_of_service', 'account billing'), ('marketing', 'notification'), ('analytics', 'analytics'),
  ('child_data', 'care supplies'), ('emergency_data', 'emergency'), ('notifications', 'notification')) c (consent_type, purposes),
  string_to_table(purposes, ' ') purpose;

-- What is in force --------------------------------------------------------------------------------------------------

create function private.require_subject(person uuid) returns void
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  if private.session_duty() is distinct from 'compliance' then
    perform private.fail('NS004', 'consents are the business of the duty compliance');
  end if;
  if not coalesce(person = any (private.subject_users()), false) then
    perform private.fail('NS002', 'no live access grant of yours is for this person',
      format('nestctl access open --user %s --reason "…" --ticket …', person));
  end if;
end $$;
comment on function private.require_subject(uuid) is 'Raises unless this session may know of a person''s consents: duty and a live grant for that person.';

create function privacy.consents_of(person uuid) returns table (
  consent_type text, status text, record uuid, consent_version text, granted_at timestamptz, withdrawn_at timestamptz, expires_at timestamptz,
  consent_method text, third_parties text[], setting boolean, seen text)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform private.require_subject(person);
  return query
    with latest as (
      select distinct on (c.consent_type) c.*, c.xmin::text as version,
        -- Of all that a withdrawal would change.
        (select string_agg(a.id || ':' || a.xmin, ' ' order by a.id) from public.consent_records a
          where a.user_id = person and a.consent_type = c.consent_type and a.status = 'granted') as versions
      from public.consent_records c where c.user_id = person
      order by c.consent_type, coalesce(c.withdrawn_at, c.granted_at, c.created_at) desc, c.created_at desc, c.id
    ), flags as (
      select jsonb_build_object('marketing_consent', u.marketing_consent, 'analytics_consent', u.analytics_consent,
        'data_sharing_consent', u.data_sharing_consent) as values
      from public.users u where u.id = person
    )
    select t.consent_type,
      case when l.id is null then 'none' when l.status = 'granted' and l.expires_at <= clock_timestamp() then 'expired' else l.status end,
      l.id, l.consent_version, l.granted_at, l.withdrawn_at, l.expires_at, l.consent_method, l.third_parties,
      (f.values ->> t.user_flag)::boolean, md5(concat_ws('/', l.id, l.version, l.versions, f.values -> t.user_flag))
    from privacy.consent_types t
      cross join flags f
      left join latest l using (consent_type)
    where t.consent_type <> 'notifications'
    union all
    select 'notifications', case when n.id is null then 'none' when n.consented_at is null then 'none' else 'granted' end,
      n.id, null, n.consented_at, null, null, null, null, n.push_enabled or n.email_enabled or n.sms_enabled, md5(concat_ws('/', n.id, n.xmin))
    from flags f left join public.notification_preferences n on n.user_id = person
    order by 1;
end $$;
comment on function privacy.consents_of(uuid) is
  'How each kind of consent of a person stands: granted, denied, withdrawn, expired by its newest record, or none. setting: what the application goes by. seen: the version that a withdrawal is made to.';

create function privacy.withdraw_consent(person uuid, consent_type text, how text, seen text) returns integer
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  kind privacy.consent_types;
  now_there record;
  changed integer := 0;
begin
  perform private.require_subject(person), private.require_purpose();
  select t.* into kind from privacy.consent_types t where t.consent_type = withdraw_consent.consent_type;
  if not found then
    perform private.fail('NS007', format('there is no consent of the kind %s', withdraw_consent.consent_type));
  elsif how is null or how not in ('e-mail', 'letter', 'telephone', 'in_person', 'application') then
    perform private.fail('NS007', 'how a person has withdrawn is e-mail, letter, telephone, in_person or application');
  end if;
  perform from public.users u where u.id = person for no key update;
  perform from public.consent_records c where c.user_id = person and c.consent_type = kind.consent_type for update;
  perform from public.notification_preferences n where n.user_id = person and kind.consent_type = 'notifications' for update;
  select s.* into now_there from privacy.consents_of(person) s where s.consent_type = kind.consent_type;
  if now_there.seen is null then
    perform private.fail('NS006', format('there is no person %s', person));
  end if;
  perform private.refuse_stale('consent', withdraw_consent.seen, now_there.seen);
  -- A setting that was left on after the record was withdrawn is turned off, too.
  if now_there.status <> 'granted' and not coalesce(now_there.setting, false) then
    perform private.fail('NS005', format('the consent to %s is not in force: %s', kind.consent_type, now_there.status));
  end if;
  if kind.consent_type = 'notifications' then
    update public.notification_preferences n
    set push_enabled = false, email_enabled = false, sms_enabled = false, device_tokens = '{}', consented_at = null where n.user_id = person;
    get diagnostics changed = row_count;
    return changed;
  end if;
  update public.consent_records c
  set status = 'withdrawn', withdrawn_at = greatest(clock_timestamp(), c.granted_at),
    evidence = c.evidence || jsonb_build_object('withdrawal', jsonb_build_object('how', how, 'recorded_by', 'operator'))
  where c.user_id = person and c.consent_type = kind.consent_type and c.status = 'granted';
  get diagnostics changed = row_count;
  if kind.user_flag is not null and now_there.setting then
    execute format('update public.users set %I = false where id = $1', kind.user_flag) using person;
    changed := changed + 1;
  end if;
  return changed;
end $$;
comment on function privacy.withdraw_consent(uuid, text, text, text) is
  'Withdraws a consent for a person who has said so, and turns off what the application goes by. Every record of the kind that says granted is withdrawn, none deleted. Returns how many rows were changed. Needs the duty compliance, a live grant for the person, reason and ticket.';

revoke execute on function private.require_subject(uuid), privacy.consents_of(uuid), privacy.withdraw_consent(uuid, text, text, text) from public;
grant execute on function privacy.consents_of(uuid), privacy.withdraw_consent(uuid, text, text, text) to nestsync_compliance;

select privacy.declare_operational('privacy.consent_types', 'consent_type about follows law required user_flag'),
  privacy.declare_operational('privacy.consent_purposes', 'consent_type purpose'),
  privacy.declare_path('privacy.consent_purposes', 'type', 'link', null, null, 'consent_type', 'privacy.consent_types', 'consent_type'),
  privacy.declare_path('privacy.consent_purposes', 'purpose', 'link', null, null, 'purpose', 'privacy.purposes', 'purpose');
