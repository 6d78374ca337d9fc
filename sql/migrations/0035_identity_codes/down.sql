select privacy.undeclare('privacy.code_entries'), privacy.undeclare('privacy.identity_codes'), privacy.undeclare('privacy.request_steps', 'trouble');
delete from audit.captured_tables where table_name in ('privacy.identity_codes'::regclass, 'privacy.code_entries'::regclass);
drop function privacy.judge_identity_code(uuid, text, text);
drop function privacy.enter_identity_code(text, text, bytea, text, text);
drop function privacy.record_code_sending(uuid, text, text);
drop function privacy.identity_code_address(uuid);
drop function privacy.issue_identity_code(text, text, uuid, bytea, bytea, interval);
drop function privacy.identity_code(text);
drop function private.codes_left(uuid);
drop function private.code_address(privacy.requests);
create or replace function privacy.check_identity(number text, seen text, method text, document text, authority text, passed boolean, remark text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  r privacy.requests := private.request_to_change(number, seen);
  s privacy.request_steps;
  failed bigint;
  family uuid;
  allowed boolean;
  why text;
begin
  if r.identity_verified_at is not null then
    perform private.fail('NS005', 'the identity is verified already', format('nestctl request show %s', r.number));
  end if;
  if passed and r.requester <> 'self' and authority is null then
    perform private.fail('NS007', 'somebody else asks for the subject: say what showed that they may', 'Add --authority');
  end if;
  -- A guardian of a child is one of record: that somebody saw a document once is not looked up again when it counts.
  if passed and r.child_id is not null and r.requester = 'guardian' and authority <> 'guardian_of_record' then
    perform private.fail('NS007', 'who stands for a child as its guardian is on record first', 'nestctl guardian add; then: --authority guardian_of_record');
  end if;
  if passed and authority = 'guardian_of_record' then
    if r.child_id is null then
      perform private.fail('NS007', 'guardians on record stand for children');
    end if;
    family := private.family_of_child(r.child_id);
    select m.allowed, m.why into allowed, why from privacy.may_act_for(family, r.child_id, r.requester_user,
      case when r.requester_user is null then r.requester_name end) m;
    if not allowed then
      perform private.fail('NS005', format('whoever asks may not act for the child: %s', why), format('nestctl guardian list --family %s', family));
    end if;
  end if;
  if remark ~ '[0-9]{4,}' then
    perform private.fail('NS007', 'numbers of documents are not kept, and the remark holds one');
  end if;
  select count(*) into failed from privacy.request_steps x where x.request_id = r.id and not x.passed and x.at > clock_timestamp() - interval '24 hours';
  if failed >= 3 then
    perform private.fail('NS003', 'three attempts have failed within 24 hours: the next is tomorrow',
      format('Or refuse it: nestctl request refuse %s --code insuf_verification', r.number));
  end if;
  if passed then
    r.identity_verified_at := clock_timestamp();
  end if;
  select g.* into r.state, r.state_reason from private.request_goes_on(r) g;
  s.step := 'identity_checked';
  s.method := method;
  s.document := document;
  s.authority := authority;
  s.passed := passed;
  s.told := remark;
  perform private.take_request_step(r, s);
end $$;
drop function private.take_identity_step(privacy.requests, text, text, text, boolean, text);
drop function private.refuse_document_number(text);
drop function private.require_authority(privacy.requests, text);
drop function private.refuse_verified(privacy.requests);
drop function private.refuse_another_attempt(privacy.requests);
drop function private.identity_attempts(uuid);
drop table privacy.code_entries;
drop table privacy.identity_codes;
drop function audit.capture_privacy_identity_codes();
drop function audit.capture_privacy_code_entries();
alter table privacy.request_steps drop constraint request_steps_trouble, drop constraint request_steps_step, drop constraint request_steps_identity;
alter table privacy.request_steps drop column trouble;
alter table privacy.request_steps
  add constraint request_steps_step check (step in ('opened', 'identity_checked', 'extended', 'consulted', 'cost_told', 'cost_accepted', 'cost_waived', 'amended', 'annotated', 'notified', 'fulfilled', 'denied', 'revoked')),
  add constraint request_steps_identity check (num_nonnulls(method, passed) = case step when 'identity_checked' then 2 else 0 end
    and method in ('document', 'signed_in', 'known_facts')
    and (document is not null) = coalesce(method = 'document', false)
    and document in ('passport', 'drivers_licence', 'provincial_card', 'permanent_resident_card', 'birth_certificate', 'other')
    and authority in ('guardian_of_record', 'court_order', 'birth_certificate', 'mandate'));
select audit.attach('privacy.request_steps', 'modification', person => 'user_id');
