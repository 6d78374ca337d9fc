-- A row that may be changed may be changed into anything: it can be given away, or moved into another family.
select 'error' as level, 'pg_policy' as catalog, p.oid, p.label as object,
  'USING narrows which rows may be changed, WITH CHECK (true) lets them become anything' as detail,
  format('alter policy %s with check (%s)', p.reference, p.condition) as remedy
from policy p
where p.command in ('w', '*') and p.permissive and p.check_condition ~ '^\(*true\)*$' and p.condition !~ '^\(*true\)*$'
