-- No index begins with any column that the policy asks about: every statement reads the whole table.
select 'warning' as level, 'pg_policy' as catalog, p.oid, p.label as object,
  format('no index begins with any column it asks about (%s): the whole table is read', asked.columns) as detail,
  format('create index concurrently on %s (%s)', p.relation_name, asked.first) as remedy
from policy p
  cross join lateral (
    select string_agg(quote_ident(a.attname), ', ' order by a.attnum) as columns, array_agg(a.attnum) as numbers,
      (array_agg(quote_ident(a.attname) order by a.attnum))[1] as first
    from pg_catalog.pg_depend d
      join pg_catalog.pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
    where d.classid = 'pg_catalog.pg_policy'::regclass and d.objid = p.oid and d.refclassid = 'pg_catalog.pg_class'::regclass
      and d.refobjid = p.relation and d.refobjsubid > 0) asked
where p.condition is not null and asked.columns is not null
  and not exists (
    select from pg_catalog.pg_index i where i.indrelid = p.relation and i.indisvalid and i.indkey[0] = any (asked.numbers))
