-- What every check of this folder looks at: put before each of them. Schemas and API roles are those named in
-- nestctl.lint_schemas and nestctl.lint_roles; without names, every schema but the system's, the platform's and
-- extensions', and anon and authenticated, or where there are none, every role that neither owns nor bypasses.
with scope_schema as (
  select n.oid, n.nspname::text as name, n.nspowner as owner
  from pg_catalog.pg_namespace n
  where case
    when current_setting('nestctl.lint_schemas', true) <> '' then n.nspname = any (string_to_array(current_setting('nestctl.lint_schemas'), ','))
    else n.nspname !~ '^pg_'
      and n.nspname <> all ('{information_schema,auth,storage,realtime,_realtime,vault,extensions,graphql,graphql_public,pgbouncer,pgsodium,pgsodium_masks,cron,net,supabase_functions,supabase_migrations,pgmq,tiger,topology}')
      and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_namespace'::regclass and d.objid = n.oid and d.deptype = 'e')
  end
),
named_role as (
  select r.oid, r.rolname::text as name, r.rolsuper or r.rolbypassrls as unbound, r.rolcanlogin as logs_in
  from pg_catalog.pg_roles r
  where case
    when current_setting('nestctl.lint_roles', true) <> '' then r.rolname = any (string_to_array(current_setting('nestctl.lint_roles'), ','))
    else r.rolname in ('anon', 'authenticated')
  end
),
api_role as (
  select oid, name, unbound, logs_in from named_role
  union all
  select r.oid, r.rolname::text, false, r.rolcanlogin
  from pg_catalog.pg_roles r
  where not exists (select from named_role) and not r.rolsuper and not r.rolbypassrls and r.rolname !~ '^pg_'
    and not exists (select from pg_catalog.pg_class c where c.relowner = r.oid)
    and not exists (select from scope_schema s where s.owner = r.oid)
  union all
  select 0, 'public', false, false
),
relation as (
  select c.oid, c.oid::regclass::text as name, c.relname::text as bare_name, c.relkind as kind, c.relrowsecurity as secured,
    c.relforcerowsecurity as forced, c.relowner as owner, c.relispartition as is_partition, c.relacl as acl, c.reloptions as options,
    s.oid as schema_oid, s.name as schema
  from pg_catalog.pg_class c
    join scope_schema s on s.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'v', 'm', 'f')
    and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
),
-- One row a relation, API role and privilege, inherited ones and those on single columns included.
exposure as (
  select r.oid as relation, a.oid as role, a.name as role_name, p.privilege
  from relation r
    cross join api_role a
    cross join (values ('SELECT', true), ('INSERT', true), ('UPDATE', true), ('DELETE', false), ('TRUNCATE', false), ('REFERENCES', true), ('TRIGGER', false)) p (privilege, by_column)
  where pg_catalog.has_schema_privilege(a.oid, r.schema_oid, 'USAGE')
    and case when p.by_column then pg_catalog.has_any_column_privilege(a.oid, r.oid, p.privilege)
      else pg_catalog.has_table_privilege(a.oid, r.oid, p.privilege) end
),
exposed as (
  select relation, string_agg(distinct role_name, ', ' order by role_name) as roles, string_agg(distinct privilege, ', ' order by privilege) as privileges
  from exposure group by relation
),
policy as (
  select p.oid, p.polname::text as name, p.polrelid as relation, r.name as relation_name, p.polcmd as command, p.polpermissive as permissive,
    p.polroles as roles, pg_catalog.pg_get_expr(p.polqual, p.polrelid) as condition, pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) as check_condition,
    exists (select from api_role a where a.oid = any (p.polroles)) as for_api,
    format('policy %s on %s', quote_ident(p.polname), r.name) as label,
    format('%I on %s', p.polname, r.name) as reference
  from pg_catalog.pg_policy p
    join relation r on r.oid = p.polrelid
),
routine as (
  select p.oid, p.oid::regprocedure::text as name, p.proname::text as bare_name, p.prosecdef as definer, p.provolatile as volatility,
    p.proleakproof as leakproof, p.proconfig as settings, p.prosqlbody is not null as parsed, p.prorettype as returns, p.proowner as owner,
    s.oid as schema_oid, s.name as schema
  from pg_catalog.pg_proc p
    join scope_schema s on s.oid = p.pronamespace
  where not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
)
