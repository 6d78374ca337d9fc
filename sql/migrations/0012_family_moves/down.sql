drop function ops.row_families(text, uuid);
drop function private.row_families(text, uuid);
drop function ops.make_move(jsonb, text);
drop function private.mend_links(jsonb, uuid);
drop function private.move_statement(jsonb, jsonb);
drop function private.moved_hash(uuid, jsonb, jsonb);
drop function private.lock_move(uuid, uuid);
drop function ops.plan_move(jsonb);
drop function private.move_plan_hash(jsonb);
drop function private.require_move(jsonb);
drop function private.plan_move(jsonb);
drop function private.going_back(jsonb, text, text);
drop function private.move_people(uuid, uuid, jsonb, boolean, boolean, boolean);
drop function private.read_scope(public.family_members, text, boolean);
drop function private.row_label(regclass, text, text[], uuid, text);
drop function private.unique_conflicts(uuid, uuid, jsonb);
drop function private.broken_links(uuid, uuid, jsonb);
drop function private.place_rows(uuid, text[], jsonb, jsonb, jsonb, jsonb);
drop function private.copy_id(uuid, text);
drop function private.keys_in(jsonb, text, text);
drop function private.key_of(text[], text);
drop function private.family_gaps();
drop function private.family_links();
drop type private.family_link;
drop function private.family_tables();
do $$
declare
  t regclass;
begin
  for t in select g.tgrelid::regclass from pg_trigger g where g.tgname = 'merged_closed' loop
    execute format('drop trigger merged_closed on %s', t);
  end loop;
end $$;
drop function private.cover_moves(regclass);
drop function private.refuse_merged();
delete from audit.captured_tables where table_name = 'ops.moves'::regclass;
drop table ops.moves;
drop function audit.capture_ops_moves();
