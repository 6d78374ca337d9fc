-- What a package would hold and must not, or lacks though the law gives it to the person.
select 'error' as level, 'pg_class' as catalog, c.oid, format('%s.%s', c.table_name, c.column_name) as object,
  case when a.exported and a.category = 'credential' then 'it is exported, and lets somebody in'
    when a.exported then format('it is exported, and is about %s %s: another person', case when a.subject ~ '^[aeio]' then 'an' else 'a' end, a.subject)
    else 'it was provided by the person and is withheld: portability covers it (Quebec P-39.1, s. 27)' end as detail,
  null as remedy
from answer a
  join stored_column c using (table_name, column_name)
where a.exported and (a.category = 'credential' or a.subject in ('contact', 'provider', 'caregiver', 'invitee', 'guardian', 'operator'))
  or not a.exported and a.origin = 'provided' and a.whose in ('subject', 'joint')
