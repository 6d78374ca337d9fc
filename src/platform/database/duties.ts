/** What staff may take on, from the narrowest. Apart from sessions so that a flag can name them without the driver. */
export const DUTIES = ['support', 'compliance', 'sre', 'auditor', 'admin'] as const;
export type Duty = (typeof DUTIES)[number];

/** The database role of a duty. */
export function dutyRole(duty: Duty): string {
  return `nestsync_${duty}`;
}
