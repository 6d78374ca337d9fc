-- A condition holds whatever the row: "or true", or a column compared with itself.
select 'error' as level, 'pg_policy' as catalog, p.oid, p.label as object,
  'a part of its condition is always true, so the rest decides nothing: ' || found.part as detail,
  format('alter policy %s using (…)', p.reference) as remedy
from policy p
  cross join lateral (
    select m[1] as part from regexp_matches(coalesce(p.condition, '') || ' ; ' || coalesce(p.check_condition, ''), '(\mOR \(*true\M|\(*\mtrue\)* OR\M|\(\m(?:[a-z_][a-z0-9_]*\.)?([a-z_][a-z0-9_]*) = (?:[a-z_][a-z0-9_]*\.)?\2\))') m
    limit 1) found
