import type { Connection } from '../../platform/database/connection.js';
import { type Finding, finding } from '../../platform/doctor/finding.js';

/** A transaction that was prepared and never decided holds its locks for ever: each has to be decided. */
export async function checkPrepared(connection: Connection): Promise<Finding[]> {
  const prepared = await connection.query<{ gid: string; database: string }>(
    'select gid, database from pg_prepared_xacts order by prepared',
  );
  return prepared.length === 0
    ? [finding('prepared transactions', 'ok', 'none')]
    : prepared.map(({ gid, database }) =>
        finding('prepared transactions', 'error', 'is neither committed nor rolled back', {
          object: `${database}: ${gid}`,
        }),
      );
}

/** A sequence behind its column would hand out numbers that are there already. */
export async function checkSequences(connection: Connection): Promise<Finding[]> {
  const owned = await connection.query<{ sequence: string; statement: string }>(`
    select s.oid::regclass::text as sequence, format('select q.last_value::text as at, (select max(%I)::text from %s) as highest from %s q',
      a.attname, d.refobjid::regclass, s.oid::regclass) as statement
    from pg_catalog.pg_class s join pg_catalog.pg_depend d on d.objid = s.oid and d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass
      join pg_catalog.pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
    where s.relkind = 'S' and d.deptype in ('a', 'i') order by 1`);
  const behind: Finding[] = [];
  for (const { sequence, statement } of owned) {
    const { at, highest } = await connection.one<{ at: string; highest: string | null }>(statement);
    if (highest !== null && BigInt(highest) > BigInt(at))
      behind.push(
        finding('sequences', 'error', `stands at ${at}, and ${highest} is there`, { object: sequence }),
      );
  }
  return behind.length > 0 ? behind : [finding('sequences', 'ok', `${owned.length}, none behind its column`)];
}
