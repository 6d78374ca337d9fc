drop function audit.leaf_facts(bigint);
drop view audit.event_hashes;
drop function audit.coverage(regclass);
drop function audit.live_rows(regclass);
drop aggregate audit.folded(jsonb);
drop table audit.unlogged_rows;
drop function audit.begin_epoch(bigint, text, text, text);
drop function audit.approve_epoch(bigint, text, text);
drop function audit.plan_epoch(bigint, text, text);
drop function audit.sealed_ids();
delete from ops.approval_rules where action = 'audit_epoch';
drop function audit.seal_status();
drop function audit.add_checkpoint(text, bigint, bytea, text, text, jsonb);
drop function audit.seal_events(bigint);
drop function audit.summarize_ids();
drop function audit.raise_tiles(bigint, bigint);
drop function audit.tile_root(bytea);
drop function audit.require_epoch();
drop function audit.cluster();
alter table audit.epochs
  drop column tree_size, drop column seen_size, drop column seen_root, drop column adopted, drop column evidence,
  drop column approval_id, drop column recorded_by, drop column record;
drop table audit.checkpoints;
drop table audit.catalogues;
drop table audit.seal_marks;
drop table audit.tiles;
drop table audit.tree;
drop function audit.only_grow();
