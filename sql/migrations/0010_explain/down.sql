drop function ops.explain(uuid, text[], text[], text[], jsonb);
drop function private.membership_facts(uuid, uuid, text[]);
drop function private.truths(regclass, text, text[]);
create or replace function private.impersonates(person uuid) returns boolean
  language plpgsql stable parallel safe security definer set search_path = pg_catalog, pg_temp as $$
begin
  return exists (
    select from ops.access_grants g
    where g.operator = session_user and g.kind = 'impersonation' and g.user_id = person and private.grant_is_live(g)
  );
end $$;
comment on function private.impersonates(uuid) is
  'Whether the operator behind this session has a live impersonation grant for a person.';
drop function private.explained_person();
drop function ops.ask_why(uuid, text, jsonb, text, timestamptz);
drop function private.in_granted_scope(text, uuid);
drop function private.owner_kind(regclass);
drop function private.owner_column(regclass);
delete from audit.captured_tables where table_name = 'ops.access_explanations'::regclass;
drop table ops.access_explanations;
drop function audit.capture_ops_access_explanations();
drop function private.stamp_explanation();
