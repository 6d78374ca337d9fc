import type { Jurisdiction } from './holidays.js';

export const REGIMES = ['pipeda', 'law25'] as const;
export type Regime = (typeof REGIMES)[number];

/** Why a reply may take longer, in the words of PIPEDA s. 8(4). */
export const EXTENSION_GROUNDS = ['unreasonable_interference', 'consultation', 'conversion'] as const;
export type ExtensionGround = (typeof EXTENSION_GROUNDS)[number];

export interface RegimeRules {
  readonly name: string;
  /** Whose holidays move a limit that falls on one, and by which section. */
  readonly holidays: { readonly jurisdiction: Jurisdiction; readonly law: string };
  /** Days after the day of receipt. */
  readonly reply: { readonly days: number; readonly law: string };
  /** Absent where the law knows none. `days`: the most; null where the law sets no number. */
  readonly extension?: {
    readonly days: Readonly<Record<ExtensionGround, number | null>>;
    /** Days after the date of the request within which the person is told. */
    readonly noticeDays: number;
    readonly law: string;
  };
  /** Silence beyond the limit is a refusal. */
  readonly deemedRefusal: string;
  /** How long the person can complain after a refusal. */
  readonly recourse: {
    readonly months: number;
    readonly days: number;
    readonly to: string;
    readonly law: string;
  };
}

export const RULES: Readonly<Record<Regime, RegimeRules>> = {
  pipeda: {
    name: 'PIPEDA (S.C. 2000, c. 5)',
    holidays: { jurisdiction: 'canada', law: 'Interpretation Act (R.S.C. 1985, c. I-21), ss. 26, 27(5), 35' },
    reply: { days: 30, law: 'PIPEDA s. 8(3)' },
    extension: {
      days: { unreasonable_interference: 30, consultation: 30, conversion: null },
      noticeDays: 30,
      law: 'PIPEDA s. 8(4)',
    },
    deemedRefusal: 'PIPEDA s. 8(5)',
    recourse: {
      months: 6,
      days: 0,
      to: 'the Privacy Commissioner of Canada',
      law: 'PIPEDA s. 11(2)',
    },
  },
  law25: {
    name: 'Act respecting the protection of personal information in the private sector (CQLR c. P-39.1)',
    holidays: { jurisdiction: 'quebec', law: 'Interpretation Act (CQLR c. I-16), ss. 52, 61(23)' },
    reply: { days: 30, law: 'CQLR c. P-39.1, s. 32' },
    deemedRefusal: 'CQLR c. P-39.1, s. 32',
    recourse: {
      months: 0,
      days: 30,
      to: "the Commission d'accès à l'information",
      law: 'CQLR c. P-39.1, s. 43',
    },
  },
};
