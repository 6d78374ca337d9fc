-- A purpose, retention, obligation, category or subject that no column names: either it is needless, or a column names another by mistake.
select 'warning' as level, 'pg_class' as catalog, w.relation::oid as oid, format('%s %s', w.kind, w.word) as object, 'no column names it' as detail,
  format('in a migration: delete from %s where %s = %L', w.relation, w.kind, w.word) as remedy
from (
  select 'purpose' as kind, 'privacy.purposes'::regclass as relation, p.purpose as word, exists (select from answer a where a.purpose = p.purpose) as used from privacy.purposes p
  union all
  select 'retention', 'privacy.retentions', r.retention, exists (select from answer a where a.retention = r.retention) from privacy.retentions r
  union all
  select 'obligation', 'privacy.obligations', o.obligation, exists (select from answer a where a.obligation = o.obligation) from privacy.obligations o
  union all
  select 'category', 'privacy.categories', g.category, exists (select from answer a where a.category = g.category) from privacy.categories g
  union all
  select 'subject', 'privacy.subjects', s.subject, exists (select from answer a where a.subject = s.subject) from privacy.subjects s) w
where not w.used
