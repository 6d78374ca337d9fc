-- A condition names one person: a back door that outlives its reason.
select 'warning' as level, 'pg_policy' as catalog, p.oid, p.label as object,
  'it names one person or tenant in its text' as detail, format('alter policy %s using (…)', p.reference) as remedy
from policy p
where coalesce(p.condition, '') || ' ; ' || coalesce(p.check_condition, '')
  ~* '''[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}''|''[^'' ]+@[^'' ]+\.[a-z]{2,}'''
