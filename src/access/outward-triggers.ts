import sql from 'sql-template-tag';
import type { Connection } from '../platform/database/connection.js';
import type { TableCommand } from './explain/table-facts.js';

/** A trigger that a command would fire and that reaches out of the database. */
export interface OutwardTrigger {
  readonly table: string;
  readonly trigger: string;
  readonly function: string;
  readonly by: 'pg_net' | 'http' | 'dblink' | 'foreign table' | 'notify' | 'program';
  /** Whether a rollback takes back what it does. */
  readonly undone: boolean;
}

/**
 * Triggers that call out, of a table and of those that its foreign keys carry the command on to. Found in the text of
 * their functions and of what these call, three calls deep: a name that is put together at run time is not found.
 */
export async function outwardTriggers(
  connection: Connection,
  table: string,
  command: Exclude<TableCommand, 'select'>,
): Promise<OutwardTrigger[]> {
  const [bit, carried] = { insert: [4, ''], delete: [8, 'confdeltype'], update: [16, 'confupdtype'] }[
    command
  ] as [number, string];
  const action =
    carried === '' ? sql`'a'` : carried === 'confdeltype' ? sql`k.confdeltype` : sql`k.confupdtype`;
  return await connection.query<OutwardTrigger>(sql`
    with recursive tables (oid, fired) as (
      select to_regclass(${table})::oid, ${bit}::int
      union
      select k.conrelid, case when ${action} = 'c' then ${bit}::int else 16 end
      from tables t join pg_catalog.pg_constraint k on k.confrelid = t.oid and k.contype = 'f' and ${action} in ('c', 'n', 'd')
    ), routines (trigger_id, oid, name, body, depth) as (
      select g.oid, p.oid, n.nspname || '.' || p.proname, coalesce(pg_catalog.pg_get_function_sqlbody(p.oid), p.prosrc), 0
      from tables t join pg_catalog.pg_trigger g on g.tgrelid = t.oid and g.tgtype::int & t.fired <> 0 and g.tgenabled <> 'D' and not g.tgisinternal
        join pg_catalog.pg_proc p on p.oid = g.tgfoid join pg_catalog.pg_namespace n on n.oid = p.pronamespace
      union
      select r.trigger_id, p.oid, n.nspname || '.' || p.proname, coalesce(pg_catalog.pg_get_function_sqlbody(p.oid), p.prosrc), r.depth + 1
      from routines r join pg_catalog.pg_proc p on p.prokind = 'f' and r.body ~* ('\\m' || regexp_replace(p.proname, '\\W', '.', 'g') || '\\s*\\(')
        join pg_catalog.pg_namespace n on n.oid = p.pronamespace and n.nspname not in ('pg_catalog', 'information_schema')
      where r.depth < 3
    ), found as (
      select r.trigger_id, r.name, case
        when r.name || ' ' || r.body ~* '\\mnet\\.http_|\\mhttp_request\\M' then 'pg_net'
        when r.body ~* '\\mhttp(_get|_post|_put|_patch|_delete|_head)?\\s*\\(' then 'http'
        when r.body ~* '\\mdblink' then 'dblink'
        when r.body ~* '\\mcopy\\M[^;]*\\mprogram\\M' then 'program'
        when exists (select from pg_catalog.pg_class f where f.relkind = 'f' and r.body ~* ('\\m' || regexp_replace(f.relname, '\\W', '.', 'g') || '\\M')) then 'foreign table'
        when r.body ~* '\\mpg_notify\\s*\\(|\\mnotify\\s+\\w' then 'notify' end as by
      from routines r)
    select distinct on (g.oid, f.by) g.tgrelid::regclass::text as "table", g.tgname as trigger, f.name as function, f.by, f.by in ('pg_net', 'notify') as undone
    from found f join pg_catalog.pg_trigger g on g.oid = f.trigger_id where f.by is not null
    union all
    select c.oid::regclass::text, 'the table itself', '', 'foreign table', false from pg_catalog.pg_class c where c.oid = to_regclass(${table}) and c.relkind = 'f'`);
}
