select privacy.undeclare('privacy.complaints');
delete from ops.duty_permissions where resource = 'complaints';
delete from audit.captured_tables where table_name = 'privacy.complaints'::regclass;
drop function privacy.close_complaint(text, text, text, date, date);
drop function privacy.open_complaint(text, text, text, date);
revoke execute on function audit.retention_hold(audit.category, date) from nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin;
create or replace function audit.retention_hold(kind audit.category, month date) returns text
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select 'it is being archived: nestctl audit archive' from audit.archives a
  where a.category = kind and a.month = retention_hold.month and a.dropped_at is null limit 1;
end;
drop trigger erasures_unheld on audit.erasures;
drop function private.refuse_held_erasure();
drop function privacy.holds(uuid, uuid[]);
drop function private.held_subjects();
drop function privacy.request_holds(privacy.requests);
drop table privacy.complaints;
drop function private.guard_complaint();
drop function audit.capture_privacy_complaints();
