-- A condition holds where nobody is signed in: the identity is null, and "is null or …" lets everybody through.
select 'error' as level, 'pg_policy' as catalog, p.oid, p.label as object,
  'it lets through whoever is not signed in: an identity that is null makes it true' as detail,
  format('alter policy %s using (…)', p.reference) as remedy
from policy p
where p.for_api
  and coalesce(p.condition, '') || ' ; ' || coalesce(p.check_condition, '')
    ~ '(auth\.(uid|jwt|role)\(\)|current_setting\([^()]*(\([^()]*\)[^()]*)*\)|current_user_id\(\))( AS [a-z_]+)?\)*(::[a-z ]+)?\)* IS NULL\)* OR|OR \(*(\( ?SELECT )?(auth\.(uid|jwt|role)\(\)|current_setting\([^()]*\)|[a-z_]+\.current_user_id\(\))( AS [a-z_]+)?\)*(::[a-z ]+)?\)* IS NULL'
