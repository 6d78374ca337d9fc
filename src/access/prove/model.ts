import { randomUUID } from 'node:crypto';
import { FAMILY_TABLES, type FamilyTable } from '../family-tables.js';
import { type Case, isFull, makeCases, neighbour } from './cases.js';
import { type Day, dayElsewhere } from './day.js';
import type { Declaration, PersonTable, Table } from './declaration.js';
import { familyValues, PERSON_VALUES, type Values } from './values.js';

export interface ModelRow {
  readonly table: Table;
  /** The family or the person it belongs to. */
  readonly owner: string;
  readonly id: string;
  readonly author: string | null;
  /** Whose membership it is. */
  readonly member: string | null;
  readonly today: boolean;
  readonly values: Values;
}

/** Families and people that exist for one proof and are never committed. */
export interface Model {
  readonly cases: readonly Case[];
  readonly rows: readonly ModelRow[];
  readonly now: number;
  readonly day: Day;
  /** Core member of every family and author of what nobody in the model wrote. */
  readonly elder: string;
  /** Belongs to no family. */
  readonly newcomer: string;
  /** The only child that is there before anything is tried, by family. */
  readonly child: ReadonlyMap<string, string>;
  /** Cases whose people own rows of their own, one for each state of an account. */
  readonly owners: readonly Case[];
}

const DAY = 86_400_000;
const iso = (at: number) => new Date(at).toISOString();

export function makeModel(declaration: Declaration, now: number): Model {
  const cases = makeCases(declaration);
  const day = dayElsewhere(now);
  const [elder, newcomer] = [randomUUID(), randomUUID()];
  const child = new Map(cases.map(({ family }) => [family, randomUUID()]));
  const owners = ['active', 'pending_verification', 'suspended', 'pending_deletion'].map(
    (account) =>
      cases.find(
        (one) =>
          one.account === account && one.role === 'family_core' && one.status === 'active' && !one.archived,
      ) as Case,
  );
  const rows: ModelRow[] = [
    userRow(elder, 'active'),
    userRow(newcomer, 'active'),
    ...cases.map(({ person, account }) => userRow(person, account)),
    ...cases.map((one) => familyRow(one, day, elder, now)),
    ...cases.flatMap((one) => membershipRows(one, elder, now)),
    ...cases.flatMap((one) => familyRows(one, neighbour(cases, one, -1).person, { elder, day, child })),
    ...owners.flatMap(({ person }) =>
      (Object.keys(PERSON_VALUES) as Exclude<PersonTable, 'users'>[]).map((table) => {
        const id = randomUUID();
        return row(table, person, id, { user_id: person, id, ...PERSON_VALUES[table] });
      }),
    ),
  ];
  return { cases, rows, now, day, elder, newcomer, child, owners };
}

function row(
  table: Table,
  owner: string,
  id: string,
  values: Values,
  more: Partial<ModelRow> = {},
): ModelRow {
  return { table, owner, id, author: null, member: null, today: true, values, ...more };
}

const userRow = (id: string, status: string) =>
  row('users', id, id, { id, email: `${id}@prove.invalid`, status });

function familyRow({ family, archived }: Case, { zone }: Day, elder: string, now: number): ModelRow {
  return row(
    'families',
    family,
    family,
    {
      id: family,
      name: 'nestctl access prove',
      timezone: zone,
      created_by: elder,
      created_at: iso(now - 90 * DAY),
      archived_at: archived ? iso(now - DAY) : null,
    },
    { author: elder },
  );
}

function membershipRows(one: Case, elder: string, now: number): ModelRow[] {
  const member = (user: string, id: string, values: Values) =>
    row(
      'family_members',
      one.family,
      id,
      {
        family_id: one.family,
        id,
        user_id: user,
        created_by: elder,
        created_at: iso(now - 60 * DAY),
        ...values,
      },
      { author: elder, member: user },
    );
  const until = { none: null, future: iso(now + 30 * DAY), past: iso(now - 60_000) }[one.expiry];
  return [
    member(elder, randomUUID(), {
      role: 'family_core',
      status: 'active',
      access_expires_at: null,
      granted_permissions: [],
      denied_permissions: [],
    }),
    member(one.person, one.membership, {
      role: one.role,
      status: one.status,
      access_expires_at: until,
      granted_permissions: one.granted,
      denied_permissions: one.denied,
    }),
  ];
}

const OTHERS: readonly FamilyTable[] = [
  'family_invitations',
  'emergency_profiles',
  'inventory_items',
  'reorder_suggestions',
  'analytics_events',
  'usage_analytics',
];

/** Rows by the elder, by the member, and by somebody who is no member of the family. */
function familyRows(
  one: Case,
  stranger: string,
  { elder, day, child }: { elder: string; day: Day; child: ReadonlyMap<string, string> },
): ModelRow[] {
  const { family, person } = one;
  const only = child.get(family) as string;
  const made = (table: FamilyTable, author: string, id: string, at: number, today: boolean) =>
    row(
      table,
      family,
      id,
      { family_id: family, id, created_by: author, ...familyValues(table, only, at) },
      { author, today },
    );
  const now = day.start + 1;
  const authors = (table: FamilyTable) => (isFull(one, FAMILY_TABLES[table]) ? [person, stranger] : []);
  const others = OTHERS.flatMap((table) =>
    [elder, ...authors(table)].map((author) => made(table, author, randomUUID(), now, true)),
  );
  const logs: readonly (readonly [string, number, boolean])[] = isFull(one, FAMILY_TABLES.usage_logs)
    ? [
        [elder, day.end - 1, true],
        [elder, day.start - 1, false],
        [elder, day.end, false],
        [person, day.start, true],
        [person, day.start - 1, false],
        [stranger, day.start, true],
      ]
    : [];
  return [
    made('children', elder, only, now, true),
    ...authors('children').map((author) => made('children', author, randomUUID(), now, true)),
    ...others,
    // On both sides of the family's midnights.
    made('usage_logs', elder, randomUUID(), day.start, true),
    ...logs.map(([author, at, today]) => made('usage_logs', author, randomUUID(), at, today)),
  ];
}
