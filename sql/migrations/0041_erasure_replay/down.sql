do $$
begin
  execute replace(pg_get_functiondef('audit.receipt()'::regprocedure), 'ops.impersonations,privacy.ledger_looks}', 'ops.impersonations}');
end $$;
select privacy.undeclare('privacy.ledger_looks');
delete from ops.duty_permissions where resource = 'ledger_looks';
delete from audit.captured_tables where table_name = 'privacy.ledger_looks'::regclass;
drop function privacy.coreless_families(text);
drop function privacy.replay_erasure(text, text, uuid, uuid[]);
drop function private.replay_steps(jsonb, jsonb);
drop function privacy.replay_approvable(text, text, uuid, uuid[]);
drop function privacy.end_look(uuid, bigint, jsonb);
drop function privacy.known_accounts(uuid, uuid, integer);
drop function private.my_look(uuid);
drop function privacy.begin_look(integer, text);
drop table privacy.ledger_looks;
drop function private.guard_look();
drop function audit.capture_privacy_ledger_looks();
