import type { Random } from './random.js';

export const PROVINCES = [
  'ON',
  'QC',
  'BC',
  'AB',
  'MB',
  'SK',
  'NS',
  'NB',
  'NL',
  'PE',
  'NT',
  'YT',
  'NU',
] as const;
export type Province = (typeof PROVINCES)[number];

interface City {
  readonly zone: string;
  /** First three characters of its postal codes. */
  readonly forward: readonly string[];
  readonly areaCode: string;
}

interface Region {
  /** Share of Canada's population, in thousandths. */
  readonly weight: number;
  /** Share of families that live in French. */
  readonly french: number;
  readonly cities: readonly City[];
}

const city = (zone: string, areaCode: string, ...forward: string[]): City => ({
  zone: `America/${zone}`,
  areaCode,
  forward,
});

/** Populations as of the 2021 census. A province that spans two zones has a city in each. */
export const REGIONS: Readonly<Record<Province, Region>> = {
  ON: {
    weight: 385,
    french: 0.05,
    cities: [
      city('Toronto', '416', 'M5V', 'M4C', 'M6H', 'M1K'),
      city('Toronto', '613', 'K1P', 'K2G', 'K1N'),
      city('Toronto', '519', 'N6A', 'N2L'),
      city('Winnipeg', '807', 'P9N'),
    ],
  },
  QC: {
    weight: 230,
    french: 0.82,
    cities: [
      city('Toronto', '514', 'H2X', 'H3K', 'H1Y'),
      city('Toronto', '418', 'G1R', 'G7H'),
      city('Toronto', '819', 'J8X', 'J1H'),
    ],
  },
  BC: {
    weight: 135,
    french: 0.02,
    cities: [
      city('Vancouver', '604', 'V6B', 'V5K', 'V3T'),
      city('Vancouver', '250', 'V8W', 'V1Y'),
      city('Dawson_Creek', '250', 'V1G'),
    ],
  },
  AB: {
    weight: 115,
    french: 0.03,
    cities: [city('Edmonton', '403', 'T2P', 'T3A'), city('Edmonton', '780', 'T5J')],
  },
  MB: { weight: 36, french: 0.06, cities: [city('Winnipeg', '204', 'R3C', 'R2H', 'R7A')] },
  SK: { weight: 31, french: 0.02, cities: [city('Regina', '306', 'S4P', 'S7K')] },
  NS: { weight: 26, french: 0.04, cities: [city('Halifax', '902', 'B3J', 'B2Y', 'B1P')] },
  NB: { weight: 21, french: 0.33, cities: [city('Halifax', '506', 'E1C', 'E3B', 'E2L')] },
  NL: {
    weight: 14,
    french: 0.01,
    cities: [city('St_Johns', '709', 'A1C', 'A2H'), city('Goose_Bay', '709', 'A0P')],
  },
  PE: { weight: 4, french: 0.04, cities: [city('Halifax', '902', 'C1A', 'C1N')] },
  NT: { weight: 1, french: 0.03, cities: [city('Yellowknife', '867', 'X1A', 'X0E')] },
  YT: { weight: 1, french: 0.05, cities: [city('Whitehorse', '867', 'Y1A', 'Y0B')] },
  NU: {
    weight: 1,
    french: 0.02,
    cities: [city('Iqaluit', '867', 'X0A'), city('Rankin_Inlet', '867', 'X0C')],
  },
};

/** Every zone that a family may live in. */
export const ZONES = [
  ...new Set(Object.values(REGIONS).flatMap(({ cities }) => cities.map(({ zone }) => zone))),
];

const BY_POPULATION = PROVINCES.map((province) => [province, REGIONS[province].weight] as const);
/** Letters that end a postal code: D, F, I, O, Q and U are never used. */
const POSTAL_LETTERS = 'ABCEGHJKLMNPRSTVWXYZ';

export interface Place {
  readonly province: Province;
  readonly zone: string;
  readonly postalCode: string;
  readonly areaCode: string;
  readonly french: boolean;
}

/** Where a family lives: the first thirteen in each province and territory, the others as people do. */
export function placeOf(random: Random, number: number): Place {
  const province = PROVINCES[number - 1] ?? random.weighted(BY_POPULATION);
  const { cities, french } = REGIONS[province];
  const { zone, forward, areaCode } = random.pick(cities);
  const letter = () => POSTAL_LETTERS[random.below(POSTAL_LETTERS.length)];
  return {
    province,
    zone,
    areaCode,
    postalCode: `${random.pick(forward)} ${random.below(10)}${letter()}${random.below(10)}`,
    french: random.chance(french),
  };
}

/** A number of the block that is kept for fiction. */
export function phoneNumber(random: Random, areaCode: string): string {
  return `+1-${areaCode}-555-01${random.digits(2)}`;
}
