-- A rewrite rule on a secured table runs its statements with the rights of the table's owner.
select 'warning' as level, 'pg_rewrite' as catalog, w.oid, format('%s on %s', w.rulename, r.name) as object,
  'its statements run with the rights of the table''s owner, past the row security of others' as detail,
  format('drop rule %I on %s', w.rulename, r.name) as remedy
from pg_catalog.pg_rewrite w
  join relation r on r.oid = w.ev_class
where r.kind in ('r', 'p') and r.secured
