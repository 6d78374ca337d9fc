import { type FamilyTable, PERMISSION_NAMES, ROLES, type Table } from './access-table.js';
import type { Evaluator, Terms } from './evaluate.js';
import type { Random } from './random.js';
import { eventTimes, familyValues, userValues } from './rows.js';
import { insertStatement } from './sessions.js';
import type { Family, Row, World } from './world.js';

/** One statement on one row, and whether the access table lets it through. */
export interface Candidate {
  readonly table: Table;
  readonly command: string;
  readonly statement: string;
  expected(evaluator: Evaluator, person: string | undefined): boolean;
}

const WRITTEN: readonly FamilyTable[] = [
  'children',
  'emergency_profiles',
  'inventory_items',
  'reorder_suggestions',
  'analytics_events',
  'usage_analytics',
];

/** New rows in the person's families and in others, under the person's own name and under others'. */
export function insertCandidates(random: Random, world: World, person: string | undefined): Candidate[] {
  const self = person ?? random.uuid();
  const other = random.pick(world.people.filter(({ id }) => id !== self)).id;
  const candidates: Candidate[] = [];
  const add = (facts: Omit<Row, 'values' | 'key'>, values: Record<string, unknown>) =>
    candidates.push({
      table: facts.table,
      command: 'insert',
      statement: insertStatement(facts.table, values),
      expected: (evaluator, actor) => evaluator.may(actor, 'insert', facts),
    });

  for (const family of familiesFor(random, world, self)) {
    const inFamily = (table: FamilyTable, createdBy: string | null, at: number) =>
      add(
        { table, family: family.id, createdBy, at },
        {
          family_id: family.id,
          id: random.uuid(),
          created_by: createdBy,
          ...familyValues(table, family, at),
        },
      );
    for (const table of WRITTEN) inFamily(table, self, world.now);
    inFamily(random.pick(WRITTEN), other, world.now);
    inFamily(random.pick(WRITTEN), null, world.now);
    for (const at of eventTimes(family, world.now)) inFamily('usage_logs', self, at);
    inFamily('usage_logs', other, world.now);
    candidates.push(...membershipInserts(random, world, family, self, other));
  }
  for (const createdBy of [self, other]) {
    const id = random.uuid();
    add(
      { table: 'families', family: id, createdBy },
      { id, name: 'Nouvelle famille', created_by: createdBy },
    );
  }
  const ownedBy = [
    'notification_preferences',
    'consent_records',
    'notification_logs',
    'payment_methods',
    'subscriptions',
  ];
  for (const table of ownedBy as readonly Table[]) {
    for (const owner of [self, other]) {
      add({ table, person: owner }, { user_id: owner, id: random.uuid(), ...userValues(table) });
    }
  }
  const id = random.uuid();
  add({ table: 'users', person: id }, { id, email: `${id}@example.ca` });
  candidates.push({
    table: 'role_permissions',
    command: 'insert',
    statement: `insert into public.role_permissions values ('professional', 'payments:read', 'all')`,
    expected: () => false,
  });
  return candidates;
}

function familiesFor(random: Random, world: World, person: string): Family[] {
  const own = new Set(world.memberships.filter((one) => one.person === person).map((one) => one.family));
  const others = world.families.filter(({ id }) => !own.has(id));
  return [...world.families.filter(({ id }) => own.has(id)), ...random.some(others, 1)];
}

function someTerms(random: Random): Terms {
  const names = () => (random.chance(0.35) ? random.some(PERMISSION_NAMES, random.between(1, 2)) : []);
  const role = random.pick(ROLES);
  // Even family_core inserts only events of its own: to grant that is to give more than one has.
  if (random.chance(0.15))
    return { role, granted: [random.pick(['events:insert', 'events:write'])], denied: [] };
  return { role, granted: names(), denied: names() };
}

/** Memberships and invitations that hand on a role, wide or narrow. */
function membershipInserts(
  random: Random,
  world: World,
  family: Family,
  self: string,
  other: string,
): Candidate[] {
  const members = new Set(
    world.memberships.filter((one) => one.family === family.id).map((one) => one.person),
  );
  const newcomers = world.people.filter(({ id }) => !members.has(id) && id !== self).map(({ id }) => id);
  return [self, self, self, other].flatMap((createdBy) => {
    const terms = someTerms(random);
    const lists = { granted_permissions: terms.granted, denied_permissions: terms.denied, role: terms.role };
    const key = { family_id: family.id, id: random.uuid(), created_by: createdBy };
    const expected = (table: Table) => (evaluator: Evaluator, actor: string | undefined) =>
      actor !== undefined &&
      evaluator.may(actor, 'insert', { table, family: family.id, createdBy }) &&
      evaluator.mayGive(actor, family.id, terms);
    const member = { ...key, user_id: random.pick(newcomers), status: 'active', ...lists };
    const invitation = { ...key, ...familyValues('family_invitations', family, world.now), ...lists };
    return [
      {
        table: 'family_members' as const,
        command: 'insert',
        statement: insertStatement('family_members', member),
        expected: expected('family_members'),
      },
      {
        table: 'family_invitations' as const,
        command: 'insert',
        statement: insertStatement('family_invitations', invitation),
        expected: expected('family_invitations'),
      },
    ];
  });
}

/** Changes that would take a row elsewhere: to another owner, author or day, or to a stronger role. */
export function updateCandidates(random: Random, world: World, person: string | undefined): Candidate[] {
  const families = familiesFor(random, world, person ?? '');
  const near = world.rows.filter((row) => families.some(({ id }) => id === row.family));
  const candidates: Candidate[] = [];
  const never = (row: Row, set: string) =>
    candidates.push({
      table: row.table,
      command: 'update of the key',
      statement: `update public.${row.table} set ${set} where id = '${row.key}'`,
      expected: () => false,
    });
  const keyed = near.filter(({ table }) => table !== 'families');
  for (const row of random.some(keyed, 12)) {
    never(row, `family_id = '${random.pick(world.families.filter(({ id }) => id !== row.family)).id}'`);
    never(row, `id = '${random.uuid()}'`);
    never(row, `created_by = '${random.uuid()}'`);
  }
  const owned = world.rows.filter(
    (row) => row.person !== undefined && row.person === person && row.values.user_id !== undefined,
  );
  for (const row of owned)
    never(row, `user_id = '${random.pick(world.people.filter(({ id }) => id !== person)).id}'`);

  for (const row of random.some(
    near.filter(({ table }) => table === 'usage_logs'),
    24,
  )) {
    const family = families.find(({ id }) => id === row.family) as Family;
    const at = random.pick(eventTimes(family, world.now));
    const after = { ...row, at };
    candidates.push({
      table: 'usage_logs',
      command: 'update of the event time',
      statement: `update public.usage_logs set logged_at = '${new Date(at).toISOString()}' where id = '${row.key}'`,
      expected: (evaluator, actor) =>
        [row, after].every(
          (one) => evaluator.may(actor, 'select', one) && evaluator.may(actor, 'update', one),
        ),
    });
  }
  for (const family of families) {
    // Without a condition no row need be visible: only the policy for updates stands in the way.
    const at = random.pick(eventTimes(family, world.now));
    const logs = world.rows.filter(({ table }) => table === 'usage_logs');
    candidates.push({
      table: 'usage_logs',
      command: 'blind update of the event time',
      statement: `update public.usage_logs set logged_at = '${new Date(at).toISOString()}'`,
      expected: (evaluator, actor) => {
        const touched = logs.filter((row) => evaluator.may(actor, 'update', row));
        return touched.length > 0 && touched.every((row) => evaluator.may(actor, 'update', { ...row, at }));
      },
    });
  }
  for (const row of near.filter(({ table }) => table === 'family_members')) {
    const terms = someTerms(random);
    const list = (names: readonly string[]) => `'{${names.join(',')}}'`;
    candidates.push({
      table: 'family_members',
      command: 'update of the role',
      statement: `update public.family_members set role = '${terms.role}', granted_permissions = ${list(terms.granted)},
        denied_permissions = ${list(terms.denied)} where id = '${row.key}'`,
      expected: (evaluator, actor) =>
        actor !== undefined &&
        evaluator.may(actor, 'select', row) &&
        evaluator.may(actor, 'update', row) &&
        (same(world, row, terms) || evaluator.mayGive(actor, row.family ?? '', terms)),
    });
  }
  return candidates;
}

function same(world: World, row: Row, terms: Terms): boolean {
  const now = world.memberships.find(({ id }) => id === row.key);
  return (
    JSON.stringify([now?.role, now?.granted, now?.denied]) ===
    JSON.stringify([terms.role, terms.granted, terms.denied])
  );
}
