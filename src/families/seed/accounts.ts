import { DAY } from './calendar.js';
import type { Household, Person } from './people.js';
import { taxesOn } from './taxes.js';

const dollars = (cents: number) => (cents / 100).toFixed(2);

/** What belongs to each person: consents, notifications, and for the founder the subscription and its card. */
export function addAccounts(home: Household): void {
  for (const person of home.people) {
    addConsents(home, person);
    addPreferences(home, person);
    if (person.role === 'family_core') addNotifications(home, person);
  }
  const [founder] = home.people;
  if (founder !== undefined && addSubscription(home, founder)) addPaymentMethod(home, founder);
  addEvents(home);
}

type ConsentType =
  | 'privacy_policy'
  | 'terms_of_service'
  | 'marketing'
  | 'analytics'
  | 'child_data'
  | 'emergency_data';

const PURPOSES: Readonly<Record<ConsentType, string>> = {
  privacy_policy: 'Use of the service',
  terms_of_service: 'Use of the service',
  marketing: 'Offers by e-mail',
  analytics: 'Improving predictions',
  child_data: "Planning for one's own children",
  emergency_data: 'Care in an emergency',
};

function addConsents(home: Household, person: Person): void {
  const { random, place, rows, now } = home;
  const kinds: ConsentType[] = ['privacy_policy', 'terms_of_service', 'marketing', 'analytics'];
  if (person.role === 'family_core') kinds.push('child_data', 'emergency_data');
  for (const type of kinds) {
    const optional = type === 'marketing' || type === 'analytics';
    const status = optional
      ? random.pick(['granted', 'granted', 'denied', 'withdrawn', 'expired'] as const)
      : 'granted';
    const granted = status === 'denied' ? null : person.joinedAt;
    const ended =
      granted === null
        ? null
        : granted + random.between(1, Math.max(1, Math.floor((now - granted) / DAY)) * 24) * (DAY / 24);
    rows.consent_records.push({
      user_id: person.id,
      id: random.uuid(),
      consent_type: type,
      status,
      consent_version: random.pick(['2025-06', '2026-01']),
      granted_at: granted === null ? null : new Date(granted),
      withdrawn_at: status === 'withdrawn' && ended !== null ? new Date(ended) : null,
      expires_at: status === 'expired' && ended !== null ? new Date(ended) : null,
      // Documentation addresses (RFC 5737).
      ip_address: `203.0.113.${random.between(1, 254)}`,
      user_agent: random.pick(['NestSync/1.2 (iOS 18.1)', 'NestSync/1.2 (Android 15)', 'Mozilla/5.0']),
      legal_basis: place.province === 'QC' ? 'Loi 25' : 'PIPEDA',
      purpose: PURPOSES[type],
      data_categories: type === 'child_data' ? ['child', 'health'] : ['account'],
      province: place.province,
      consent_method: 'app',
      created_at: new Date(person.joinedAt),
      updated_at: new Date(status === 'withdrawn' && ended !== null ? ended : person.joinedAt),
    });
  }
}

function addPreferences(home: Household, person: Person): void {
  const { random, rows } = home;
  const quiet = random.chance(0.6);
  const joined = new Date(person.joinedAt);
  rows.notification_preferences.push({
    user_id: person.id,
    id: random.uuid(),
    push_enabled: random.chance(0.8),
    email_enabled: random.chance(0.7),
    sms_enabled: random.chance(0.1),
    quiet_hours_start: quiet ? '21:00' : null,
    quiet_hours_end: quiet ? '06:30' : null,
    reorder_threshold_days: random.between(2, 7),
    daily_limit: random.pick([5, 10, 20]),
    device_tokens: [`fictitious-${random.uuid()}`],
    consented_at: joined,
    created_at: joined,
    updated_at: joined,
  });
}

const TEXTS = {
  en: { title: 'Running low', message: 'Diapers will last about three more days.' },
  fr: { title: 'Bientôt à court', message: 'Il reste des couches pour environ trois jours.' },
} as const;

function addNotifications(home: Household, person: Person): void {
  const { random, rows, now } = home;
  for (let count = random.between(1, 5); count > 0; count--) {
    const created = now - random.below(Math.min(30 * DAY, now - person.joinedAt));
    const status = random.weighted(DELIVERIES);
    const sent = status === 'pending' ? null : created + 2_000;
    const arrived = status === 'delivered' || status === 'opened' ? created + 5_000 : null;
    rows.notification_logs.push({
      user_id: person.id,
      id: random.uuid(),
      notification_type: 'reorder_reminder',
      priority: random.pick(['normal', 'normal', 'high']),
      channel: random.pick(['push', 'push', 'email']),
      ...TEXTS[person.language],
      delivery_status: status,
      sent_at: sent && new Date(sent),
      delivered_at: arrived && new Date(arrived),
      opened_at: status === 'opened' ? new Date(created + 600_000) : null,
      error_code: status === 'failed' ? 'device_unregistered' : null,
      created_at: new Date(created),
      updated_at: new Date(created),
    });
  }
}

const DELIVERIES = [
  ['opened', 45],
  ['delivered', 40],
  ['sent', 5],
  ['failed', 7],
  ['pending', 3],
] as const;

const PLANS = {
  free: { tier: 'free', cents: 0 },
  family: { tier: 'family', cents: 1999 },
  professional: { tier: 'professional', cents: 3499 },
} as const;

/** False where nothing is paid for. */
function addSubscription(home: Household, person: Person): boolean {
  const { random, place, rows, now, institution } = home;
  const plan = institution
    ? PLANS.professional
    : random.pick([PLANS.free, PLANS.family, PLANS.family, PLANS.professional]);
  const yearly = plan.cents > 0 && random.chance(0.25);
  const amount = yearly ? plan.cents * 10 : plan.cents;
  const taxes = taxesOn(amount, place.province);
  const status = plan.cents === 0 ? 'active' : random.weighted(SUBSCRIPTION_STATES);
  const started = person.joinedAt;
  const ended = status === 'canceled' || status === 'expired' ? started + (now - started) / 2 : null;
  rows.subscriptions.push({
    user_id: person.id,
    id: random.uuid(),
    plan: plan.cents === 0 ? 'free' : `${plan.tier}_${yearly ? 'yearly' : 'monthly'}`,
    tier: plan.tier,
    status,
    billing_interval: yearly ? 'year' : 'month',
    amount: dollars(amount),
    gst: dollars(taxes.gst),
    pst: dollars(taxes.pst),
    hst: dollars(taxes.hst),
    qst: dollars(taxes.qst),
    province: place.province,
    stripe_customer_id: plan.cents === 0 ? null : `cus_fictitious_${random.digits(10)}`,
    stripe_subscription_id: plan.cents === 0 ? null : `sub_fictitious_${random.digits(10)}`,
    trial_ends_at: status === 'trialing' ? new Date(now + 7 * DAY) : null,
    cooling_off_ends_at: new Date(started + 10 * DAY),
    started_at: new Date(started),
    ended_at: ended && new Date(ended),
    created_at: new Date(started),
    updated_at: new Date(ended ?? started),
  });
  return plan.cents > 0;
}

const SUBSCRIPTION_STATES = [
  ['active', 75],
  ['trialing', 10],
  ['past_due', 5],
  ['canceled', 7],
  ['expired', 3],
] as const;

function addPaymentMethod(home: Household, person: Person): void {
  const { random, rows } = home;
  const card = random.chance(0.9);
  const joined = new Date(person.joinedAt);
  rows.payment_methods.push({
    user_id: person.id,
    id: random.uuid(),
    method_type: card ? 'card' : 'acss_debit',
    card_brand: card ? random.pick(['visa', 'mastercard', 'amex']) : null,
    card_last4: card ? random.pick(['4242', '4444', '0005']) : null,
    card_exp_month: card ? random.between(1, 12) : null,
    card_exp_year: card ? random.between(2027, 2031) : null,
    is_default: true,
    stripe_payment_method_id: `pm_fictitious_${random.digits(10)}`,
    created_at: joined,
    updated_at: joined,
  });
}

function addEvents(home: Household): void {
  const { random, rows, now } = home;
  for (let count = random.between(1, 4); count > 0; count--) {
    const at = new Date(now - random.below(20 * DAY));
    rows.analytics_events.push({
      family_id: home.id,
      id: random.uuid(),
      event_type: random.pick(['app_opened', 'report_viewed', 'reorder_opened', 'size_changed']),
      properties: JSON.stringify({ platform: random.pick(['ios', 'android', 'web']) }),
      occurred_at: at,
      created_by: random.pick(home.people).id,
      created_at: at,
      updated_at: at,
    });
  }
}
