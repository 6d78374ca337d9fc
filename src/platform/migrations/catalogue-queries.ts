/** One query a section of the catalogue; $1 is the schemas to look at, null for all but the system's. */

const inScope = (namespace: string) =>
  `${namespace}.nspname !~ '^pg_' and ${namespace}.nspname <> 'information_schema'
   and ($1::text[] is null or ${namespace}.nspname = any ($1))`;

const notOfExtension = (catalogue: string, oid: string) =>
  `not exists (select from pg_depend e where e.classid = '${catalogue}'::regclass and e.objid = ${oid} and e.deptype = 'e')`;

/** An access control list as data: an absent one means the built-in default, so both look the same. */
const grants = (acl: string, owner: string, type?: string) => `
  (select coalesce(jsonb_agg(jsonb_build_object('grantee', g.grantee, 'privileges', g.privileges)
                             order by g.grantee collate "C"), '[]')
   from (select case when x.grantee = ${owner} then 'owner' when x.grantee = 0 then 'public'
                     else pg_get_userbyid(x.grantee) end as grantee,
                jsonb_agg(x.privilege_type || case when x.is_grantable then ' WITH GRANT OPTION' else '' end
                          order by x.privilege_type collate "C") as privileges
         from aclexplode(${type === undefined ? acl : `coalesce(${acl}, acldefault('${type}', ${owner}))`}) x
         group by 1) g)`;

const SCHEMAS = `
  select n.nspname as name, pg_get_userbyid(n.nspowner) as owner,
         obj_description(n.oid, 'pg_namespace') as comment,
         ${grants('n.nspacl', 'n.nspowner', 'n')} as grants
  from pg_namespace n
  where ${inScope('n')} and ${notOfExtension('pg_namespace', 'n.oid')}
  order by n.nspname collate "C"`;

const COLUMNS = `
  (select coalesce(jsonb_agg(jsonb_build_object(
     'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod), 'notNull', a.attnotnull,
     'default', pg_get_expr(d.adbin, d.adrelid),
     'identity', case a.attidentity when 'a' then 'always' when 'd' then 'by default' end,
     'generated', case a.attgenerated when 's' then 'stored' when 'v' then 'virtual' end,
     'collation', case when a.attcollation <> t.typcollation then a.attcollation::regcollation::text end,
     'comment', col_description(c.oid, a.attnum),
     'grants', ${grants('a.attacl', 'c.relowner')}
   ) order by a.attnum), '[]')
   from pg_attribute a
   join pg_type t on t.oid = a.atttypid
   left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
   where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped)`;

const RELATIONS = `
  select n.nspname as schema, c.relname as name,
         case c.relkind when 'r' then 'table' when 'p' then 'partitioned table' when 'v' then 'view'
                        when 'm' then 'materialized view' else 'foreign table' end as kind,
         pg_get_userbyid(c.relowner) as owner, obj_description(c.oid, 'pg_class') as comment,
         c.relrowsecurity as rls, c.relforcerowsecurity as "forcedRls",
         c.relpersistence = 'u' as unlogged,
         array(select unnest(c.reloptions) collate "C" order by 1) as options,
         case when c.relkind = 'p' then pg_get_partkeydef(c.oid) end as "partitionKey",
         (select string_agg(i.inhparent::regclass::text, ', ' order by i.inhseqno)
          from pg_inherits i where i.inhrelid = c.oid) as parent,
         pg_get_expr(c.relpartbound, c.oid) as "partitionBound",
         c.relreplident::text as "replicaIdentity",
         case when c.relkind in ('v', 'm') then pg_get_viewdef(c.oid) end as definition,
         ${COLUMNS} as columns,
         ${grants('c.relacl', 'c.relowner', 'r')} as grants
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'v', 'm', 'f') and ${inScope('n')} and ${notOfExtension('pg_class', 'c.oid')}
  order by n.nspname collate "C", c.relname collate "C"`;

// PostgreSQL 18 also keeps NOT NULL as constraints; columns say it already, and in every version.
const CONSTRAINTS = `
  select n.nspname as schema, c.relname as "table", k.conname as name,
         case k.contype when 'c' then 'check' when 'f' then 'foreign key' when 'p' then 'primary key'
                        when 'u' then 'unique' else 'exclusion' end as kind,
         pg_get_constraintdef(k.oid) as definition, k.convalidated as validated,
         obj_description(k.oid, 'pg_constraint') as comment
  from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
  where k.contype in ('c', 'f', 'p', 'u', 'x') and ${inScope('n')} and ${notOfExtension('pg_class', 'c.oid')}
  order by n.nspname collate "C", c.relname collate "C", k.conname collate "C"`;

const INDEXES = `
  select n.nspname as schema, c.relname as "table", i.relname as name, pg_get_indexdef(i.oid) as definition,
         x.indisunique as unique, x.indisvalid as valid,
         (select k.conname from pg_constraint k
          where k.conindid = i.oid and k.conrelid = c.oid and k.contype in ('p', 'u', 'x')) as constraint,
         obj_description(i.oid, 'pg_class') as comment
  from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class c on c.oid = x.indrelid
  join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'm') and ${inScope('n')} and ${notOfExtension('pg_class', 'c.oid')}
  order by n.nspname collate "C", c.relname collate "C", i.relname collate "C"`;

const POLICIES = `
  select n.nspname as schema, c.relname as "table", p.polname as name,
         case p.polcmd when '*' then 'all' when 'r' then 'select' when 'a' then 'insert'
                       when 'w' then 'update' else 'delete' end as command,
         p.polpermissive as permissive,
         array(select (case when r = c.relowner then 'owner' when r = 0 then 'public'
                            else pg_get_userbyid(r)::text end) collate "C"
               from unnest(p.polroles) r order by 1) as roles,
         pg_get_expr(p.polqual, p.polrelid) as using, pg_get_expr(p.polwithcheck, p.polrelid) as check,
         obj_description(p.oid, 'pg_policy') as comment
  from pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace
  where ${inScope('n')} and ${notOfExtension('pg_class', 'c.oid')}
  order by n.nspname collate "C", c.relname collate "C", p.polname collate "C"`;

const ROUTINES = `
  select n.nspname as schema, f.proname as name, pg_get_function_arguments(f.oid) as arguments,
         pg_get_function_result(f.oid) as result,
         case f.prokind when 'f' then 'function' when 'p' then 'procedure' when 'a' then 'aggregate'
                        else 'window' end as kind,
         l.lanname as language,
         case f.provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end as volatility,
         case f.proparallel when 's' then 'safe' when 'r' then 'restricted' else 'unsafe' end as parallel,
         f.prosecdef as "securityDefiner", f.proleakproof as leakproof, f.proisstrict as strict,
         f.procost::float8 as cost, f.prorows::float8 as rows,
         array(select unnest(f.proconfig) collate "C" order by 1) as settings,
         coalesce(pg_get_function_sqlbody(f.oid), f.prosrc) as source,
         pg_get_userbyid(f.proowner) as owner, obj_description(f.oid, 'pg_proc') as comment,
         ${grants('f.proacl', 'f.proowner', 'f')} as grants
  from pg_proc f join pg_namespace n on n.oid = f.pronamespace join pg_language l on l.oid = f.prolang
  where ${inScope('n')} and ${notOfExtension('pg_proc', 'f.oid')}
  order by n.nspname collate "C", f.proname collate "C", pg_get_function_identity_arguments(f.oid) collate "C"`;

const TRIGGERS = `
  select n.nspname as schema, c.relname as "table", t.tgname as name, pg_get_triggerdef(t.oid) as definition,
         case t.tgenabled when 'O' then 'origin' when 'D' then 'disabled' when 'R' then 'replica'
                          else 'always' end as enabled,
         obj_description(t.oid, 'pg_trigger') as comment
  from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
  where not t.tgisinternal and ${inScope('n')} and ${notOfExtension('pg_class', 'c.oid')}
  order by n.nspname collate "C", c.relname collate "C", t.tgname collate "C"`;

const DEFAULT_PRIVILEGES = `
  select pg_get_userbyid(d.defaclrole) as role, n.nspname as schema,
         case d.defaclobjtype when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions'
                              when 'T' then 'types' when 'n' then 'schemas' else d.defaclobjtype::text end as objects,
         ${grants('d.defaclacl', 'd.defaclrole')} as grants
  from pg_default_acl d left join pg_namespace n on n.oid = d.defaclnamespace
  where n.oid is null or (${inScope('n')})
  order by 1, n.nspname collate "C" nulls first, 3`;

const OTHERS = `
  select * from (
    select 'enum' as kind, t.oid::regtype::text as identity,
           (select string_agg(quote_literal(e.enumlabel), ', ' order by e.enumsortorder)
            from pg_enum e where e.enumtypid = t.oid) as definition,
           obj_description(t.oid, 'pg_type') as comment
    from pg_type t join pg_namespace n on n.oid = t.typnamespace
    where t.typtype = 'e' and ${inScope('n')} and ${notOfExtension('pg_type', 't.oid')}
    union all
    select 'domain', t.oid::regtype::text,
           concat_ws(' ', format_type(t.typbasetype, t.typtypmod), 'default ' || t.typdefault,
             case when t.typnotnull then 'not null' end,
             (select string_agg(k.conname || ' ' || pg_get_constraintdef(k.oid), ' ' order by k.conname)
              from pg_constraint k where k.contypid = t.oid and k.contype = 'c')),
           obj_description(t.oid, 'pg_type')
    from pg_type t join pg_namespace n on n.oid = t.typnamespace
    where t.typtype = 'd' and ${inScope('n')} and ${notOfExtension('pg_type', 't.oid')}
    union all
    select 'composite type', t.oid::regtype::text,
           (select string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', ' order by a.attnum)
            from pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped),
           obj_description(t.oid, 'pg_type')
    from pg_type t join pg_namespace n on n.oid = t.typnamespace join pg_class c on c.oid = t.typrelid
    where c.relkind = 'c' and ${inScope('n')} and ${notOfExtension('pg_type', 't.oid')}
    union all
    select 'sequence', c.oid::regclass::text,
           format('%s from %s by %s between %s and %s cache %s%s owned by %s, grants %s',
             format_type(s.seqtypid, null), s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache,
             case when s.seqcycle then ' cycle' else '' end,
             coalesce((select d.refobjid::regclass::text from pg_depend d
                       where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype in ('a', 'i')
                         and d.refclassid = 'pg_class'::regclass), 'none'),
             ${grants('c.relacl', 'c.relowner', 's')}),
           obj_description(c.oid, 'pg_class')
    from pg_sequence s join pg_class c on c.oid = s.seqrelid join pg_namespace n on n.oid = c.relnamespace
    where ${inScope('n')} and ${notOfExtension('pg_class', 'c.oid')}
    union all
    select 'rule', r.rulename || ' on ' || c.oid::regclass::text, pg_get_ruledef(r.oid), obj_description(r.oid, 'pg_rewrite')
    from pg_rewrite r join pg_class c on c.oid = r.ev_class join pg_namespace n on n.oid = c.relnamespace
    where r.rulename <> '_RETURN' and ${inScope('n')}
    union all
    select 'statistics', s.stxnamespace::regnamespace || '.' || s.stxname, pg_get_statisticsobjdef(s.oid),
           obj_description(s.oid, 'pg_statistic_ext')
    from pg_statistic_ext s join pg_namespace n on n.oid = s.stxnamespace where ${inScope('n')}
    union all
    select 'extension', x.extname, x.extnamespace::regnamespace::text, null
    from pg_extension x
    union all
    select 'event trigger', v.evtname, v.evtevent || ' ' || v.evtfoid::regprocedure || ' ' || v.evtenabled::text, null
    from pg_event_trigger v
  ) o
  order by kind collate "C", identity collate "C"`;

export const CATALOGUE_QUERIES = {
  schemas: SCHEMAS,
  relations: RELATIONS,
  constraints: CONSTRAINTS,
  indexes: INDEXES,
  policies: POLICIES,
  routines: ROUTINES,
  triggers: TRIGGERS,
  defaultPrivileges: DEFAULT_PRIVILEGES,
  others: OTHERS,
} as const;
