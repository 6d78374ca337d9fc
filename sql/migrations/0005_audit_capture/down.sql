drop view audit.readable_events;
drop function audit.image_for_support(text, jsonb);
drop function audit.image(json, text[], text[]);
do $$
declare
  t regclass;
  f regprocedure;
begin
  for t in select table_name from audit.captured_tables loop
    execute format('drop trigger audit_insert on %s', t);
    execute format('drop trigger audit_update on %s', t);
    execute format('drop trigger audit_delete on %s', t);
    execute format('drop trigger if exists audit_no_truncate on %s', t);
  end loop;
  for f in select oid::regprocedure from pg_proc where pronamespace = 'audit'::regnamespace and proname like 'capture\_%' and prorettype = 'trigger'::regtype loop
    execute format('drop function %s', f);
  end loop;
end $$;
drop function audit.attach(regclass, audit.category, text, text, text, text[], text[]);
drop function audit.capture_body(regclass, audit.category, text, text, text, text[], text[]);
drop function audit.unpaired(text);
drop table audit.captured_tables;
drop function audit.begin_statement(text, timestamptz, bytea);
drop function audit.lent_grant(text, uuid, boolean);
drop function audit.erase_part(bigint, integer, text);
drop function audit.add_partitions(date, integer);
drop function audit.default_partitions();
drop function audit.add_partition(text, date);
drop trigger events_append_only on audit.events;
drop trigger events_no_truncate on audit.events;
drop trigger events_from_capture on audit.events;
drop function audit.refuse_change();
drop function audit.without_part(audit.events, integer, text);
drop function audit.leaf_of(audit.events);
drop function audit.part_block(bytea);
drop function audit.part_hash(audit.events, integer);
drop function audit.part_content(audit.events, integer);
drop function audit.netstrings(text[]);
drop function audit.netstring(text);
drop table audit.events;
drop function audit.refuse_insert();
drop table audit.epochs;
drop function audit.keep_current_epoch();
drop function audit.current_epoch();
drop type audit.operation;
drop type audit.category;
revoke usage on schema audit from nestsync_support, nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin;
drop schema audit;
