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
begin
  perform private.refuse_verified(r);
  if passed then
    perform private.require_authority(r, authority);
  end if;
  perform private.refuse_document_number(remark), private.refuse_another_attempt(r);
  perform private.take_identity_step(r, method, document, authority, passed, remark);
end $$;
create or replace function private.identity_attempts(request uuid) returns bigint
  language sql volatile set search_path = pg_catalog, pg_temp
begin atomic
  select count(*) from privacy.request_steps x where x.request_id = request and not x.passed and x.at > clock_timestamp() - interval '24 hours';
end;
comment on function private.identity_attempts(uuid) is 'Attempts to verify who asks that failed within 24 hours.';
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
