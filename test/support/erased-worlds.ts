import { withConnection } from '../../src/platform/database/connection.js';
import type { ErasurePlan } from '../../src/privacy/index.js';
import type { TestDatabase } from './database.js';
import { unguarded } from './erasures.js';
import type { Random } from './model/random.js';
import type { PlantedWorld } from './planted-people.js';

/** Alone in some of their families, one of several in the others, and nobody's last core member. */
export async function empty(
  database: TestDatabase,
  { memberships, subject }: PlantedWorld,
  random: Random,
): Promise<void> {
  const emptied = new Map(memberships.map(({ family }) => [family, random.chance(0.6)]));
  await unguarded(database, async (connection) => {
    for (const { family, person } of memberships)
      if (person !== subject && emptied.get(family) === true)
        await connection.query(
          `update public.family_members set status = 'removed' where family_id = $1 and user_id = $2`,
          [family, person],
        );
    await connection.query(
      `update privacy.guardians set ended_at = now(), ended_on = from_date, end_ground = 'resigned', ended_by = 'camille.roy' where ended_at is null`,
    );
    await connection.query(
      `update public.family_members set role = 'extended_family' where user_id = $1 and role = 'family_core' and family_id = any ($2)`,
      [subject, [...emptied].filter(([, gone]) => !gone).map(([family]) => family)],
    );
  });
}

/** Changes every row there is, so that the log has all of it before and after. */
export async function touchAll(database: TestDatabase): Promise<void> {
  await withConnection(database.superuser, async (connection) => {
    const tables = await connection.query<{ name: string }>(
      `select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'updated_at'
       where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'`,
    );
    // Some of these families have no core member as no family with children comes to have none.
    for (const { name } of tables)
      await connection.query(
        `update public.${name} set updated_at = updated_at - interval '1 second' ${name === 'family_members' ? `where role <> 'family_core'` : ''}`,
      );
  });
}

const PERSONAL = [
  'users',
  'notification_preferences',
  'notification_logs',
  'payment_methods',
  'subscriptions',
];
/** Kept under an obligation: evidence of consents, and that there was a subscription. */
const isKept = (table: string, column: string) =>
  table === 'public.consent_records' || (table === 'public.subscriptions' && column === 'plan');

/** Markers that nothing may hold any more, and those that all must hold, by the rule alone. */
export function fatesOf({ planted, subject }: PlantedWorld, going: ReadonlySet<unknown>) {
  const goes = ({ table, column, row }: (typeof planted)[number]) => {
    if (isKept(table, column)) return false;
    const [, name = ''] = table.split('.');
    if (PERSONAL.includes(name)) return (name === 'users' ? row.id : row.user_id) === subject;
    return (
      going.has(name === 'families' ? row.id : row.family_id) ||
      (name === 'family_members' && row.user_id === subject)
    );
  };
  return { gone: planted.filter(goes), stay: planted.filter((one) => !goes(one)) };
}

/** Families that go with the person. */
export const goingOf = ({ families }: ErasurePlan) =>
  new Set(families.filter(({ fate }) => fate === 'goes').map(({ family_id }) => family_id));
