import { hash } from 'node:crypto';
import type { Connection } from '../../platform/database/connection.js';

/** How something that the audit log rests on is set up. */
export interface Guarded {
  readonly kind:
    | 'trigger'
    | 'function'
    | 'grants'
    | 'policies'
    | 'rule'
    | 'setting'
    | 'partitions'
    | 'baseline'
    | 'schema'
    | 'members'
    | 'view'
    | 'captured'
    | 'epoch'
    | 'migrations';
  /** What it is, in one line and for good: `public.families audit_insert`. */
  readonly object: string;
  readonly state: string;
  /**
   * What a move to another cluster changes by itself: the transaction that touched it last (switched off and on again,
   * it is another), or who owns it.
   */
  readonly touched: string | null;
}

export interface GuardedCatalogue {
  /** SHA-256 of the lines of `content`, hex. */
  readonly fingerprint: string;
  /** State and `touched` by `kind object`. */
  readonly content: Readonly<Record<string, readonly [state: string, touched: string | null]>>;
}

/**
 * Triggers, functions, grants, policies and rules that the audit log rests on. Read with PostgreSQL's own functions
 * alone: ours may be what was changed. Names of monthly partitions are left out, so that a new month changes nothing.
 * Migrations stand in it, since only they may change the rest: their own clock need not agree with anybody's.
 */
const GUARDED = `
  with tables as (
    select c.oid, n.nspname, c.relname, c.relkind, c.relowner, c.relrowsecurity, c.relforcerowsecurity,
      c.relispartition and n.nspname = 'audit' as part,
      concat_ws(',',
        (select string_agg(g.one, ',' order by g.one collate "C") from (
          select case a.grantee when 0 then 'public' else pg_get_userbyid(a.grantee) end || ':' || a.privilege_type as one
          from aclexplode(c.relacl) a where a.grantee <> c.relowner) g),
        (select string_agg(g.one, ',' order by g.one collate "C") from (
          select case x.grantee when 0 then 'public' else pg_get_userbyid(x.grantee) end || ':' || x.privilege_type || '(' || a.attname || ')' as one
          from pg_catalog.pg_attribute a, aclexplode(a.attacl) x where a.attrelid = c.oid and x.grantee <> c.relowner) g)) as acl
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('public', 'private', 'audit', 'ops', 'privacy') and c.relkind in ('r', 'p', 'v', 'S')
  ), functions as (
    select p.oid, n.nspname, p.proname, p.proowner, p.proacl, p.xmin::text as touched, p.prosqlbody is not null as parsed
    from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
    where n.nspname in ('audit', 'private') and p.prokind <> 'a'
  )
  select 'trigger' as kind, format('%I.%I %I', t.nspname, t.relname, g.tgname) as object,
    g.tgenabled::text || ' ' || encode(sha256(convert_to(pg_get_triggerdef(g.oid), 'UTF8')), 'hex') as state, g.xmin::text as touched
  from pg_catalog.pg_trigger g join tables t on t.oid = g.tgrelid
  where not g.tgisinternal and not t.part
  union all
  select 'function', format('%s(%s)', f.oid::regproc, pg_get_function_identity_arguments(f.oid)),
    case when f.oid = to_regprocedure('audit.current_epoch()') and pg_get_function_sqlbody(f.oid) = 'RETURN ' || (select max(e.epoch) from audit.epochs e)
      then 'the newest epoch' else
      case when f.parsed then 'parsed ' else '' end || encode(sha256(convert_to(pg_get_functiondef(f.oid), 'UTF8')), 'hex') end
      || ' ' || coalesce((select string_agg(g.one, ',' order by g.one collate "C") from (
        select case a.grantee when 0 then 'public' else pg_get_userbyid(a.grantee) end as one
        from aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) a where a.grantee <> f.proowner) g), ''),
    case when f.oid = to_regprocedure('audit.current_epoch()') then null else f.touched end
  from functions f
  union all
  select 'grants', format('%I.%I', t.nspname, t.relname),
    concat_ws(' ', t.relrowsecurity::text, t.relforcerowsecurity::text, t.acl), pg_get_userbyid(t.relowner)
  from tables t where not t.part
  union all
  select 'view', format('%I.%I', t.nspname, t.relname), 'parsed ' || encode(sha256(convert_to(pg_get_viewdef(t.oid), 'UTF8')), 'hex'), r.xmin::text
  from tables t join pg_catalog.pg_rewrite r on r.ev_class = t.oid and r.rulename = '_RETURN' where t.relkind = 'v'
  union all
  select 'policies', format('%I.%I', p.schemaname, p.tablename),
    encode(sha256(convert_to(string_agg(concat_ws('|', p.policyname, p.permissive, p.roles::text, p.cmd, p.qual, p.with_check), E'\\n' order by p.policyname), 'UTF8')), 'hex'), null
  from pg_catalog.pg_policies p join tables t on t.nspname = p.schemaname and t.relname = p.tablename
  where t.nspname = 'audit' and not t.part
  group by p.schemaname, p.tablename
  union all
  select 'rule', format('%I.%I %I', t.nspname, t.relname, r.rulename), encode(sha256(convert_to(pg_get_ruledef(r.oid), 'UTF8')), 'hex'), r.xmin::text
  from pg_catalog.pg_rewrite r join tables t on t.oid = r.ev_class where r.rulename <> '_RETURN'
  union all
  select 'setting', concat_ws(' ', coalesce(d.datname, 'every database'), coalesce(r.rolname, 'every login')), s.setting, null
  from pg_catalog.pg_db_role_setting x cross join lateral unnest(x.setconfig) s (setting)
    left join pg_catalog.pg_database d on d.oid = x.setdatabase left join pg_catalog.pg_roles r on r.oid = x.setrole
  where s.setting ~ '^session_replication_role=' and (x.setdatabase = 0 or d.datname = current_database())
  union all
  select 'setting', 'every session', x.name || '=' || x.reset_val, null
  from pg_catalog.pg_settings x where x.name = 'session_replication_role' and x.reset_val <> 'origin'
  union all
  select 'schema', n.nspname, coalesce((select string_agg(g.one, ',' order by g.one collate "C") from (
      select case a.grantee when 0 then 'public' else pg_get_userbyid(a.grantee) end || ':' || a.privilege_type as one
      from aclexplode(n.nspacl) a where a.grantee <> n.nspowner) g), ''), pg_get_userbyid(n.nspowner)
  from pg_catalog.pg_namespace n where n.nspname in ('audit', 'private', 'ops')
  union all
  select 'members', 'owner of audit.events', '',
    coalesce((select string_agg(distinct pg_get_userbyid(m.member)::text collate "C", ',') from pg_catalog.pg_auth_members m where m.roleid = c.relowner), '')
  from pg_catalog.pg_class c where c.oid = to_regclass('audit.events')
  union all
  select 'captured', c.table_name::text, concat_ws(' ', c.category::text, c.named_columns::text, c.redacted_columns::text, c.columns::text), null
  from audit.captured_tables c
  union all
  select 'epoch', e.epoch::text, encode(sha256(convert_to(concat_ws(' ', extract(epoch from e.began_at)::text, to_jsonb(e) - 'began_at'), 'UTF8')), 'hex'), null
  from audit.epochs e
  union all
  select 'migrations', 'ops.migration_runs', count(*) || ' ' || encode(sha256(convert_to(
    coalesce(string_agg(concat_ws(' ', r.id, r.migration, r.direction, r.up_sha256, r.down_sha256, r.ran_by), E'\n' order by r.id), ''), 'UTF8')), 'hex'), null
  from ops.migration_runs r
  union all
  select 'baseline', 'audit.unlogged_rows', count(*) || ' ' || encode(sha256(convert_to(coalesce(string_agg(
    concat_ws(' ', b.table_name, b.family_id::text, b.record, encode(b.salt, 'hex'), encode(b.digest, 'hex')), E'\n' order by b.table_name collate "C", b.record collate "C", b.family_id), ''), 'UTF8')), 'hex'), null
  from audit.unlogged_rows b
  union all
  select distinct 'partitions', 'audit.events',
    concat_ws(' ', t.relrowsecurity::text, t.relforcerowsecurity::text, (t.relowner = (select p.relowner from tables p where p.oid = to_regclass('audit.events')))::text, t.acl,
      (select string_agg(g.tgname || ':' || g.tgenabled::text, ',' order by g.tgname) from pg_catalog.pg_trigger g where g.tgrelid = t.oid and not g.tgisinternal),
      (select string_agg(concat_ws('|', p.polpermissive::text, p.polcmd::text, (p.polroles = array[t.relowner])::text), ',' order by p.polname) from pg_catalog.pg_policy p where p.polrelid = t.oid)), null
  from tables t where t.part
  order by 1, 2, 3`;

/** Reads it now. */
export async function readGuarded(connection: Connection): Promise<GuardedCatalogue> {
  // PostgreSQL leaves out schemas that the search path finds: one spelling needs one path.
  const [{ path } = { path: '' }] = await connection.query<{ path: string }>(
    `select current_setting('search_path') as path`,
  );
  await connection.query(`select set_config('search_path', '', false)`);
  try {
    return catalogueOf(await connection.query<Guarded>(GUARDED));
  } finally {
    await connection.query(`select set_config('search_path', $1, false)`, [path]).catch(() => undefined);
  }
}

function catalogueOf(rows: readonly Guarded[]): GuardedCatalogue {
  const content: Record<string, [string, string | null]> = {};
  for (const { kind, object, state, touched } of rows) {
    const name = `${kind} ${object}`;
    // Partitions can have several forms.
    const before = content[name];
    content[name] = [before === undefined ? state : `${before[0]}; ${state}`, touched];
  }
  return { content, fingerprint: fingerprintOf(content) };
}

export function fingerprintOf(content: GuardedCatalogue['content']): string {
  const lines = Object.keys(content)
    .sort()
    .map((name) => `${name}\t${content[name]?.[0]}\t${content[name]?.[1] ?? ''}\n`);
  return hash('sha256', lines.join(''), 'hex');
}
