-- kind: schema
-- locks: ACCESS EXCLUSIVE on audit.epochs, briefly
-- transaction: yes
-- reversible: yes, where nothing was ever sealed
-- seeds: audit.tree, audit.unlogged_rows, ops.approval_rules

-- What outlives the events: the tree over their leaves. Its format is documented in sql/docs/audit-seal.md.

create table audit.tree (
  only_one boolean primary key default true,
  log_id uuid not null default gen_random_uuid(),
  size bigint not null default 0,
  first_epoch integer not null,
  watermark xid8 not null default '0',
  moved_at timestamptz not null default clock_timestamp(),
  constraint tree_only_one check (only_one),
  constraint tree_size check (size >= 0)
);
comment on table audit.tree is 'How far the audit log is sealed. One row.';
comment on column audit.tree.log_id is 'Names the log in its checkpoints, for good.';
comment on column audit.tree.first_epoch is 'The epoch since which transaction ids have run on without a break: a dump into a new cluster begins them anew.';
comment on column audit.tree.watermark is 'Every event since first_epoch of a transaction below this has a leaf.';
comment on column audit.tree.moved_at is 'When the watermark came to where it is.';

create table audit.tiles (
  level integer not null,
  number bigint not null,
  hashes bytea not null,
  entries bytea,
  families bytea,
  primary key (level, number),
  constraint tiles_place check (level between 0 and 7 and number >= 0),
  constraint tiles_hashes check (octet_length(hashes) % 32 = 0 and octet_length(hashes) between 32 and 8192),
  constraint tiles_entries check ((entries is null) = (level > 0) and octet_length(entries) = octet_length(hashes) / 32 * 30),
  constraint tiles_families check ((families is null) = (level > 0) and octet_length(families) = octet_length(hashes) / 32 * 4)
);
-- Hashes do not get smaller, and entries are read as often as they are.
alter table audit.tiles alter column hashes set storage external;
comment on table audit.tiles is
  'The RFC 6962 tree of the audit log in tiles of 256 hashes: level 0 the leaves, each hash of a level above the root of a whole tile below.';
comment on column audit.tiles.entries is
  'Of each leaf, in 30 bytes: epoch (4), xid (8), id (8), microseconds since 2000-01-01 (8), the first two letters of its category.';
comment on column audit.tiles.families is 'Of each leaf, in 4 bytes: the number in audit.family_chains of the family that its event is of, 0 for none.';

create table audit.family_chains (
  key bytea primary key,
  number integer generated always as identity,
  count bigint not null default 0,
  head bytea not null default '\x0000000000000000000000000000000000000000000000000000000000000000',
  constraint family_chains_number unique (number),
  constraint family_chains_key check (octet_length(key) = 32),
  constraint family_chains_head check (octet_length(head) = 32),
  constraint family_chains_count check (count >= 0)
) with (fillfactor = 80);
comment on table audit.family_chains is
  'For each family a hash chain over the leaves that are of it, so that a history can be proven complete. Its format is documented in sql/docs/audit-bundle.md.';
comment on column audit.family_chains.key is 'SHA-256 of the 16 bytes of the family''s id: it outlives the family, and tells nobody who does not know the id whose it is.';

create table audit.seal_marks (
  first_epoch integer not null,
  next_xid xid8 not null,
  last_id bigint not null,
  primary key (first_epoch, next_xid)
);
comment on table audit.seal_marks is
  'At some moment no transaction from next_xid on had begun, and no event above last_id had been written: the events of such transactions are above it.';

create table audit.catalogues (
  fingerprint text primary key,
  content jsonb not null,
  seen_at timestamptz not null default clock_timestamp(),
  constraint catalogues_fingerprint check (fingerprint ~ '^[0-9a-f]{64}$'),
  constraint catalogues_content check (jsonb_typeof(content) = 'object')
);
comment on table audit.catalogues is 'What stood behind each fingerprint of a checkpoint: triggers, functions and grants of the audit log.';

create table audit.checkpoints (
  id bigint generated always as identity primary key,
  origin text not null,
  size bigint not null,
  root bytea not null,
  note text not null,
  catalogue text not null references audit.catalogues (fingerprint),
  made_at timestamptz not null default clock_timestamp(),
  made_by text not null default session_user,
  constraint checkpoints_size check (size >= 0),
  constraint checkpoints_root check (octet_length(root) = 32),
  constraint checkpoints_note check (starts_with(note, origin || E'\n' || size || E'\n' || encode(root, 'base64') || E'\n'))
);
create index checkpoints_size_idx on audit.checkpoints (size);
create index checkpoints_catalogue_idx on audit.checkpoints (catalogue);
comment on table audit.checkpoints is 'Signed heads of the tree, as C2SP notes. The keys that sign are never in the database.';

alter table audit.epochs
  add column tree_size bigint,
  add column seen_size bigint,
  add column seen_root text,
  add column adopted bigint,
  add column evidence text,
  -- squawk-ignore adding-foreign-key-constraint
  add column approval_id uuid references ops.approvals (id),
  add column recorded_by text,
  add column record text;
-- squawk-ignore require-concurrent-index-creation
create index epochs_approval_idx on audit.epochs (approval_id) where approval_id is not null;
comment on column audit.epochs.tree_size is 'How far the log was sealed when the epoch began: what the recovery brought back.';
comment on column audit.epochs.seen_size is 'How far it had been sealed before, as the console that recorded the recovery has seen it; what lies beyond tree_size was given up.';
comment on column audit.epochs.adopted is 'Events written between a move to another cluster and its record, which were sealed as found.';
comment on column audit.epochs.evidence is 'What shows the recovery: a drill, a restore, a ticket.';
comment on column audit.epochs.record is 'The signed record of evidence, a DSSE envelope.';

insert into audit.tree (first_epoch) values (audit.current_epoch());

-- Only forward ----------------------------------------------------------------------------------------------

create function audit.only_grow() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  grows boolean := false;
begin
  if tg_op = 'UPDATE' and tg_table_name = 'tree' then
    grows := new.log_id = old.log_id and new.size >= old.size and (new.first_epoch, new.watermark) >= (old.first_epoch, old.watermark);
  elsif tg_op = 'UPDATE' and tg_table_name = 'family_chains' then
    grows := new.key = old.key and new.number = old.number and new.count > old.count;
  elsif tg_op = 'UPDATE' then
    grows := new.level = old.level and new.number = old.number and substr(new.hashes, 1, octet_length(old.hashes)) = old.hashes
      and substr(new.entries, 1, octet_length(old.entries)) is not distinct from old.entries
      and substr(new.families, 1, octet_length(old.families)) is not distinct from old.families;
  end if;
  if not grows then
    perform private.fail('NS004', 'the seal of the audit log only grows');
  end if;
  return new;
end $$;
comment on function audit.only_grow() is 'Lets pass what goes on from where it was: more leaves in a tile, a greater tree. Nothing else.';
create trigger tree_only_grow before update or delete on audit.tree for each row execute function audit.only_grow();
create trigger tree_no_truncate before truncate on audit.tree execute function private.refuse_truncate();
create trigger tiles_only_grow before update or delete on audit.tiles for each row execute function audit.only_grow();
create trigger tiles_no_truncate before truncate on audit.tiles execute function private.refuse_truncate();
create trigger family_chains_only_grow before update or delete on audit.family_chains for each row execute function audit.only_grow();
create trigger family_chains_no_truncate before truncate on audit.family_chains execute function private.refuse_truncate();
create trigger checkpoints_append_only before update or delete on audit.checkpoints for each row execute function private.refuse_delete();
create trigger checkpoints_no_truncate before truncate on audit.checkpoints execute function private.refuse_truncate();
create trigger catalogues_append_only before update or delete on audit.catalogues for each row execute function private.refuse_delete();
create trigger catalogues_no_truncate before truncate on audit.catalogues execute function private.refuse_truncate();

-- Where we are ----------------------------------------------------------------------------------------------

-- The control file names a new timeline only after the first checkpoint that follows a promotion.
create function audit.cluster(out system_identifier text, out timeline integer)
  language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
  select (select c.system_identifier::text from pg_control_system() c),
    case when pg_is_in_recovery() then (select c.timeline_id from pg_control_checkpoint() c)
      else ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::integer end;
end;
comment on function audit.cluster() is 'Which life of which cluster this is.';

create function audit.require_epoch() returns audit.epochs
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  now_in record;
  e audit.epochs;
begin
  select * into now_in from audit.cluster();
  select p.* into e from audit.epochs p order by p.epoch desc limit 1;
  if (e.system_identifier, e.timeline) is distinct from (now_in.system_identifier, now_in.timeline) then
    perform private.fail('NS005', format('this is timeline %s of cluster %s, and the audit log knows timeline %s of cluster %s',
      now_in.timeline, now_in.system_identifier, e.timeline, e.system_identifier), 'nestctl audit epoch begin');
  end if;
  return e;
end $$;
comment on function audit.require_epoch() is 'The newest epoch; refuses where the cluster is not the one that it names, until a recovery is recorded.';

-- Sealing ---------------------------------------------------------------------------------------------------

create function audit.tile_root(hashes bytea) returns bytea
  language plpgsql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
declare
  nodes bytea := hashes || ''::bytea;
begin
  while octet_length(nodes) > 32 loop
    nodes := (
      select string_agg(sha256('\x01'::bytea || substr(nodes, n * 64 + 1, 64)), ''::bytea order by n)
      from generate_series(0, octet_length(nodes) / 64 - 1) n);
  end loop;
  return nodes;
end $$;
comment on function audit.tile_root(bytea) is 'The RFC 6962 root of a whole tile.';

create function audit.raise_tiles(old_size bigint, new_size bigint) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  old_count bigint := old_size / 256;
  new_count bigint := new_size / 256;
begin
  for above in 1 .. 7 loop
    exit when new_count = old_count;
    insert into audit.tiles as t (level, number, hashes)
    select above, p.number / 256, string_agg(audit.tile_root(p.hashes), ''::bytea order by p.number)
    from audit.tiles p where p.level = above - 1 and p.number >= old_count and p.number < new_count
    group by 2
    on conflict (level, number) do update set hashes = t.hashes || excluded.hashes;
    old_count := old_count / 256;
    new_count := new_count / 256;
  end loop;
end $$;
comment on function audit.raise_tiles(bigint, bigint) is 'Puts the roots of tiles that became whole into the levels above.';

create function audit.link(head bytea, item bytea) returns bytea
  language plpgsql immutable strict parallel safe as $$
begin
  return sha256('\x02'::bytea || head || item);
end $$;
comment on function audit.link(bytea, bytea) is 'SHA-256(02 || head || item): one step of a hash chain.';
create aggregate audit.linked(bytea) (sfunc = audit.link, stype = bytea);
comment on aggregate audit.linked(bytea) is 'The head of a hash chain; what comes first is the head that it goes on from.';

create function audit.extend_chains(old_size bigint, new_size bigint) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  -- Fenced off, so that each tile is fetched once rather than once for each of its leaves.
  with added as materialized (
    select t.number * 256 + g as place, int8send(t.number * 256 + g) || substr(t.hashes, g * 32 + 1, 32) as item, substr(t.families, g * 4 + 1, 4) as family
    from (
      select p.number, p.hashes || ''::bytea as hashes, p.families || ''::bytea as families
      from audit.tiles p where p.level = 0 and p.number >= old_size / 256 and p.number * 256 < new_size offset 0) t
      cross join lateral generate_series(0, octet_length(t.families) / 4 - 1) g
    where t.number * 256 + g >= old_size and t.number * 256 + g < new_size and substr(t.families, g * 4 + 1, 4) <> '\x00000000'
  ), touched as (
    select c.number, c.head, f.family
    from (select distinct a.family from added a) f join audit.family_chains c on c.number = ('x' || encode(f.family, 'hex'))::bit(32)::integer
  ), longer as (
    select x.family, count(*) - 1 as more, audit.linked(x.item order by x.place) as head
    from (select a.family, a.place, a.item from added a union all select d.family, -1, d.head from touched d) x
    group by x.family
  )
  update audit.family_chains c set count = c.count + l.more, head = l.head
  from longer l where c.number = ('x' || encode(l.family, 'hex'))::bit(32)::integer;
end $$;
comment on function audit.extend_chains(bigint, bigint) is 'Puts leaves that were appended to the tree into the chains of their families.';

create function audit.append_leaves(old_size bigint, which text, low_id bigint, first_epoch integer, low xid8, high xid8) returns bigint
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  appended bigint;
begin
  execute format($q$
    with leaves as materialized (
      select $1 - 1 + row_number() over (order by e.epoch, e.xid, e.id) as place, e.family_id,
        case when octet_length(e.leaf) = 32 then e.leaf else sha256(e.leaf) end as leaf,
        int4send(e.epoch) || xid8send(e.xid) || int8send(e.id) || timestamptz_send(e.occurred_at) || convert_to(left(e.category::text, 2), 'UTF8') as entry
      from audit.events e
      where %s
    ), named as materialized (
      select f.family_id, sha256(uuid_send(f.family_id)) as key from (select distinct l.family_id from leaves l where l.family_id is not null) f
    ), born as (
      insert into audit.family_chains as c (key)
      select n.key from named n where not exists (select from audit.family_chains k where k.key = n.key)
      returning c.key, c.number
    ), numbered as materialized (
      select n.family_id, coalesce(c.number, b.number) as number
      from named n left join audit.family_chains c on c.key = n.key left join born b on b.key = n.key
    ), grown as (
      insert into audit.tiles as g (level, number, hashes, entries, families)
      select 0, l.place / 256, string_agg(l.leaf, ''::bytea order by l.place), string_agg(l.entry, ''::bytea order by l.place),
        string_agg(int4send(coalesce(n.number, 0)), ''::bytea order by l.place)
      from leaves l left join numbered n on n.family_id = l.family_id group by 2
      on conflict (level, number) do update
        set hashes = g.hashes || excluded.hashes, entries = g.entries || excluded.entries, families = g.families || excluded.families
    )
    select count(*) from leaves$q$, which)
  into appended using old_size, low_id, first_epoch, low, high;
  if appended > 0 then
    perform audit.raise_tiles(old_size, old_size + appended);
    perform audit.extend_chains(old_size, old_size + appended);
  end if;
  return appended;
end $$;
comment on function audit.append_leaves(bigint, text, bigint, integer, xid8, xid8) is
  'Gives the events that a condition on audit.events e names a leaf each, in order; returns how many. $2 to $5 of it: low_id, first_epoch, low, high.';

create function audit.summarize_ids() returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '50ms' as $$
declare
  name regclass;
begin
  for name in
    select p.relid from pg_partition_tree('audit.events_id_idx') p
      join pg_catalog.pg_index i on i.indexrelid = p.relid join pg_catalog.pg_class c on c.oid = i.indrelid
    where p.isleaf and c.relname ~ ('(_default|' || to_char(now() at time zone 'UTC', '_YYYY_MM') || ')$')
  loop
    perform brin_summarize_new_values(name);
  end loop;
exception
  -- A vacuum is at work there, which does the same.
  when lock_not_available then null;
end $$;
comment on function audit.summarize_ids() is 'Lets the index on ids of events know the newest pages, which it otherwise learns of only from vacuum.';

create function audit.seal_events(at_most bigint default 1000000, out sealed bigint, out size bigint, out watermark text, out more boolean)
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  t audit.tree;
  known_id bigint;
  low_id bigint;
  low xid8;
  high xid8;
  next xid8;
  cut xid8;
begin
  perform private.maintenance_duty();
  perform audit.require_epoch();
  if current_setting('transaction_isolation') <> 'read committed' then
    perform private.fail('NS005', 'the audit log is sealed in a transaction of isolation level read committed');
  end if;
  -- A checkpoint must never be ahead of what the database still has after a crash.
  perform set_config('synchronous_commit', 'on', true);
  if pg_current_xact_id_if_assigned() is null then
    -- In this order: whatever gets a transaction id after this one writes above the number read before.
    select s.last_value into known_id from audit.events_id_seq s;
    next := pg_current_xact_id();
  end if;
  select p.* into t from audit.tree p for update;
  high := pg_snapshot_xmin(pg_current_snapshot());
  low := t.watermark;
  select coalesce(max(m.last_id), 0) into low_id from audit.seal_marks m where m.first_epoch = t.first_epoch and m.next_xid <= low;
  more := false;
  -- Whole transactions: the watermark stands between two of them. Where there are not that many numbers, nobody counts.
  if known_id is null or known_id - low_id > at_most then
    select e.xid into cut from audit.events e
    where e.id > low_id and e.epoch >= t.first_epoch and e.xid >= low and e.xid < high
    order by e.xid offset at_most limit 1;
  end if;
  if cut is not null then
    select greatest(cut, (min(e.xid)::text::bigint + 1)::text::xid8) into cut from audit.events e
    where e.id > low_id and e.epoch >= t.first_epoch and e.xid >= low and e.xid < high;
    high := cut;
    more := true;
  end if;
  sealed := audit.append_leaves(t.size, 'e.id > $2 and e.epoch >= $3 and e.xid >= $4 and e.xid < $5', low_id, t.first_epoch, low, high);
  size := t.size + sealed;
  if high > low or sealed > 0 then
    update audit.tree p set size = seal_events.size, watermark = high, moved_at = clock_timestamp();
  end if;
  -- One for some ten thousand events is enough, and of those that a later one replaces none.
  insert into audit.seal_marks (first_epoch, next_xid, last_id)
  select t.first_epoch, next, known_id
  where next is not null and not exists (select from audit.seal_marks m where m.first_epoch = t.first_epoch and m.last_id > known_id - 10000)
  on conflict do nothing;
  if found then
    perform audit.summarize_ids();
  end if;
  delete from audit.seal_marks m
  where exists (select from audit.seal_marks n where n.first_epoch = t.first_epoch and n.next_xid <= high and (m.first_epoch < n.first_epoch or m.last_id < n.last_id));
  watermark := high::text;
end $$;
comment on function audit.seal_events(bigint) is
  'Gives every event of the transactions that have ended, up to the oldest that has not, a leaf in the tree; about at_most of them. Returns how many, how large the tree is now, and whether more wait.';

create function audit.add_checkpoint(origin text, size bigint, root bytea, note text, catalogue text, content jsonb) returns bigint
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  made bigint;
begin
  perform private.maintenance_duty();
  if add_checkpoint.size > (select t.size from audit.tree t) then
    perform private.fail('NS005', 'a checkpoint is not ahead of the tree');
  end if;
  perform set_config('synchronous_commit', 'on', true);
  insert into audit.catalogues as c (fingerprint, content) values (catalogue, content) on conflict on constraint catalogues_pkey do nothing;
  insert into audit.checkpoints as c (origin, size, root, note, catalogue)
  values (add_checkpoint.origin, add_checkpoint.size, add_checkpoint.root, add_checkpoint.note, add_checkpoint.catalogue)
  returning c.id into made;
  return made;
end $$;
comment on function audit.add_checkpoint(text, bigint, bytea, text, text, jsonb) is 'Keeps a signed head of the tree, and what stands behind its fingerprint of the catalogue.';

create function audit.seal_status() returns table (
  size bigint, watermark text, moved_at timestamptz, unsealed bigint, oldest timestamptz, ready bigint,
  held_by text, held_pid integer, held_login text, held_application text, held_state text, held_since timestamptz, held_gid text
)
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
  t audit.tree;
  low_id bigint;
  v_oldest xid8 := pg_snapshot_xmin(pg_current_snapshot());
begin
  select p.* into t from audit.tree p;
  select coalesce(max(m.last_id), 0) into low_id from audit.seal_marks m where m.first_epoch = t.first_epoch and m.next_xid <= t.watermark;
  size := t.size; watermark := t.watermark::text; moved_at := t.moved_at;
  select count(*), min(e.occurred_at), count(*) filter (where e.xid < v_oldest) into unsealed, oldest, ready from audit.events e
  where e.id > low_id and e.epoch >= t.first_epoch and e.xid >= t.watermark;
  select 'prepared transaction', x.owner, x.prepared, x.gid into held_by, held_login, held_since, held_gid
  from pg_catalog.pg_prepared_xacts x where x.transaction = v_oldest::xid;
  if not found then
    select 'session', a.pid, a.usename, a.application_name, a.state, a.xact_start
    into held_by, held_pid, held_login, held_application, held_state, held_since
    from pg_catalog.pg_stat_activity a where a.backend_xid = v_oldest::xid;
  end if;
  return next;
end $$;
comment on function audit.seal_status() is
  'How far the log is sealed, what waits, how much of it could be sealed now, and the oldest transaction still open, which holds the rest back: a session or a prepared transaction, never a replication slot. When a session''s began is seen by members of pg_read_all_stats.';

-- Another life of the cluster -------------------------------------------------------------------------------

insert into ops.approval_rules (action, requester_duty, approver_duty, lasts, about) values
  ('audit_epoch', 'sre', 'sre', '1 day', 'a recovery is recorded in the audit log, which then goes on from there');

create function audit.sealed_ids() returns table (epoch integer, xid xid8, id bigint)
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select ('x' || encode(substr(e.entry, 1, 4), 'hex'))::bit(32)::integer,
    ('x' || encode(substr(e.entry, 5, 8), 'hex'))::bit(64)::bigint::text::xid8,
    ('x' || encode(substr(e.entry, 13, 8), 'hex'))::bit(64)::bigint
  from audit.tiles t cross join lateral (
    select substr(t.entries, n * 30 + 1, 30) as entry from generate_series(0, octet_length(t.entries) / 30 - 1) n) e
  where t.level = 0;
end;
comment on function audit.sealed_ids() is 'Which events have a leaf.';

create function audit.plan_epoch(seen_size bigint, seen_root text, evidence text) returns jsonb
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  now_in record;
  last audit.epochs;
  t audit.tree;
begin
  if private.session_duty() is distinct from 'sre' then
    perform private.fail('NS004', 'a recovery is recorded under the duty sre', 'Take it with --duty sre.');
  end if;
  if btrim(coalesce(evidence, '')) = '' or evidence ~ '[[:cntrl:]]' or char_length(evidence) > 500 then
    perform private.fail('NS001', 'what shows the recovery is needed', 'Name the restore, the drill or the incident: --evidence "…"');
  end if;
  select * into now_in from audit.cluster();
  select p.* into last from audit.epochs p order by p.epoch desc limit 1;
  select p.* into t from audit.tree p;
  if (last.system_identifier, last.timeline) is not distinct from (now_in.system_identifier, now_in.timeline) and coalesce(seen_size, 0) <= t.size then
    perform private.fail('NS005', 'nothing has happened that an epoch would record: the cluster is the one that the log knows, and nothing sealed is gone');
  end if;
  return jsonb_build_object('do', 'begin epoch', 'epoch', last.epoch + 1, 'log', t.log_id,
    'system_identifier', now_in.system_identifier, 'timeline', now_in.timeline,
    'was', jsonb_build_object('system_identifier', last.system_identifier, 'timeline', last.timeline),
    'tree_size', t.size, 'seen_size', greatest(coalesce(seen_size, 0), t.size), 'seen_root', case when seen_size > t.size then seen_root end,
    'evidence', btrim(evidence));
end $$;
comment on function audit.plan_epoch(bigint, text, text) is
  'What audit.begin_epoch would record of a recovery. seen_size and seen_root: the furthest head of the tree that was ever seen.';

create function audit.approve_epoch(seen_size bigint, seen_root text, evidence text) returns uuid
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  approval uuid := ops.use_approval('audit_epoch', audit.plan_epoch(seen_size, seen_root, evidence));
begin
  return approval;
end $$;
comment on function audit.approve_epoch(bigint, text, text) is
  'Uses up the approval of audit.plan_epoch; audit.begin_epoch follows in the same transaction.';

create function audit.begin_epoch(seen_size bigint, seen_root text, evidence text, record text) returns audit.epochs
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_plan jsonb := audit.plan_epoch(seen_size, seen_root, evidence);
  approval uuid := (
    select a.id from ops.approvals a
    where a.plan_hash = private.plan_hash('audit_epoch', v_plan) and a.requested_by = session_user and a.used_xid = pg_current_xact_id());
  same_cluster boolean := v_plan -> 'was' ->> 'system_identifier' = v_plan ->> 'system_identifier';
  t audit.tree;
  found_events bigint := 0;
  begun audit.epochs;
begin
  if approval is null then
    perform private.fail('NS008', 'this needs a second operator''s approval, used up in this transaction', 'Call audit.approve_epoch before it.');
  end if;
  select p.* into t from audit.tree p for update;
  if not same_cluster then
    -- Whatever was written before this record has an old epoch and new transaction ids. Nobody writes meanwhile.
    lock table audit.events in share row exclusive mode;
    found_events := audit.append_leaves(t.size,
      'not exists (select from audit.sealed_ids() s where s.epoch = e.epoch and s.xid = e.xid and s.id = e.id)', null, null, null, null);
    update audit.tree p set size = t.size + found_events, first_epoch = (v_plan ->> 'epoch')::integer, watermark = '0', moved_at = clock_timestamp();
  end if;
  insert into audit.epochs as e (epoch, system_identifier, timeline, tree_size, seen_size, seen_root, adopted, evidence, approval_id, recorded_by, record)
  values ((v_plan ->> 'epoch')::integer, v_plan ->> 'system_identifier', (v_plan ->> 'timeline')::integer, t.size, (v_plan ->> 'seen_size')::bigint,
    v_plan ->> 'seen_root', found_events, v_plan ->> 'evidence', approval, session_user, begin_epoch.record)
  returning e.* into begun;
  return begun;
end $$;
comment on function audit.begin_epoch(bigint, text, text, text) is
  'Records a recovery that audit.approve_epoch was called for in this transaction: from here on events belong to another epoch, and sealing goes on. record: the signed record of evidence.';

-- Coverage --------------------------------------------------------------------------------------------------

create table audit.unlogged_rows (
  table_name text not null,
  family_id uuid,
  record text not null,
  salt bytea not null default uuid_send(gen_random_uuid()),
  digest bytea not null,
  constraint unlogged_rows_digest check (octet_length(digest) = 32)
);
create unique index unlogged_rows_record_idx on audit.unlogged_rows (table_name, record, (coalesce(family_id, '00000000-0000-0000-0000-000000000000')));
comment on table audit.unlogged_rows is
  'Rows that were there before the log knew of them, as a salted hash of what they held: audit.coverage takes any other row without an event for one that was never logged (lint no_primary_key: a row of no family is told by its unique index).';

-- The log can begin later for a row whose first events are kept elsewhere.
create view audit.baselines as select b.table_name, b.family_id, b.record, b.salt, b.digest from audit.unlogged_rows b;
comment on view audit.baselines is 'What rows held where the log begins, as salted hashes: what audit.coverage starts from.';

create aggregate audit.folded(jsonb) (sfunc = jsonb_concat, stype = jsonb, initcond = '{}');
comment on aggregate audit.folded(jsonb) is 'Objects laid over one another in their order.';

create function audit.live_rows(target regclass) returns text
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  c audit.captured_tables;
  source text;
  family text;
  record text;
begin
  select t.* into c from audit.captured_tables t where t.table_name = target;
  select p.prosrc into source
  from pg_catalog.pg_proc p join pg_catalog.pg_class k on k.oid = target join pg_catalog.pg_namespace n on n.oid = k.relnamespace
  where p.pronamespace = 'audit'::regnamespace and p.proname = 'capture_' || n.nspname || '_' || k.relname;
  family := substring(source from '(r\.[^ ]+) as family_id');
  record := coalesce(substring(source from '(r\.[^ ]+) as record_id') || '::text', (
    select 'concat_ws(''/'', ' || string_agg('r.' || quote_ident(a.attname), ', ' order by array_position(i.indkey::smallint[], a.attnum)) || ')'
    from pg_catalog.pg_index i join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
    where i.indrelid = target and i.indisprimary));
  return format('select %s as family_id, %s as record, to_jsonb(r) - %L::text[] || %s as image from %s r', coalesce(family, 'null::uuid'), record,
    c.named_columns || c.redacted_columns,
    coalesce((select 'jsonb_build_object(' || string_agg(format('%L, r.%I::text', n, n), ', ') || ')' from unnest(c.named_columns) n), '''{}''::jsonb'), target);
end $$;
comment on function audit.live_rows(regclass) is 'The query that gives a captured table''s rows as events would give them.';

create function audit.coverage(target regclass, out live bigint, out logged bigint, out before_log bigint, out faults bigint, out named jsonb)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' set intervalstyle = 'iso_8601' as $$
declare
  label text := (select n.nspname || '.' || c.relname from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.oid = target);
begin
  if coalesce(private.session_duty(), '') not in ('auditor', 'compliance', 'admin') then
    perform private.fail('NS004', 'rows are compared with the log under the duty auditor, compliance or admin');
  end if;
  if not exists (select from audit.captured_tables t where t.table_name = target) then
    perform private.fail('NS006', format('%s is not captured', label));
  end if;
  execute format($q$
    with live as materialized (%1$s),
    events as (
      select e.id, e.operation, e.family_id, coalesce(e.record_id::text, e.record_key) as record,
        audit.image(e.old_row, e.named_columns, e.named_old) as before, audit.image(e.new_row, e.named_columns, e.named_new) as after,
        coalesce(array_remove(e.erased_requests, null), '{}') <> '{}' as erased,
        max(e.id) filter (where e.operation = 'INSERT') over (partition by e.family_id, coalesce(e.record_id::text, e.record_key)) as born
      from audit.events e where e.table_name = %2$L and coalesce(e.record_id::text, e.record_key) is not null
    ),
    lives as (
      select e.family_id, e.record, (array_agg(e.operation order by e.id desc))[1] as last, bool_or(e.born is not null) as born, bool_or(e.erased) as erased,
        audit.folded(e.after order by e.id) filter (where e.after is not null and e.id >= e.born) as after,
        audit.folded(e.before order by e.id desc) filter (where e.before is not null and e.operation = 'UPDATE') as before
      from events e group by e.family_id, e.record
    ),
    compared as (
      select coalesce(r.family_id, v.family_id) as family_id, coalesce(r.record, v.record) as record, r.image, v.after, b.digest is not null as old, coalesce(v.erased, false) as erased,
        case
          when r.record is null and v.last <> 'DELETE' then 'vanished'
          when r.record is null then null
          when v.last = 'DELETE' then 'reappeared'
          when v.born then case when r.image <> coalesce(v.after, '{}') then 'differs' end
          when b.digest is null then 'never_logged'
          when b.digest <> sha256(b.salt || convert_to((r.image || coalesce(v.before, '{}'))::text, 'UTF8')) then 'differs'
        end as kind
      from live r
        full join lives v on v.record = r.record and v.family_id is not distinct from r.family_id
        left join audit.baselines b on b.table_name = %2$L and b.record = r.record and b.family_id is not distinct from r.family_id
    ),
    wrong as (
      select c.kind, c.family_id, c.record,
        case when c.kind = 'differs' and c.after is not null then array(
          select k from jsonb_object_keys(c.image || c.after) k where c.image -> k is distinct from c.after -> k order by k) end as columns
      from compared c where c.kind is not null and not (c.erased and c.kind in ('differs', 'vanished'))
    )
    select (select count(*) from live), (select count(*) from lives), (select count(*) from compared c where c.old), (select count(*) from wrong),
      coalesce((select jsonb_agg(w) from (select * from wrong order by kind, record limit 100) w), '[]')$q$,
    audit.live_rows(target), label)
  into live, logged, before_log, faults, named;
end $$;
comment on function audit.coverage(regclass) is
  'Holds each row of a captured table against the last image that the log has of it. faults: never_logged, vanished (no event tells that it was deleted), reappeared (after its deletion), differs; the first hundred are named.';

do $$
declare
  target regclass;
  zone text := current_setting('timezone');
  style text := current_setting('intervalstyle');
begin
  perform set_config('timezone', 'UTC', true), set_config('intervalstyle', 'iso_8601', true);
  for target in select t.table_name from audit.captured_tables t loop
    execute format($q$
      insert into audit.unlogged_rows (table_name, family_id, record, salt, digest)
      select %1$L, r.family_id, r.record, s.salt, sha256(s.salt || convert_to(r.image::text, 'UTF8'))
      from (%2$s) r cross join lateral (select uuid_send(gen_random_uuid()) as salt where r.record is not null) s
      where not exists (select from audit.events e where e.table_name = %1$L and coalesce(e.record_id::text, e.record_key) = r.record and e.operation = 'INSERT')$q$,
      (select n.nspname || '.' || c.relname from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.oid = target),
      audit.live_rows(target));
  end loop;
  perform set_config('timezone', zone, true), set_config('intervalstyle', style, true);
end $$;
create trigger unlogged_rows_append_only before update or delete on audit.unlogged_rows for each row execute function private.refuse_delete();
create trigger unlogged_rows_no_truncate before truncate on audit.unlogged_rows execute function private.refuse_truncate();

-- Readers ---------------------------------------------------------------------------------------------------

create function audit.leaf_within(place bytea, first_tile bigint, last_tile bigint) returns bigint
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select t.number * 256 + g
  from audit.tiles t, generate_series(0, octet_length(t.entries) / 30 - 1) g
  where t.level = 0 and t.number between first_tile and coalesce(last_tile, t.number)
    and position(place in t.entries) > 0 and substr(t.entries, 30 * g + 1, 30) = place
  order by 1 limit 1;
end;

create function audit.first_leaf(key bytea) returns bigint
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  low bigint := 0;
  middle bigint;
  high bigint := (select max(t.number) from audit.tiles t where t.level = 0);
begin
  while low < high loop
    middle := (low + high + 1) / 2;
    if (select substr(t.entries, 1, octet_length(key)) from audit.tiles t where t.level = 0 and t.number = middle) < key then
      low := middle;
    else
      high := middle - 1;
    end if;
  end loop;
  return (
    select low * 256 + count(*) from audit.tiles t, generate_series(0, octet_length(t.entries) / 30 - 1) g
    where t.level = 0 and t.number = low and substr(t.entries, 30 * g + 1, octet_length(key)) < key);
end $$;
comment on function audit.first_leaf(bytea) is 'The first leaf of the tree, from 0, whose entry does not stand before a key; the size of the tree where all do.';

create function audit.leaf_at(place bytea) returns bigint
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  -- What was sealed after a move to another cluster stands out of order.
  select coalesce(audit.leaf_within(place, f.tile, f.tile), audit.leaf_within(place, 0, null))
  from (select audit.first_leaf(substr(place, 1, 20)) / 256 as tile offset 0) f;
end;
comment on function audit.leaf_at(bytea) is 'Which leaf of the tree has this entry, from 0; null where none has.';

create function audit.sealed_family(place bytea) returns bytea
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select c.key
  from (select audit.leaf_at(place) as leaf offset 0) l
    join audit.tiles t on t.level = 0 and t.number = l.leaf / 256
    join audit.family_chains c on c.number = ('x' || encode(substr(t.families, (l.leaf % 256)::integer * 4 + 1, 4), 'hex'))::bit(32)::integer
  where private.session_duty() in ('compliance', 'sre', 'auditor', 'admin');
end;
comment on function audit.sealed_family(bytea) is
  'The key of the family in whose chain the event with this entry was sealed: what is left to tell once the event does not say it any more.';

-- Written out in one expression, since each call of a function of ours for each of millions of events would cost a
-- hundred times what the hashing costs; a test holds it against audit.leaf_of. None where a part has content and no
-- salt, a salt and no content, or both and an erased hash: what stands there then is not what was hashed.
create view audit.event_hashes with (security_barrier) as
  select e.id, e.xid, e.occurred_at, e.epoch, e.category, e.leaf, e.erased_requests,
    int4send(e.epoch) || xid8send(e.xid) || int8send(e.id) || timestamptz_send(e.occurred_at) || convert_to(left(e.category::text, 2), 'UTF8') as entry,
    case when e.family_id is not null then sha256(uuid_send(e.family_id)) when e.erased_hashes[2] is not null then audit.sealed_family(
      int4send(e.epoch) || xid8send(e.xid) || int8send(e.id) || timestamptz_send(e.occurred_at) || convert_to(left(e.category::text, 2), 'UTF8')) end as family_key,
    case when octet_length(e.salts[1]) is not distinct from case when e.app_user is not null then 16 end
      and octet_length(e.salts[2]) is not distinct from
        case when num_nonnulls(e.family_id, e.subject_user, e.record_id, e.record_key, e.changed_columns, e.old_row, e.new_row) > 0 then 16 end
      and octet_length(e.salts[3]) is not distinct from case when num_nonnulls(e.reason, e.ticket) > 0 then 16 end
      and (e.erased_hashes is null or (e.salts[1] is null or e.erased_hashes[1] is null) and (e.salts[2] is null or e.erased_hashes[2] is null)
        and (e.salts[3] is null or e.erased_hashes[3] is null))
      and array_lower(e.salts, 1) = 1 and cardinality(e.salts) = 3 + coalesce(cardinality(e.named_columns), 0)
      and coalesce(array_lower(e.named_columns, 1), 1) = 1
      and (e.named_old is null or array_lower(e.named_old, 1) = 1 and cardinality(e.named_old) = cardinality(e.named_columns))
      and (e.named_new is null or array_lower(e.named_new, 1) = 1 and cardinality(e.named_new) = cardinality(e.named_columns))
      and (e.named_columns is null or not exists (
        select from unnest(e.named_columns) with ordinality u (c, at)
        where case when e.erased_hashes[3 + at] is null then octet_length(e.salts[3 + at]) is distinct from 16
          else num_nonnulls(e.salts[3 + at], e.named_old[at], e.named_new[at]) > 0 end))
    then sha256('\x00'::bytea || convert_to('nestsync-audit-1', 'UTF8')
      || coalesce(e.erased_hashes[1], case when e.app_user is not null then sha256(e.salts[1] || convert_to(format('36:%s,', e.app_user), 'UTF8')) end, '\x0000000000000000000000000000000000000000000000000000000000000000'::bytea)
      || coalesce(e.erased_hashes[3], case when num_nonnulls(e.reason, e.ticket) > 0 then
          sha256(e.salts[3] || convert_to(format('%s:%s,%s:%s,', octet_length(e.reason), e.reason, octet_length(e.ticket), e.ticket), 'UTF8')) end, '\x0000000000000000000000000000000000000000000000000000000000000000'::bytea)
      || int4send(e.epoch) || xid8send(e.xid) || timestamptz_send(e.occurred_at)
      || convert_to(format('%s:%s,%s:%s,%s:%s,%s:%s,%s:%s,%s:%s,', octet_length(e.operation::text), e.operation, octet_length(e.table_name), e.table_name,
          octet_length(e.category::text), e.category, octet_length(e.session_login), e.session_login, octet_length(e.duty), e.duty,
          octet_length(e.request_id), e.request_id), 'UTF8')
      || int8send(e.id)
      || coalesce(e.erased_hashes[2], case when num_nonnulls(e.family_id, e.subject_user, e.record_id, e.record_key, e.changed_columns, e.old_row, e.new_row) > 0 then
          sha256(e.salts[2] || convert_to(format('%s:%s,%s:%s,%s:%s,%s:%s,%s:%s,%s:%s,%s:%s,', octet_length(e.family_id::text), e.family_id,
            octet_length(e.subject_user::text), e.subject_user, octet_length(e.record_id::text), e.record_id, octet_length(e.record_key), e.record_key,
            case when e.changed_columns is not null then (
              select octet_length(string_agg(octet_length(c) || ':' || c || ',', '' order by at)) from unnest(e.changed_columns) with ordinality u (c, at)) end,
            case when e.changed_columns is not null then (
              select string_agg(octet_length(c) || ':' || c || ',', '' order by at) from unnest(e.changed_columns) with ordinality u (c, at)) end,
            octet_length(e.old_row::text), e.old_row, octet_length(e.new_row::text), e.new_row), 'UTF8')) end, '\x0000000000000000000000000000000000000000000000000000000000000000'::bytea)
      || case when e.named_columns is null then ''::bytea else coalesce((
          select string_agg(coalesce(e.erased_hashes[3 + at], sha256(e.salts[3 + at] || convert_to(format('%s:%s,%s:%s,%s:%s,', octet_length(c), c,
            octet_length(e.named_old[at]), e.named_old[at], octet_length(e.named_new[at]), e.named_new[at]), 'UTF8')), '\x0000000000000000000000000000000000000000000000000000000000000000'::bytea), ''::bytea order by at)
          from unnest(e.named_columns) with ordinality u (c, at)), ''::bytea) end) end as leaf_now
  from audit.events e
  where (select private.session_duty()) in ('compliance', 'sre', 'auditor', 'admin');
comment on view audit.event_hashes is
  'Each event with the leaf that was computed when it was written and the one computed from it now, without its contents.';

create function audit.leaf_facts(event_id bigint) returns jsonb
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select jsonb_build_object('epoch', e.epoch, 'xid', e.xid::text,
    'occurred_at', ((extract(epoch from e.occurred_at) - 946684800) * 1000000)::bigint::text, 'operation', e.operation, 'table_name', e.table_name,
    'category', e.category, 'session_login', e.session_login, 'duty', e.duty, 'request_id', e.request_id, 'id', e.id::text,
    'parts', (select jsonb_agg(encode(audit.part_hash(e, part), 'base64') order by part) from generate_series(1, cardinality(e.salts)) part))
  from audit.events e
  where e.id = event_id and (private.session_duty() in ('compliance', 'sre', 'auditor', 'admin') or e.session_login = session_user and private.session_duty() is not null);
end;
comment on function audit.leaf_facts(bigint) is
  'What stands in clear under an event''s leaf and the hashes of its parts, without their contents; for support of its own events.';

create function audit.leaf_index(event_id bigint) returns bigint
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select audit.leaf_at(int4send(e.epoch) || xid8send(e.xid) || int8send(e.id) || timestamptz_send(e.occurred_at) || convert_to(left(e.category::text, 2), 'UTF8'))
  from audit.events e where e.id = event_id and audit.leaf_facts(event_id) is not null;
end;
comment on function audit.leaf_index(bigint) is
  'Which leaf of the tree is an event''s, from 0; null where it has none, and for whoever sees nothing of it (audit.leaf_facts).';

do $$
declare
  name text;
  readers constant text := 'nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin';
begin
  foreach name in array '{tree,tiles,family_chains,seal_marks,catalogues,checkpoints,unlogged_rows}'::text[] loop
    execute format('alter table audit.%I enable row level security', name);
    execute format('alter table audit.%I force row level security', name);
    execute format('create policy %I on audit.%I to current_user using (true) with check (true)', name || '_owner_all', name);
    if name <> 'seal_marks' then
      execute format('create policy %I on audit.%I for select to %s using ((select private.session_duty()) is not null)',
        name || '_staff_select', name, case when name in ('tree', 'tiles', 'checkpoints') then 'nestsync_support, ' else '' end || readers);
      execute format('grant select on audit.%I to %s', name, readers);
    end if;
  end loop;
end $$;
-- Support proves its own events. The entries beside the hashes would tell it when something happened in any family.
grant select on audit.tree, audit.checkpoints to nestsync_support;
grant select (level, number, hashes) on audit.tiles to nestsync_support;
grant select on audit.event_hashes to nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin;

revoke execute on all functions in schema audit from public;
grant execute on function audit.seal_events(bigint), audit.add_checkpoint(text, bigint, bytea, text, text, jsonb) to nestsync_sre, nestsync_admin;
grant execute on function audit.sealed_family(bytea) to nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin;
grant execute on function audit.leaf_facts(bigint), audit.leaf_index(bigint) to nestsync_support, nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin;
grant execute on function audit.coverage(regclass) to nestsync_compliance, nestsync_auditor, nestsync_admin;
grant execute on function audit.seal_status(), audit.cluster() to nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin;
grant execute on function audit.plan_epoch(bigint, text, text), audit.approve_epoch(bigint, text, text), audit.begin_epoch(bigint, text, text, text) to nestsync_sre;
