-- Row security is enabled and forced on every table of public and ops and on every partition of the audit log.
select 'row_security' as name, 'error' as level, c.oid::regclass::text as object,
  case when c.relrowsecurity then 'row security does not bind its owner' else 'row security is off' end as detail,
  format('alter table %s enable row level security, force row level security', c.oid::regclass) as remedy
from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p')
  and (n.nspname = 'public'
    or n.nspname = 'audit' and (c.relname = 'epochs' or c.relname ~ '^events($|_)')
    -- What the migrator keeps holds no personal data.
    or n.nspname in ('ops', 'privacy') and c.relname not in ('migrations', 'migration_lock', 'migration_runs', 'catalogue_snapshots'))
  and not (c.relrowsecurity and c.relforcerowsecurity)
order by 3
