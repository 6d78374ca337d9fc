import { type Connection, withConnection } from '../../src/platform/database/connection.js';
import type { TestDatabase } from './database.js';
import type { Random } from './model/random.js';

/** How the columns that could name somebody are filled: everything that is text, JSON or an array of text. */
export const PLANTED: Readonly<
  Record<string, Readonly<Record<string, 'text' | 'email' | 'phone' | 'json' | 'array' | 'list'>>>
> = {
  'public.users': {
    email: 'email',
    first_name: 'text',
    last_name: 'text',
    display_name: 'text',
    phone_number: 'phone',
    retention_reason: 'text',
  },
  'public.families': { name: 'text', description: 'text', settings: 'json' },
  'public.family_members': { granted_permissions: 'list', denied_permissions: 'list' },
  'public.family_invitations': { email: 'email', granted_permissions: 'list', denied_permissions: 'list' },
  'public.children': {
    name: 'text',
    current_diaper_size: 'text',
    size_history: 'array',
    weight_history: 'array',
    height_history: 'array',
    special_needs: 'text',
    allergies_notes: 'text',
  },
  'public.emergency_profiles': {
    contact_name: 'text',
    relationship: 'text',
    phone_primary: 'phone',
    phone_secondary: 'phone',
    allergies: 'text',
    medications: 'text',
    medical_conditions: 'text',
    health_card_number: 'text',
    provider_name: 'text',
    provider_clinic: 'text',
    provider_phone: 'phone',
  },
  'public.inventory_items': {
    brand: 'text',
    product_name: 'text',
    size: 'text',
    purchase_source: 'text',
    batch_number: 'text',
    barcode: 'text',
    storage_location: 'text',
    notes: 'text',
  },
  'public.usage_logs': { caregiver_name: 'text', notes: 'text', health_notes: 'text' },
  'privacy.guardians': { guardian_name: 'text', limits: 'list', evidence: 'list' },
  'public.reorder_suggestions': { product: 'text', product_type: 'list' },
  'public.analytics_events': { event_type: 'text', properties: 'json' },
  'public.usage_analytics': { brand: 'text', size: 'text', period: 'list' },
  'public.notification_preferences': { device_tokens: 'list' },
  'public.notification_logs': {
    notification_type: 'text',
    title: 'text',
    message: 'text',
    external_id: 'text',
    error_code: 'text',
  },
  'public.subscriptions': { plan: 'text', stripe_customer_id: 'text', stripe_subscription_id: 'text' },
  'public.payment_methods': { card_brand: 'text', stripe_payment_method_id: 'text', card_last4: 'list' },
  'public.consent_records': {
    consent_version: 'text',
    user_agent: 'text',
    legal_basis: 'text',
    purpose: 'text',
    data_categories: 'list',
    third_parties: 'list',
    jurisdiction: 'text',
    consent_method: 'text',
    evidence: 'json',
  },
};
/** Where somebody else is mentioned besides. */
const MENTIONING = new Set([
  'families.description',
  'families.settings',
  'inventory_items.notes',
  'notification_logs.message',
  'reorder_suggestions.product',
  'analytics_events.properties',
]);

export interface Planted {
  readonly marker: string;
  readonly table: string;
  readonly column: string;
  /** Owner of the row: a person or a family. */
  readonly row: Readonly<Record<string, unknown>>;
}

export interface PlantedWorld {
  readonly subject: string;
  readonly people: readonly string[];
  readonly memberships: readonly {
    readonly family: string;
    readonly person: string;
    readonly role: string;
    readonly status: string;
    readonly ended: boolean;
  }[];
  readonly children: readonly { readonly family: string; readonly id: string }[];
  /** Children for whom the subject stands, as family/child. */
  readonly stoodFor: ReadonlySet<string>;
  readonly planted: readonly Planted[];
  /** By person: what others must not read of them. */
  readonly names: ReadonlyMap<string, readonly string[]>;
}

type Values = Record<string, unknown>;

/** Random families around a person, with a marker of its own in every column of every row that can hold one. */
export async function plantPeople(
  database: TestDatabase,
  random: Random,
  families = random.between(1, 3),
): Promise<PlantedWorld> {
  return await withConnection(
    database.superuser,
    async (connection) => await new Planter(connection, random).plant(families),
  );
}

class Planter {
  readonly #planted: Planted[] = [];
  readonly #names = new Map<string, string[]>();
  readonly #mentionable: string[] = [];
  readonly #stoodFor: string[] = [];

  constructor(
    readonly connection: Connection,
    readonly random: Random,
  ) {}

  async plant(families: number): Promise<PlantedWorld> {
    const { random } = this;
    const people = Array.from({ length: random.between(4, 7) }, () => random.uuid());
    const stranger = random.uuid();
    const [subject = ''] = people;
    for (const id of [...people, stranger]) {
      const row = await this.#row('public.users', {
        id,
        status: 'active',
        language: random.pick(['en', 'fr']),
      });
      this.#names.set(
        id,
        ['email', 'first_name', 'last_name', 'display_name', 'phone_number'].map((name) => String(row[name])),
      );
      if (id !== subject && id !== stranger) this.#mentionable.push(...(this.#names.get(id) ?? []), id);
      await this.#own(id);
    }
    const memberships: PlantedWorld['memberships'][number][] = [];
    const children: { family: string; id: string }[] = [];
    for (let at = 0; at < families; at += 1) {
      // Whoever is mentioned is a member: no package looks for all the people there are.
      const first = at === 0;
      const family = random.uuid();
      await this.#row('public.families', { id: family, created_by: random.pick(people) });
      const members = [
        subject,
        ...(first ? people.slice(1) : random.some(people.slice(1), random.between(1, 4))),
      ];
      for (const person of members) {
        const role = random.weighted({
          family_core: 4,
          extended_family: 3,
          professional: 1,
          institutional: 1,
        });
        const status = random.weighted({ active: 8, suspended: 1, removed: 2, inactive: 1, invited: 1 });
        const ended = random.chance(0.1);
        memberships.push({ family, person, role, status, ended });
        await this.#row('public.family_members', {
          family_id: family,
          user_id: person,
          role,
          status,
          invited_by: random.pick([null, ...people, stranger]),
          created_by: random.pick([null, ...people]),
          created_at: '2026-01-01',
          ...(ended ? { access_expires_at: '2026-02-01' } : {}),
        });
      }
      children.push(...(await this.#household(family, people, stranger, subject)));
    }
    return {
      subject,
      people: [...people, stranger],
      memberships,
      children,
      stoodFor: new Set(this.#stoodFor),
      planted: this.#planted,
      names: this.#names,
    };
  }

  /** What belongs to one person. */
  async #own(user_id: string): Promise<void> {
    const { random } = this;
    await this.#row('public.notification_preferences', { user_id });
    for (let count = random.between(1, 2); count > 0; count -= 1) {
      await this.#row('public.notification_logs', { user_id, channel: 'push' });
      await this.#row('public.consent_records', {
        user_id,
        consent_type: 'marketing',
        status: 'granted',
        granted_at: '2026-03-08T02:30:00.123456-05:00',
      });
      await this.#row('public.payment_methods', { user_id, card_last4: String(random.between(1000, 9999)) });
    }
    await this.#row('public.subscriptions', { user_id, province: 'QC', amount: '12.30' });
  }

  async #household(
    family_id: string,
    people: readonly string[],
    stranger: string,
    subject: string,
  ): Promise<{ family: string; id: string }[]> {
    const { random } = this;
    const created_by = () => random.pick([null, ...people, stranger]);
    const kids: string[] = [];
    for (let count = random.between(1, 2); count > 0; count -= 1) {
      const id = random.uuid();
      kids.push(id);
      await this.#row('public.children', {
        family_id,
        id,
        date_of_birth: '2025-02-28',
        created_by: created_by(),
      });
    }
    for (const child_id of kids) {
      if (random.chance(0.4)) await this.#guardian(family_id, child_id, subject);
      // Somebody else who stands for the child, with or without an account.
      if (random.chance(0.3))
        await this.#row('privacy.guardians', {
          ...{ family_id, child_id, basis: 'parent', evidence: ['act_of_birth'], from_date: '2025-03-01' },
          ...{
            added_by: 'camille.roy',
            ...(random.chance(0.5) ? { user_id: people[1], guardian_name: null } : {}),
          },
        });
      await this.#row('public.emergency_profiles', { family_id, child_id, created_by: created_by() });
      await this.#row('public.usage_logs', {
        family_id,
        child_id,
        usage_type: 'diaper_change',
        created_by: random.pick([subject, created_by()]),
      });
      await this.#row('public.usage_analytics', {
        family_id,
        child_id,
        period: 'week',
        period_start: '2026-11-02',
      });
      await this.#row('public.reorder_suggestions', {
        family_id,
        child_id,
        product_type: 'diaper',
        confidence: '0.875',
        created_by: created_by(),
      });
    }
    await this.#row('public.inventory_items', {
      family_id,
      child_id: random.pick([null, ...kids]),
      product_type: 'wipes',
      quantity_total: 80,
      quantity_remaining: 12,
      cost_cad: '34.90',
      created_by: created_by(),
    });
    await this.#row('public.analytics_events', { family_id, created_by: created_by() });
    const invited = {
      token_hash: `\\x${random.uuid().replaceAll('-', '')}`,
      role: 'extended_family',
      invited_by: created_by(),
      created_by: created_by(),
    };
    await this.#row('public.family_invitations', { family_id, ...invited });
    if (random.chance(0.3)) {
      // To the person, before or after they had an account.
      const [email] = this.#names.get(subject) ?? [];
      await this.#row('public.family_invitations', {
        family_id,
        ...invited,
        token_hash: `\\x${random.uuid().replaceAll('-', '')}`,
        email: email?.toUpperCase(),
        status: 'revoked',
      });
    }
    return kids.map((id) => ({ family: family_id, id }));
  }

  /** The person stands for a child, or did, or a court has limited it. */
  async #guardian(family_id: string, child_id: string, user_id: string): Promise<void> {
    const how = this.random.weighted({ stands: 5, over: 2, limited: 2, supervised: 1 });
    const limits = how === 'limited' ? ['no_information'] : how === 'supervised' ? ['supervised'] : [];
    await this.#row('privacy.guardians', {
      ...{ family_id, child_id, user_id, guardian_name: null, basis: 'parent', limits },
      ...{ evidence: ['act_of_birth', 'court_order'], from_date: '2025-03-01', added_by: 'camille.roy' },
      ...(how === 'over' ? { until_date: '2026-01-31' } : {}),
    });
    if (how === 'stands' || how === 'supervised') this.#stoodFor.push(`${family_id}/${child_id}`);
  }

  async #row(table: string, fixed: Values): Promise<Values> {
    const { random } = this;
    const row: Values = { ...fixed };
    if (table !== 'public.users' && table !== 'public.families') row.id ??= random.uuid();
    const planted: [string, string][] = [];
    for (const [column, kind] of Object.entries(PLANTED[table] ?? {})) {
      if (column in fixed || kind === 'list') continue;
      const marker = kind === 'phone' ? String(random.between(2_000_000_000, 9_999_999_999)) : this.#marker();
      planted.push([column, marker]);
      const mention =
        MENTIONING.has(`${table.slice(7)}.${column}`) && this.#mentionable.length > 0
          ? this.#mention()
          : undefined;
      row[column] =
        kind === 'email'
          ? `${marker}@example.ca`
          : kind === 'json'
            ? { note: marker, [mention ?? 'nobody']: [mention, 1.5] }
            : kind === 'array'
              ? [{ at: '2026-01-01', note: marker }]
              : mention === undefined
                ? marker
                : `${marker}, ${mention}; ok`;
    }
    for (const [column, kind] of Object.entries(PLANTED[table] ?? {}))
      if (kind === 'list' && !(column in fixed) && /tokens|data_categories|third_parties/.test(column)) {
        const marker = this.#marker();
        planted.push([column, marker]);
        row[column] = [marker];
      }
    const names = Object.keys(row).join(', ');
    await this.connection.query(
      `insert into ${table} (${names}) select ${names} from json_populate_record(null::${table}, $1)`,
      [JSON.stringify(row)],
    );
    for (const [column, marker] of planted) this.#planted.push({ marker, table, column, row });
    return row;
  }

  #marker(): string {
    return Array.from({ length: 14 }, () => this.random.pick([...'bcdfghjklmnpqrstvwxz'])).join('');
  }

  /** Somebody else, as people write them. */
  #mention(): string {
    const { random } = this;
    const who = random.pick(this.#mentionable);
    if (/^\d{10}$/.test(who))
      return random.pick([
        who,
        `(${who.slice(0, 3)}) ${who.slice(3, 6)}-${who.slice(6)}`,
        `+1 ${who.slice(0, 3)}.${who.slice(3, 6)}.${who.slice(6)}`,
      ]);
    return random.pick([
      who,
      who.toUpperCase(),
      `${who}'s`,
      `${who[0]}\u0301${who.slice(1)}`,
      `${who.slice(0, 3)}\u00ad${who.slice(3)}`,
    ]);
  }
}
