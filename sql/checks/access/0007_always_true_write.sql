-- A policy lets an API role write any row.
select 'error' as level, 'pg_policy' as catalog, p.oid, p.label as object,
  case when p.command in ('d', '*', 'w') and p.condition ~ '^\(*true\)*$' then 'every row may be changed: USING is always true'
    else 'any row may be written: WITH CHECK is always true' end as detail,
  format('alter policy %s %s (…)', p.reference, case when p.command in ('d', '*', 'w') and p.condition ~ '^\(*true\)*$' then 'using' else 'with check' end) as remedy
from policy p
where p.for_api and p.permissive and p.command in ('a', 'w', 'd', '*')
  and (p.condition ~ '^\(*true\)*$' or p.check_condition ~ '^\(*true\)*$')
