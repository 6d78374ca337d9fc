drop function audit.family_leaves(uuid, bigint, integer);
drop function audit.bundle_part(audit.events, integer);
