-- The condition trusts a part of the token that its holder can edit.
select 'error' as level, 'pg_policy' as catalog, p.oid, p.label as object,
  'it trusts user_metadata, which every user can edit' as detail,
  format('alter policy %s using (… app_metadata …)', p.reference) as remedy
from policy p
where coalesce(p.condition, '') || ' ; ' || coalesce(p.check_condition, '') ~* '(raw_)?user_meta_?data'
