import { randomUUID } from 'node:crypto';
import { type Connection, withConnection } from '../../src/platform/database/connection.js';
import type { TestDatabase } from './database.js';

export interface SmallFamily {
  readonly id: string;
  readonly name: string;
  /** Her mother, a core member whose membership counts. */
  readonly core: { readonly id: string; readonly email: string };
  /** Her grandmother, an extended member. */
  readonly gran: { readonly id: string; readonly email: string };
  readonly child: string;
}

export interface FamilyWishes {
  readonly name: string;
  /** Display name of both members; given where it matters. */
  readonly person?: string;
  readonly child?: string;
  readonly notes?: string;
}

/** A family with a core member, a grandmother, a child and one usage log, as the service would write them. */
export async function makeFamily(database: TestDatabase, wishes: FamilyWishes): Promise<SmallFamily> {
  const [id, core, gran, child] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
  const family = {
    id,
    name: wishes.name,
    core: { id: core, email: `core-${core.slice(0, 8)}@example.ca` },
    gran: { id: gran, email: `gran-${gran.slice(0, 8)}@example.ca` },
    child,
  };
  await asService(database, async (connection) => {
    for (const { id, email } of [family.core, family.gran]) {
      await connection.query(
        `insert into public.users (id, email, display_name, status, privacy_policy_accepted_at, terms_of_service_accepted_at)
         values ($1, $2, $3, 'active', now(), now())`,
        [id, email, wishes.person ?? 'Somebody'],
      );
    }
    await connection.query(`insert into public.families (id, name, province) values ($1, $2, 'QC')`, [
      id,
      wishes.name,
    ]);
    await connection.query(
      `insert into public.family_members (family_id, user_id, role) values ($1, $2, 'family_core'), ($1, $3, 'extended_family')`,
      [id, core, gran],
    );
    await connection.query(
      `insert into public.children (family_id, id, name, date_of_birth) values ($1, $2, $3, '2025-02-03')`,
      [id, child, wishes.child ?? 'Léa'],
    );
    await connection.query(
      `insert into public.usage_logs (family_id, child_id, usage_type, notes) values ($1, $2, 'diaper_change', $3)`,
      [id, child, wishes.notes ?? null],
    );
  });
  return family;
}

/** Work as the service, which writes any row; all of it is audited. */
export async function asService<T>(
  database: TestDatabase,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  return await withConnection(database.service, async (connection) => {
    await connection.query('set role service_role');
    return await work(connection);
  });
}

/** A parent who stands for a child by the register; the id of the row. */
export async function makeGuardian(
  database: TestDatabase,
  child: { readonly family: string; readonly id: string },
  user: string,
  evidence: readonly string[] = ['act_of_birth'],
): Promise<string> {
  return await withConnection(database.superuser, async (superuser) => {
    const { id } = await superuser.one<{ id: string }>(
      `insert into privacy.guardians (family_id, child_id, user_id, basis, evidence, from_date, added_by)
       values ($1, $2, $3, 'parent', $4, '2025-03-01', 'camille.roy') returning id`,
      [child.family, child.id, user, evidence],
    );
    return id;
  });
}

/** Every table of ours, the audit log included. */
async function ourTables(superuser: Connection): Promise<string[]> {
  const tables = await superuser.query<{ name: string }>(`
    select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('public', 'private', 'audit', 'privacy', 'ops') and c.relkind in ('r', 'p') and not c.relispartition
    order by 1`);
  return tables.map(({ name }) => name);
}

/** How many rows each of them holds, as the superuser counts them. */
export async function countRows(database: TestDatabase): Promise<Record<string, number>> {
  return await withConnection(database.superuser, async (connection) => {
    const counts = (await ourTables(connection)).map(
      (name) => `select '${name.replaceAll("'", "''")}' as name, count(*)::int as rows from ${name}`,
    );
    const rows = await connection.query<{ name: string; rows: number }>(counts.join(' union all '));
    return Object.fromEntries(rows.map(({ name, rows }) => [name, rows]));
  });
}

/** Of all rows of ours, how many were looked at, and the tables of those that hold one of these texts anywhere. */
export async function lookEverywhere(
  database: TestDatabase,
  ...sought: readonly string[]
): Promise<{ readonly looked_at: number; readonly found: readonly string[] }> {
  return await withConnection(database.superuser, async (superuser) => {
    let all = 0;
    const found: string[] = [];
    for (const name of await ourTables(superuser)) {
      const { rows, holding } = await superuser.one<{ rows: number; holding: number }>(
        `select count(*)::int as rows,
           count(*) filter (where exists (select from unnest($1::text[]) s where strpos(x::text, s) > 0))::int as holding from ${name} x`,
        [sought],
      );
      all += rows;
      if (holding > 0) found.push(name);
    }
    return { looked_at: all, found };
  });
}
