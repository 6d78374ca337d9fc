/** What a condition comes to on a row: SQL's three values, or `unknown` where it could not be evaluated. */
export type Truth = true | false | null | 'unknown';

export function allOf(values: readonly Truth[]): Truth {
  if (values.includes(false)) return false;
  if (values.includes('unknown')) return 'unknown';
  return values.includes(null) ? null : true;
}

export function anyOf(values: readonly Truth[]): Truth {
  if (values.includes(true)) return true;
  if (values.includes('unknown')) return 'unknown';
  return values.includes(null) ? null : false;
}

export function negated(value: Truth): Truth {
  return typeof value === 'boolean' ? !value : value;
}
