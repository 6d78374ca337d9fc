drop function audit.transaction_window(xid8);
drop function audit.leaf_event(bigint);
drop function audit.receipt();
