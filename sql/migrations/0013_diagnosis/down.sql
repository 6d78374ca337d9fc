drop function ops.diagnose(uuid);
drop function private.diagnosed_samples(uuid);
drop function private.lets_read(regclass, text);
drop function private.consent_missing(uuid, text[]);
drop function private.diagnosed_children(uuid[], uuid, text);
drop function private.diagnosed_accounts(public.users, text, uuid, text[]);
drop function private.diagnosed_logs(uuid);
drop function private.diagnosed_invitations(uuid, public.users, text);
drop function private.diagnosed_family(uuid, uuid, text[]);
drop function ops.ask_diagnosis(uuid, uuid, text[], text);
create or replace function private.explained_person() returns uuid
  language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp
  return (
    select e.person from ops.access_explanations e
    where e.id = nullif(current_setting('nestsync.explaining', true), '')::uuid
      and e.operator = session_user
      and e.duty = private.session_duty()
      and e.asked_at > clock_timestamp() - interval '2 minutes'
      and e.asked_xid is distinct from pg_current_xact_id_if_assigned()
      and current_setting('transaction_read_only') = 'on');
comment on function private.explained_person() is
  'The person whose access ops.explain evaluates in this transaction. Naming one by hand opens nothing: it counts only under a duty, in a read-only transaction, and no duty may call what policies of members call.';
drop index public.users_phone_idx;
drop index public.family_invitations_mailbox_idx;
drop index public.users_mailbox_idx;
delete from audit.captured_tables where table_name = 'ops.access_diagnoses'::regclass;
drop table ops.access_diagnoses;
drop function audit.capture_ops_access_diagnoses();
