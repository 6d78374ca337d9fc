import { DAY, isoDay } from './calendar.js';
import type { Child } from './children.js';
import type { Household, Person } from './people.js';

/** What a family has at home. */
export interface Stock {
  /** The open box of diapers, by child. */
  readonly openBox: ReadonlyMap<string, string>;
  readonly wipes: string;
  readonly cream: string;
}

interface Product {
  readonly type: string;
  readonly name: string;
  readonly brands: readonly string[];
  readonly pieces: readonly [low: number, high: number];
  readonly cents: readonly [low: number, high: number];
}

const DIAPERS: Product = {
  type: 'diaper',
  name: 'Diapers',
  brands: ['Pampers', 'Huggies', 'Kirkland Signature', "President's Choice", 'Irving Personal Care'],
  pieces: [72, 198],
  cents: [2499, 5499],
};
const WIPES: Product = {
  type: 'wipes',
  name: 'Wipes',
  brands: ['WaterWipes', 'Pampers', 'Huggies'],
  pieces: [9, 12],
  cents: [1899, 3299],
};
const CREAM: Product = {
  type: 'diaper_cream',
  name: 'Diaper cream',
  brands: ['Zincofax', 'Penaten', 'Ihle’s Paste'],
  pieces: [1, 3],
  cents: [899, 1599],
};
const BAGS: Product = {
  type: 'diaper_bags',
  name: 'Scented bags',
  brands: ['Munchkin'],
  pieces: [50, 200],
  cents: [599, 1299],
};
const SHOPS = [
  'Costco',
  'Jean Coutu',
  'Walmart',
  'Shoppers Drug Mart',
  'Well.ca',
  'Real Canadian Superstore',
  'IGA',
];
const PLACES = {
  en: ['nursery', 'closet', 'bathroom', 'garage'],
  fr: ['chambre du bébé', 'garde-robe', 'salle de bain', 'sous-sol'],
};

/** Inventory, and what to buy next. */
export function addStock(home: Household, children: readonly Child[]): Stock {
  const openBox = new Map<string, string>();
  for (const child of children) {
    if (child.size === null) continue;
    openBox.set(child.id, addItem(home, DIAPERS, { child, opened: true }));
    for (let spare = home.random.below(3); spare > 0; spare--)
      addItem(home, DIAPERS, { child, opened: false });
    if (home.random.chance(0.6)) addSuggestion(home, child);
  }
  if (home.random.chance(0.4)) addItem(home, BAGS, { opened: true });
  return {
    openBox,
    wipes: addItem(home, WIPES, { opened: true }),
    cream: addItem(home, CREAM, { opened: true }),
  };
}

function addItem(
  home: Household,
  product: Product,
  use: { readonly child?: Child; readonly opened: boolean },
): string {
  const { random, now, place, rows } = home;
  const id = random.uuid();
  const today = home.calendar.day(place.zone, now);
  const bought = today - random.between(use.opened ? 6 : 1, 20);
  const total = random.between(...product.pieces);
  const remaining = use.opened ? random.below(total + 1) : total;
  const at = new Date(bought * DAY + DAY / 2);
  rows.inventory_items.push({
    family_id: home.id,
    id,
    child_id: use.child?.id ?? null,
    product_type: product.type,
    brand: random.pick(product.brands),
    product_name: product.name,
    size: use.child?.size ?? null,
    quantity_total: total,
    quantity_remaining: remaining,
    quantity_reserved: Math.min(remaining, random.below(6)),
    purchase_date: isoDay(bought),
    purchase_source: random.pick(SHOPS),
    cost_cad: (random.between(...product.cents) / 100).toFixed(2),
    expiry_date: product === CREAM ? isoDay(today + random.between(200, 700)) : null,
    storage_location: random.pick(place.french ? PLACES.fr : PLACES.en),
    is_opened: use.opened,
    opened_date: use.opened ? isoDay(random.between(bought, today - 1)) : null,
    quality_rating: use.opened && random.chance(0.5) ? random.between(2, 5) : null,
    created_by: (home.people[0] as Person).id,
    created_at: at,
    updated_at: at,
  });
  return id;
}

function addSuggestion(home: Household, child: Child): void {
  const { random, now, place, rows } = home;
  const today = home.calendar.day(place.zone, now);
  const runout = today + random.between(-20, 15);
  const created = new Date(now - random.between(0, 20) * DAY);
  rows.reorder_suggestions.push({
    family_id: home.id,
    id: random.uuid(),
    child_id: child.id,
    product_type: 'diaper',
    product: `${random.pick(DIAPERS.brands)} ${child.size}`,
    predicted_runout_date: isoDay(runout),
    recommended_reorder_date: isoDay(runout - 3),
    confidence: (random.between(550, 980) / 1000).toFixed(3),
    status:
      runout < today
        ? random.pick(['accepted', 'dismissed', 'expired'])
        : random.pick(['pending', 'accepted']),
    created_at: created,
    updated_at: created,
  });
}
