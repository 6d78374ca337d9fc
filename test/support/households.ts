import { type Connection, withConnection } from '../../src/platform/database/connection.js';
import type { TestDatabase } from './database.js';
import type { Random } from './model/random.js';

export interface Household {
  readonly id: string;
  /** The first is family_core, active and without an end. */
  readonly people: readonly string[];
  readonly children: readonly string[];
}

type Values = Readonly<Record<string, unknown>>;

const ROLES = ['family_core', 'extended_family', 'professional', 'institutional'] as const;

/**
 * Two random families with rows in every table that families own: stock of one child, of all and of siblings, logs that
 * take from any of it, invitations to the same addresses, and people who are members of both. `logs`: how many at most.
 */
export async function makeHouseholds(
  database: TestDatabase,
  random: Random,
  { logs = 20, both = 1 }: { readonly logs?: number; readonly both?: number } = {},
): Promise<readonly [Household, Household]> {
  return await withConnection(database.owner, async (owner) => {
    const insert = (table: string, rows: readonly Values[]) => insertRows(owner, table, rows);
    const people = Array.from({ length: 8 }, () => random.uuid());
    await insert(
      'public.users',
      people.map((id) => ({
        id,
        email: `p-${id}@example.ca`,
        status: random.chance(0.9) ? 'active' : 'suspended',
      })),
    );
    const addresses = people.slice(0, 3).map((id) => `i-${id}@example.ca`);
    const shared = random.some(people.slice(2), random.between(0, both));
    const own = [
      [people[0] as string, ...people.slice(2, 5)],
      [people[1] as string, ...people.slice(5)],
    ] as const;
    const households: Household[] = [];
    for (const members of own) {
      const all = [...new Set([...members, ...shared])];
      households.push(await makeHousehold(insert, random, all, addresses, logs));
    }
    return households as unknown as readonly [Household, Household];
  });
}

async function makeHousehold(
  insert: (table: string, rows: readonly Values[]) => Promise<void>,
  random: Random,
  people: readonly string[],
  addresses: readonly string[],
  mostLogs: number,
): Promise<Household> {
  const id = random.uuid();
  const many = <T>(low: number, high: number, make: (at: number) => T) =>
    Array.from({ length: random.between(low, high) }, (_, at) => make(at));
  const row = (values: Values): Values => ({ family_id: id, id: random.uuid(), ...values });
  const maybe = <T>(list: readonly T[], probability: number) =>
    list.length > 0 && random.chance(probability) ? random.pick(list) : null;
  const author = () => maybe(people, 0.7);

  await insert('public.families', [
    { id, name: `F ${id.slice(0, 6)}`, province: 'QC', created_by: author() },
  ]);
  await insert(
    'public.family_members',
    people.map((user_id, at) =>
      row({
        user_id,
        role: at === 0 ? 'family_core' : random.pick(ROLES),
        status: at === 0 ? 'active' : random.weighted({ active: 8, suspended: 1, removed: 1 }),
        invited_by: author(),
        denied_permissions: at > 0 && random.chance(0.2) ? ['usage:read'] : [],
      }),
    ),
  );
  const children = many(1, 4, (at) =>
    row({
      name: `Child ${at}`,
      date_of_birth: `202${random.between(3, 6)}-0${random.between(1, 9)}-15`,
      current_weight_kg: random.pick([null, 7.5, 8.25]),
      allergies_notes: random.chance(0.3) ? 'arachides' : null,
      created_by: author(),
    }),
  );
  const kids = children.map((child) => child.id as string);
  const items = many(0, 6, () =>
    row({
      child_id: maybe(kids, 0.6),
      product_type: random.pick(['diaper', 'wipes', 'clothing']),
      quantity_total: 80,
      quantity_remaining: random.between(0, 80),
      cost_cad: random.pick([null, 34.99, 12]),
      created_by: author(),
    }),
  );
  const stock = items.map((item) => item.id as string);
  const invitations = random.some(addresses, random.between(0, 3)).map((email) =>
    row({
      email,
      role: random.pick(ROLES),
      token_hash: `\\x${random.uuid().replaceAll('-', '')}`,
      status: random.weighted({ pending: 3, revoked: 1 }),
    }),
  );
  await insert('public.children', children);
  await insert('public.inventory_items', items);
  await insert(
    'public.usage_logs',
    many(0, mostLogs, () =>
      row({
        child_id: random.pick(kids),
        inventory_item_id: maybe(stock, 0.7),
        usage_type: 'diaper_change',
        caregiver_name: random.pick([null, 'Mémé']),
        time_since_last_change: random.pick([null, '3 hours']),
        health_notes: random.chance(0.2) ? 'rougeur' : null,
        created_by: author(),
      }),
    ),
  );
  await insert(
    'public.emergency_profiles',
    many(0, 2, () => row({ child_id: random.pick(kids), contact_name: 'Mémé', created_by: author() })),
  );
  await insert(
    'public.reorder_suggestions',
    many(0, 3, () =>
      row({ child_id: maybe(kids, 0.7), product_type: 'diaper', product: 'Taille 3', confidence: 0.875 }),
    ),
  );
  await insert(
    'public.usage_analytics',
    kids.flatMap((child_id) =>
      many(0, 2, (week) =>
        row({
          child_id,
          period: 'week',
          period_start: `2026-11-${String(2 + 7 * week).padStart(2, '0')}`,
          cost_cad: 1.2,
        }),
      ),
    ),
  );
  await insert(
    'public.analytics_events',
    many(0, 4, () =>
      row({
        event_type: 'opened',
        properties: { screen: random.pick(['home', 'list']) },
        created_by: author(),
      }),
    ),
  );
  await insert('public.family_invitations', invitations);
  await insert(
    'ops.invitation_mails',
    invitations
      .filter(({ status }) => status === 'pending')
      .map((invitation) => ({
        id: random.uuid(),
        family_id: id,
        invitation_id: invitation.id,
        requested_by: 'somebody',
      })),
  );
  return { id, people, children: kids };
}

/** Rows that all have the same columns. */
async function insertRows(owner: Connection, table: string, rows: readonly Values[]): Promise<void> {
  if (rows.length === 0) return;
  const columns = Object.keys(rows[0] ?? {}).join(', ');
  await owner.query(
    `insert into ${table} (${columns}) select ${columns} from json_populate_recordset(null::${table}, $1)`,
    [JSON.stringify(rows)],
  );
}
