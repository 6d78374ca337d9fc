import { randomBytes } from 'node:crypto';
import type { FamilyTable } from '../family-tables.js';
import type { PersonTable } from './declaration.js';

export type Values = Readonly<Record<string, unknown>>;

const DAY = 86_400_000;
let dates = 0;

/** A child has one row a day and period. */
const nextDate = () => new Date((dates++ % 36_500) * DAY).toISOString().slice(0, 10);

/** What a valid row of a family-owned table holds beside its key and author. `at`: of the event, milliseconds. */
export function familyValues(table: FamilyTable, child: string, at: number): Values {
  const when = new Date(at).toISOString();
  switch (table) {
    case 'family_invitations': {
      const token = randomBytes(16).toString('hex');
      return {
        email: `${token}@prove.invalid`,
        role: 'institutional',
        token_hash: `\\x${token}`,
        status: 'pending',
        granted_permissions: [],
        denied_permissions: [],
      };
    }
    case 'children':
      return { name: 'nestctl access prove', date_of_birth: '2025-03-01' };
    case 'emergency_profiles':
      return { child_id: child, contact_name: 'nestctl access prove' };
    case 'inventory_items':
      return { child_id: child, product_type: 'diaper', quantity_total: 40, quantity_remaining: 20 };
    case 'usage_logs':
      return { child_id: child, usage_type: 'diaper_change', logged_at: when };
    case 'reorder_suggestions':
      return { child_id: child, product_type: 'wipes', product: 'nestctl access prove' };
    case 'analytics_events':
      return { event_type: 'opened', occurred_at: when };
    case 'usage_analytics':
      return {
        child_id: child,
        period: 'day',
        period_start: nextDate(),
        change_count: 1,
      };
    case 'families':
    case 'family_members':
      return {};
  }
}

export const PERSON_VALUES: Readonly<Record<Exclude<PersonTable, 'users'>, Values>> = {
  consent_records: {
    consent_type: 'marketing',
    status: 'granted',
    consent_version: '1',
    granted_at: '2026-01-01',
  },
  notification_preferences: { daily_limit: 5 },
  notification_logs: {
    notification_type: 'reorder',
    channel: 'push',
    title: 'nestctl',
    message: 'access prove',
  },
  payment_methods: { card_brand: 'none', card_last4: '0000' },
  subscriptions: { plan: 'family', status: 'canceled', province: 'QC', started_at: '2026-01-01' },
};
