import type { Province } from './places.js';

export interface Taxes {
  readonly gst: number;
  readonly pst: number;
  readonly hst: number;
  readonly qst: number;
}

const NONE: Taxes = { gst: 0, pst: 0, hst: 0, qst: 0 };
const GST: Taxes = { ...NONE, gst: 5 };

/** Rates in per cent since 2025-04-01, when Nova Scotia went from 15 to 14. */
export const TAX_RATES: Readonly<Record<Province, Taxes>> = {
  AB: GST,
  BC: { ...GST, pst: 7 },
  MB: { ...GST, pst: 7 },
  NB: { ...NONE, hst: 15 },
  NL: { ...NONE, hst: 15 },
  NS: { ...NONE, hst: 14 },
  NT: GST,
  NU: GST,
  ON: { ...NONE, hst: 13 },
  PE: { ...NONE, hst: 15 },
  QC: { ...GST, qst: 9.975 },
  SK: { ...GST, pst: 6 },
  YT: GST,
};

/** What a province adds to an amount in cents; in cents, each tax on the amount itself. */
export function taxesOn(cents: number, province: Province): Taxes {
  const rates = TAX_RATES[province];
  // In thousandths of a per cent, so that half a cent is exactly half a cent.
  const of = (rate: number) => Math.round((cents * Math.round(rate * 1000)) / 100_000);
  return { gst: of(rates.gst), pst: of(rates.pst), hst: of(rates.hst), qst: of(rates.qst) };
}
