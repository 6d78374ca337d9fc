import { declarationOf, PERMISSIONS, permission, ROLES, type Table } from './access-table.js';
import type { Random } from './random.js';
import type { Family, Membership, Row, World } from './world.js';
import { dayBounds } from './zones.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const iso = (at: number) => new Date(at).toISOString();

type Values = Record<string, unknown>;

/** What a valid row of a family-owned table holds beside its key and author. */
export function familyValues(table: Table, family: Family, at: number): Values {
  const child = family.children[0];
  const nonce = `${family.id}-${table}-${Math.random()}`;
  switch (table) {
    case 'family_invitations':
      return { email: `${nonce}@example.ca`, role: 'institutional', token_hash: `\\x${hex(nonce)}` };
    case 'children':
      return {
        name: 'Léa',
        date_of_birth: '2025-03-01',
        allergies_notes: 'arachides',
        current_weight_kg: 9.4,
      };
    case 'emergency_profiles':
      return { child_id: child, contact_name: 'Mémé', health_card_number: '1234', medications: 'aucun' };
    case 'inventory_items':
      return {
        child_id: child,
        product_type: 'diaper',
        quantity_total: 40,
        quantity_remaining: 20,
        quantity_reserved: 0,
      };
    case 'usage_logs':
      return {
        child_id: child,
        usage_type: 'diaper_change',
        logged_at: iso(at),
        quantity_used: 1,
        health_notes: 'rougeur',
      };
    case 'reorder_suggestions':
      return { child_id: child, product_type: 'wipes', product: 'Lingettes', status: 'pending' };
    case 'analytics_events':
      return { event_type: 'opened', properties: {}, occurred_at: iso(at) };
    case 'usage_analytics': {
      const day = new Date(Date.UTC(1990, 0, 1) + Math.floor(Math.random() * 10_000) * DAY);
      return {
        child_id: child,
        period: 'day',
        period_start: day.toISOString().slice(0, 10),
        change_count: 1,
      };
    }
    default:
      throw new Error(`${table} is not written this way`);
  }
}

/** What a valid row of a user-owned table holds beside its key. */
export function userValues(table: Table): Values {
  switch (table) {
    case 'notification_preferences':
      return { push_enabled: true, daily_limit: 5 };
    case 'consent_records':
      return { consent_type: 'marketing', status: 'granted', consent_version: '1', granted_at: '2026-01-01' };
    case 'notification_logs':
      return { notification_type: 'reorder', channel: 'push', title: 'Couches', message: 'Bientôt vide' };
    case 'payment_methods':
      return { card_brand: 'Carte Émeraude', card_last4: '4242' };
    case 'subscriptions':
      return { plan: 'family', status: 'canceled', province: 'QC', started_at: '2026-01-01' };
    default:
      throw new Error(`${table} is not written this way`);
  }
}

const hex = (text: string) => Buffer.from(text).toString('hex');

/** Moments on both sides of the family's midnights, and further away. */
export function eventTimes(family: Family, now: number): number[] {
  const { start, end } = dayBounds(family.zone, now);
  return [
    ...[start - 1, start, start + 1, start - HOUR, start + HOUR],
    ...[end - 1, end, end + 1, end + HOUR],
    ...[now, now - HOUR, now - DAY, now + DAY, now - 10 * DAY],
  ];
}

const FAMILY_ROWS: readonly (readonly [Table, number])[] = [
  ['emergency_profiles', 1],
  ['family_invitations', 2],
  ['inventory_items', 3],
  ['usage_logs', 0],
  ['reorder_suggestions', 2],
  ['analytics_events', 3],
  ['usage_analytics', 2],
];

/** All rows of the world, in an order in which they can be written. */
export function makeRows(random: Random, world: Omit<World, 'rows'>): Row[] {
  const rows: Row[] = [];
  for (const role of ROLES) {
    for (const { table, command } of PERMISSIONS) {
      if (declarationOf(table).roles[role][command] === undefined) continue;
      rows.push({ table: 'role_permissions', key: `${role}/${permission(table, command)}`, values: {} });
    }
  }
  for (const person of world.people) {
    rows.push({
      table: 'users',
      key: person.id,
      person: person.id,
      values: {
        id: person.id,
        email: `${person.id}@example.ca`,
        status: person.status,
        phone_number: '514-555-0199',
      },
    });
  }
  for (const family of world.families) rows.push(familyRow(random, world, family));
  for (const membership of world.memberships) rows.push(membershipRow(random, world, membership));
  for (const family of world.families) {
    const near = world.memberships.filter((one) => one.family === family.id).map((one) => one.person);
    // Authors are members most of the time, but also people who never were, and nobody.
    const author = () =>
      random.chance(0.7) ? random.pick(near) : random.chance(0.5) ? random.pick(world.people).id : null;
    const add = (table: Table, key: string, at: number) => {
      const createdBy = author();
      rows.push({
        table,
        key,
        family: family.id,
        createdBy,
        at,
        values: { family_id: family.id, id: key, created_by: createdBy, ...familyValues(table, family, at) },
      });
    };
    for (const child of family.children) add('children', child, world.now);
    for (const [table, count] of FAMILY_ROWS) {
      for (let at = 0; at < count; at++) add(table, random.uuid(), world.now);
    }
    for (const at of eventTimes(family, world.now)) add('usage_logs', random.uuid(), at);
  }
  for (const person of world.people) {
    const add = (table: Table) => {
      const key = random.uuid();
      rows.push({
        table,
        key,
        person: person.id,
        values: { user_id: person.id, id: key, ...userValues(table) },
      });
    };
    if (random.chance(0.7)) add('notification_preferences');
    for (const table of [
      'consent_records',
      'notification_logs',
      'payment_methods',
      'subscriptions',
    ] as const) {
      if (random.chance(0.8)) add(table);
    }
  }
  return rows;
}

function familyRow(random: Random, world: Omit<World, 'rows'>, family: Family): Row {
  const createdBy = random.pick(world.people).id;
  const created = iso(world.now - 90 * DAY);
  return {
    table: 'families',
    key: family.id,
    family: family.id,
    createdBy,
    values: {
      id: family.id,
      name: `Famille ${family.id}`,
      timezone: family.zone,
      created_by: createdBy,
      created_at: created,
      archived_at: family.archived ? iso(world.now - DAY) : null,
    },
  };
}

function membershipRow(random: Random, world: Omit<World, 'rows'>, membership: Membership): Row {
  const createdBy = random.pick(world.people).id;
  return {
    table: 'family_members',
    key: membership.id,
    family: membership.family,
    person: membership.person,
    createdBy,
    values: {
      family_id: membership.family,
      id: membership.id,
      user_id: membership.person,
      role: membership.role,
      status: membership.status,
      granted_permissions: membership.granted,
      denied_permissions: membership.denied,
      access_expires_at: membership.expires === undefined ? null : iso(membership.expires),
      created_by: createdBy,
      created_at: iso(world.now - 60 * DAY),
    },
  };
}
