import type { Raw } from './views.js';

/**
 * Rows by one value: numbers and times by size, text as people sort it, arrays by their text. What has no value comes
 * last, and rows with the same value keep their order.
 */
export function sortRows<Row>(
  rows: readonly Row[],
  valueIn: (row: Row) => Raw,
  descending: boolean,
): readonly Row[] {
  const { compare } = new Intl.Collator('en', { numeric: true });
  const order = (a: Raw, b: Raw): number => {
    const [left, right] = [sortable(a), sortable(b)];
    if (left === undefined || right === undefined)
      return Number(left === undefined) - Number(right === undefined);
    const less =
      typeof left === 'string' || typeof right === 'string'
        ? compare(String(left), String(right))
        : left < right
          ? -1
          : left > right
            ? 1
            : 0;
    return descending ? -less : less;
  };
  return [...rows].sort((a, b) => order(valueIn(a), valueIn(b)));
}

function sortable(value: Raw): string | number | bigint | undefined {
  if (value === null || value === undefined || typeof value === 'string') return value ?? undefined;
  if (typeof value === 'boolean') return Number(value);
  if (typeof value === 'number' || typeof value === 'bigint') return value;
  return value instanceof Date ? value.getTime() : JSON.stringify(value);
}
