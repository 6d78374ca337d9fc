-- kind: schema
-- locks: ACCESS EXCLUSIVE on privacy.exports, for a moment
-- transaction: yes
-- reversible: yes, where no package was ever encrypted
-- seeds: privacy.column_answers

-- Packages that are handed out encrypted to the person: the record names both the package and the file that holds it. ----

alter table privacy.exports add column encryption text, add column recipients text[], add column file_sha256 text, add column file_bytes bigint,
  add column file_evidence text, add column file_record text;
alter table privacy.exports
  -- squawk-ignore constraint-missing-not-valid
  add constraint exports_encryption check (case when encryption is null then num_nonnulls(recipients, file_sha256, file_bytes, file_evidence, file_record) = 0
    else encryption in ('keys', 'passphrase') and num_nulls(file_sha256, file_bytes, file_evidence, file_record) = 0 end),
  -- squawk-ignore constraint-missing-not-valid
  add constraint exports_recipients check ((encryption is not distinct from 'keys') = (recipients is not null)
    and cardinality(recipients) <= 20 and array_to_string(recipients, ' ', '?') ~ '^age1[0-9a-z]+( age1[0-9a-z]+)*$'),
  -- squawk-ignore constraint-missing-not-valid
  add constraint exports_file check (file_sha256 ~ '^[0-9a-f]{64}$' and file_bytes > bytes and length(file_record) <= 16384);
comment on column privacy.exports.encryption is 'keys or passphrase, where what was written is encrypted with age; a passphrase is kept nowhere.';
comment on column privacy.exports.recipients is 'The public keys that it is encrypted to.';
comment on column privacy.exports.file_sha256 is 'Of the encrypted file: nothing else is shared of such a package.';
comment on column privacy.exports.file_bytes is 'Of the encrypted file.';
comment on column privacy.exports.file_evidence is 'The signed record that the encrypted file holds the package, chain/number.';
comment on column privacy.exports.file_record is 'That record itself: the file says nothing of it, and a colleague''s console would not have it.';
-- squawk-ignore require-concurrent-index-creation
create unique index exports_file_idx on privacy.exports (file_sha256) where file_sha256 is not null;

select audit.attach('privacy.exports', 'access', person => 'user_id');

drop function privacy.record_export(uuid, text, text, text, text, bigint, bigint, bigint, text, text);
create function privacy.record_export(person uuid, request text, language text, package_sha256 text, manifest_sha256 text, bytes bigint, row_count bigint, severances bigint, evidence text,
  subject_kind text default 'user', file jsonb default null) returns uuid
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_id uuid;
begin
  perform private.require_answerable(person, request, subject_kind);
  insert into privacy.exports (user_id, child_id, request, language, package_sha256, manifest_sha256, bytes, row_count, severances, evidence,
    encryption, recipients, file_sha256, file_bytes, file_evidence, file_record)
  values (case subject_kind when 'user' then person end, case subject_kind when 'child' then person end, request, language, package_sha256, manifest_sha256, bytes, row_count,
    severances, evidence, file ->> 'encryption', (select array_agg(x.one) from jsonb_array_elements_text(nullif(file -> 'recipients', 'null')) x (one)), file ->> 'sha256',
    (file ->> 'bytes')::bigint, file ->> 'evidence', file ->> 'record')
  returning id into v_id;
  return v_id;
end $$;
comment on function privacy.record_export(uuid, text, text, text, text, bigint, bigint, bigint, text, text, jsonb) is
  'Records a package before it is handed out, and of an encrypted one the file that is (encryption, recipients, sha256, bytes, evidence, record). Needs the duty compliance, a live grant for the person, reason and ticket, and an open request of the person for it whose identity was verified; for a child, one of a guardian of record who may act for it today.';

create function privacy.recorded_file(file_sha256 text) returns table (request text, package uuid, file_record text)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  if not coalesce(private.session_duty() in ('compliance', 'auditor'), false) then
    perform private.fail('NS004', 'packages are the business of the duties compliance and auditor');
  end if;
  return query select e.request, e.id, e.file_record from privacy.exports e where e.file_sha256 = recorded_file.file_sha256;
end $$;
comment on function privacy.recorded_file(text) is 'For whoever has an encrypted file: which package it was recorded as, with the signed record of it. Nobody is named, and nothing is found without the file.';

revoke execute on function privacy.record_export(uuid, text, text, text, text, bigint, bigint, bigint, text, text, jsonb), privacy.recorded_file(text) from public;
grant execute on function privacy.record_export(uuid, text, text, text, text, bigint, bigint, bigint, text, text, jsonb) to nestsync_compliance;
grant execute on function privacy.recorded_file(text) to nestsync_compliance, nestsync_auditor;

select privacy.declare('privacy.exports', 'encryption', 'subject', 'request', 'access_record', 'observed', 'rights', 'audit', 'keep', 'accountability'),
  privacy.declare('privacy.exports', 'recipients', 'subject', 'request', 'identifier', 'provided', 'rights', 'audit', 'keep', 'accountability'),
  privacy.declare_operational('privacy.exports', 'file_sha256 file_bytes file_evidence file_record', 'rights', 'audit');
