-- The identity is asked for at each row; wrapped in a subselect it is asked once a statement.
select 'warning' as level, 'pg_policy' as catalog, p.oid, p.label as object,
  format('%s is evaluated at every row: write (select %s)', found.call, found.call) as detail,
  format('alter policy %s using (…)', p.reference) as remedy
from policy p
  cross join lateral (
    select m[1] as call
    from regexp_matches(
      regexp_replace(coalesce(p.condition, '') || ' ; ' || coalesce(p.check_condition, ''),
        '\( SELECT \(*(auth\.(uid|jwt|role|email)\(\)|current_setting\([^()]*(\([^()]*\)[^()]*)*\)|[a-z_]+\.current_user_id\(\))[^()]* AS [a-z_]+\)', '', 'g'),
      '((?:auth\.(?:uid|jwt|role|email)|current_setting|[a-z_]+\.current_user_id)\([^()]*\))') m
    limit 1) found
