-- kind: schema
-- locks: none on existing tables
-- transaction: yes
-- reversible: yes

-- What this very run of the console has written ----------------------------------------------------------------

create function audit.receipt() returns jsonb
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  -- That somebody looked is on record too, but it is no change.
  looks constant text[] := '{audit.readings,ops.directory_lookups,ops.access_explanations,ops.access_diagnoses,ops.impersonations}';
  v_request constant text := nullif(btrim(current_setting('nestsync.request', true)), '');
  -- A constant for the planner, which then looks into the newest partitions alone.
  v_since constant timestamptz := clock_timestamp() - interval '7 days';
  v_requests text[];
begin
  if v_request is null then
    return null;
  end if;
  -- The events of a move carry its id as their request.
  v_requests := array(
    select m.id::text from ops.moves m where m.operator = session_user and m.moved_at >= v_since and m.request_id = v_request) || v_request;
  return (
    with own as materialized (
      select e.id, e.xid, e.request_id, e.table_name, lower(e.operation::text) as operation, e.leaf
      from audit.events e
      where e.request_id = any (v_requests) and e.occurred_at >= v_since and e.session_login = session_user and e.table_name <> all (looks)
    ), transactions as (
      select o.xid, o.request_id, count(*) as events, min(o.id) as id from own o group by 1, 2
    )
    select jsonb_build_object(
      'count', count(*),
      'tables', (
        select jsonb_agg(jsonb_build_object('table', t.table_name, 'operation', t.operation, 'count', t.events) order by t.id)
        from (select o.table_name, o.operation, count(*) as events, min(o.id) as id from own o group by 1, 2) t),
      'transactions', (
        select jsonb_agg(jsonb_build_object('transaction', t.xid::text, 'request', t.request_id, 'count', t.events) order by t.id)
        from (select * from transactions order by id limit 10) t),
      'transaction_count', (select count(distinct t.xid) from transactions t),
      'first', (
        select jsonb_agg(jsonb_build_object('event', f.id::text, 'transaction', f.xid::text, 'table', f.table_name, 'operation', f.operation,
          'leaf', encode(f.leaf, 'hex')) order by f.id)
        from (select * from own order by id limit 10) f))
    from own having count(*) > 0);
end $$;
comment on function audit.receipt() is
  'The events that the operator behind this session has written under the request it names (nestsync.request), without their contents: {count, tables, transactions, transaction_count, first}, of transactions and events the first ten; null for none. What only says that somebody looked is left out.';

-- Where the events of a transaction are -------------------------------------------------------------------------

create function audit.leaf_event(leaf bigint) returns bigint
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select ('x' || encode(substr(t.entries, (30 * (leaf % 256) + 13)::integer, 8), 'hex'))::bit(64)::bigint
  from audit.tiles t where t.level = 0 and t.number = leaf / 256;
end;
comment on function audit.leaf_event(bigint) is 'The number of the event that a leaf of the tree is of.';

-- An index on transactions would cost every writer; the tree has them in order.
create function audit.transaction_window(transaction xid8) returns table (low_id bigint, high_id bigint)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  t audit.tree;
  e integer;
  first bigint;
  past bigint;
begin
  if coalesce(private.session_duty(), '') not in ('compliance', 'sre', 'auditor', 'admin') then
    perform private.fail('NS004', 'where a transaction stands in the log is asked under the duty compliance, sre, auditor or admin');
  end if;
  -- What was sealed after a move to another cluster stands out of order.
  if exists (select from audit.epochs p where p.adopted > 0) then
    return query select 0::bigint, null::bigint;
    return;
  end if;
  for e in select p.epoch from audit.epochs p order by p.epoch loop
    first := audit.first_leaf(int4send(e) || xid8send(transaction));
    past := audit.first_leaf(int4send(e) || int8send(transaction::text::bigint + 1));
    if past > first then
      return query select audit.leaf_event(first), audit.leaf_event(past - 1);
    end if;
  end loop;
  select p.* into t from audit.tree p;
  if transaction >= t.watermark then
    return query select coalesce(max(m.last_id), 0) + 1, null::bigint from audit.seal_marks m where m.first_epoch = t.first_epoch and m.next_xid <= transaction;
  end if;
end $$;
comment on function audit.transaction_window(xid8) is
  'Between which numbers the events of a transaction are, one row for each epoch that has such a transaction; high_id null: no end is known. No row: it has no events.';

revoke execute on function audit.receipt(), audit.leaf_event(bigint), audit.transaction_window(xid8) from public;
grant execute on function audit.receipt() to nestsync_support, nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin;
grant execute on function audit.transaction_window(xid8) to nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin;
