import { type Command, isFamilyTable, type Role, type Table } from './access-table.js';
import type { Row, World } from './world.js';

/** The declared access table for staff, copied by hand like the members'. */
export const DUTIES = ['support', 'compliance', 'sre', 'auditor', 'admin'] as const;
export type Duty = (typeof DUTIES)[number];

/** What an operator has opened. A directory session opens no rows. */
export type Grant =
  | { readonly kind: 'none' | 'directory' | 'break_glass' }
  | { readonly kind: 'family'; readonly family: string }
  | { readonly kind: 'subject'; readonly person: string };

/** Which kinds of grant a duty may open at all. */
export const OPENED_BY: Readonly<Record<Duty, readonly Grant['kind'][]>> = {
  support: ['family', 'subject', 'directory'],
  compliance: ['family', 'subject', 'directory'],
  sre: [],
  auditor: [],
  admin: ['family', 'subject', 'directory', 'break_glass'],
};

/** Of every granted scope. */
const CORE: readonly Table[] = [
  'users',
  'families',
  'family_members',
  'family_invitations',
  'children',
  'usage_logs',
  'inventory_items',
  'reorder_suggestions',
];

/** Only of a request's subject, or in break-glass. */
const PRIVATE: readonly Table[] = [
  'emergency_profiles',
  'analytics_events',
  'usage_analytics',
  'consent_records',
  'notification_preferences',
  'notification_logs',
  'payment_methods',
  'subscriptions',
];

/** In whose families a request's subject opens those of the family. */
const KIN: readonly Role[] = ['family_core', 'extended_family'];

/** Columns that no duty reads in the table itself. */
export const HIDDEN_COLUMNS: Partial<Record<Table, readonly string[]>> = {
  users: [
    ...[
      'phone_number',
      'phone_verified_at',
      'last_login_ip',
      'privacy_policy_accepted_at',
      'terms_of_service_accepted_at',
    ],
    ...['marketing_consent', 'analytics_consent', 'data_sharing_consent', 'currency', 'postal_code'],
    ...['retention_date', 'retention_reason'],
  ],
  children: [
    ...['current_weight_kg', 'current_height_cm', 'weight_history', 'height_history', 'special_needs'],
    ...['has_sensitive_skin', 'has_allergies', 'allergies_notes'],
  ],
  usage_logs: ['health_notes'],
  family_invitations: ['token_hash'],
};

/** The views in which they are read instead, within a request's subject or in break-glass. */
export const PRIVATE_VIEWS = {
  'ops.children_health': 'children',
  'ops.usage_logs_health': 'usage_logs',
  'ops.users_private': 'users',
} as const satisfies Record<string, Table>;

interface Reach {
  readonly families: ReadonlySet<string>;
  readonly people: ReadonlySet<string>;
}

const everything: Reach = { families: new Set(), people: new Set() };

const nothing: Reach = { families: new Set(), people: new Set() };

function memberships(world: World, { person }: { person: string }) {
  return world.memberships.filter((one) => one.person === person && one.status !== 'removed');
}

/** Of a data subject: the person, and the families they are kin in. */
function subjectReach(world: World, grant: Grant): Reach {
  if (grant.kind !== 'subject') return nothing;
  const kin = memberships(world, grant).filter(({ role }) => KIN.includes(role));
  return { families: new Set(kin.map((one) => one.family)), people: new Set([grant.person]) };
}

/** Families of the grant, and the people in them. */
function grantReach(world: World, grant: Grant): Reach {
  if (grant.kind !== 'subject' && grant.kind !== 'family') return nothing;
  const families = new Set(
    grant.kind === 'family' ? [grant.family] : memberships(world, grant).map((one) => one.family),
  );
  const members = world.memberships.filter((one) => families.has(one.family)).map((one) => one.person);
  const subjects = grant.kind === 'subject' ? [grant.person] : [];
  return { families, people: new Set([...subjects, ...members]) };
}

const inReach = (reach: Reach, row: Pick<Row, 'table' | 'family' | 'person'>): boolean =>
  reach === everything ||
  (isFamilyTable(row.table) ? reach.families.has(row.family ?? '') : reach.people.has(row.person ?? ''));

export class StaffEvaluator {
  readonly #duty: Duty;
  readonly #granted: Reach;
  readonly #subject: Reach;

  constructor(world: World, duty: Duty, grant: Grant) {
    const broken = duty === 'admin' && grant.kind === 'break_glass';
    this.#duty = duty;
    this.#granted = broken ? everything : grantReach(world, grant);
    if (broken) this.#subject = everything;
    else if (duty === 'compliance') this.#subject = subjectReach(world, grant);
    else this.#subject = nothing;
  }

  /** Whether the duty has the privilege on the table at all, whatever the grant. */
  hasPrivilege(command: Command, table: Table): boolean {
    if (this.#duty === 'admin') {
      if (PRIVATE.includes(table)) return true;
      return CORE.includes(table) && (command === 'select' || table !== 'users');
    }
    if (command !== 'select') return false;
    if (this.#duty === 'compliance') return CORE.includes(table) || PRIVATE.includes(table);
    return this.#duty === 'support' && CORE.includes(table);
  }

  may(command: Command, row: Pick<Row, 'table' | 'family' | 'person'>): boolean {
    if (!this.hasPrivilege(command, row.table)) return false;
    return inReach(PRIVATE.includes(row.table) ? this.#subject : this.#granted, row);
  }

  /** Health columns and what else support never needs. */
  mayReadPrivate(row: Pick<Row, 'table' | 'family' | 'person'>): boolean {
    return inReach(this.#subject, row);
  }
}

export const hasPrivateColumns = (duty: Duty) => duty === 'compliance' || duty === 'admin';
