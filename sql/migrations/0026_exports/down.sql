select privacy.undeclare('privacy.exports'), privacy.undeclare('privacy.naming_columns');
delete from audit.captured_tables where table_name = 'privacy.exports'::regclass;
delete from ops.duty_permissions where resource = 'exports';
drop function privacy.record_export(uuid, text, text, text, text, bigint, bigint, bigint, text, text);
drop function private.require_answerable(uuid, text, text);
drop function privacy.package_people(uuid, text);
drop function privacy.require_export_purpose();
drop function privacy.next_package_rows(integer);
drop function privacy.open_package_rows(uuid, text, text[], text);
drop function privacy.package_tables(uuid, text);
drop function private.package_scope(text, uuid, text);
drop function private.package_columns(text);
drop function private.package_needs(text);
drop function private.package_conditions(text, uuid, text);
drop function private.package_children(uuid, text);
drop function private.package_families(uuid, text);
drop function private.represented_children(uuid);
drop function private.kin_families(uuid);
drop function privacy.request_family(text);
drop function privacy.require_package(uuid, text);
drop function private.why_no_guardian(privacy.requests);
drop table privacy.exports;
drop function private.granted_children();
drop function audit.capture_privacy_exports();
drop table privacy.naming_columns;
select privacy.declare_operational('audit.events', 'id occurred_at category operation table_name duty', 'accountability', 'audit'),
  privacy.declare('audit.events', 'old_row new_row', 'subject', 'account', 'access_record', 'observed', 'accountability', 'audit', 'anonymize'),
  privacy.declare('audit.events', 'family_id', 'joint', 'household', 'access_record', 'observed', 'accountability', 'audit', 'anonymize'),
  privacy.declare('audit.events', 'named_old named_new', 'joint', 'author', 'access_record', 'observed', 'accountability', 'audit', 'anonymize'),
  privacy.declare('audit.readings', 'id duty kind asked_at', 'subject', 'account', 'access_record', 'observed', 'accountability', 'access_record', 'delete');
