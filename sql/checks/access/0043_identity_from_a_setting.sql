-- Who somebody is comes from a setting that any session may set: whoever can send SQL can be anybody.
select 'info' as level, 'pg_policy' as catalog, p.oid, p.label as object,
  format('it takes %s for granted, which any session can set', found.setting) as detail,
  format('alter policy %s using (… a function that binds the identity to session_user …)', p.reference) as remedy
from policy p
  cross join lateral (
    select m[1] as setting from regexp_matches(coalesce(p.condition, '') || ' ; ' || coalesce(p.check_condition, ''), 'current_setting\(''([a-z_]+\.[a-z_.]+)''') m limit 1) found
