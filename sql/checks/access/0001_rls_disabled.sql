-- A table that API roles reach has no row security, so each of them sees and changes all of it.
select 'error' as level, 'pg_class' as catalog, r.oid, r.name as object,
  format('row security is off, and %s may %s', e.roles, e.privileges)
    || coalesce('; it holds ' || (
      select string_agg(a.attname, ', ' order by a.attnum) from pg_catalog.pg_attribute a
      where a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
        and a.attname ~* '(^|_)(email|phone|sin|ssn|password|passwd|secret|token|api_key|birth|dob|address|postal|card|health|diagnosis|salary|iban)(_|$|[a-z]*$)'), '') as detail,
  format('alter table %s enable row level security, force row level security', r.name) as remedy
from relation r
  join exposed e on e.relation = r.oid
where r.kind in ('r', 'p') and not r.secured and not r.is_partition
