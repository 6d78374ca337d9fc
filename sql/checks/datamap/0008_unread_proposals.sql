-- A retention or an obligation of our own proposal: somebody who knows the law is to read it.
select 'info' as level, 'pg_class' as catalog, p.relation::oid as oid, format('%s %s', p.kind, p.word) as object,
  format('a proposal that nobody who knows the law has read: %s', p.about) as detail, null as remedy
from (
  select 'retention' as kind, 'privacy.retentions'::regclass as relation, r.retention as word, concat_ws(' ', r.keeps::text, 'from', r.begins) as about
  from privacy.retentions r where r.proposed
  union all
  select 'obligation', 'privacy.obligations', o.obligation, o.about from privacy.obligations o where o.proposed) p
