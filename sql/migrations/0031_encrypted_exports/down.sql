select privacy.undeclare('privacy.exports', 'encryption recipients file_sha256 file_bytes file_evidence file_record');
drop function privacy.recorded_file(text);
drop function privacy.record_export(uuid, text, text, text, text, bigint, bigint, bigint, text, text, jsonb);
alter table privacy.exports drop column encryption, drop column recipients, drop column file_sha256, drop column file_bytes, drop column file_evidence,
  drop column file_record;
select audit.attach('privacy.exports', 'access', person => 'user_id');
create function privacy.record_export(person uuid, request text, language text, package_sha256 text, manifest_sha256 text, bytes bigint, row_count bigint, severances bigint, evidence text,
  subject_kind text default 'user') returns uuid
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_id uuid;
begin
  perform private.require_answerable(person, request, subject_kind);
  insert into privacy.exports (user_id, child_id, request, language, package_sha256, manifest_sha256, bytes, row_count, severances, evidence)
  values (case subject_kind when 'user' then person end, case subject_kind when 'child' then person end, request, language, package_sha256, manifest_sha256, bytes, row_count,
    severances, evidence)
  returning id into v_id;
  return v_id;
end $$;
comment on function privacy.record_export(uuid, text, text, text, text, bigint, bigint, bigint, text, text) is
  'Records a package before it is handed out. Needs the duty compliance, a live grant for the person, reason and ticket, and an open request of the person for it whose identity was verified; for a child, one of a guardian of record who may act for it today.';
revoke execute on function privacy.record_export(uuid, text, text, text, text, bigint, bigint, bigint, text, text) from public;
grant execute on function privacy.record_export(uuid, text, text, text, text, bigint, bigint, bigint, text, text) to nestsync_compliance;
