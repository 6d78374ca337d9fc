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
  q privacy.requests;
  why text;
begin
  perform privacy.require_package(person, subject_kind), private.require_purpose();
  -- Held until the record stands, so that nobody ends the request meanwhile.
  select r.* into q from privacy.requests r where r.number = record_export.request for share;
  if not found then
    perform private.fail('NS006', format('there is no request %s', request), 'nestctl request list --all');
  end if;
  if (case subject_kind when 'child' then q.child_id else q.user_id end) is distinct from person or q.kind not in ('access', 'portability') or q.state not in ('open', 'in_progress') then
    perform private.fail('NS005', format('request %s is none that a package of this person answers', request), format('nestctl request show %s', request));
  end if;
  if q.identity_verified_at is null then
    perform private.fail('NS005', 'nothing is handed out before the identity is verified', format('nestctl request verify-identity %s', request));
  end if;
  if subject_kind = 'child' then
    -- Whoever changes who stands for a child holds its row.
    perform from public.children c where c.id = person for share;
    why := private.why_no_guardian(q);
    if why is not null then
      perform private.fail('NS005', format('whoever asks may not act for the child: %s', why),
        format('nestctl guardian list --family %s --child %s', private.family_of_child(person), person));
    end if;
  end if;
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
