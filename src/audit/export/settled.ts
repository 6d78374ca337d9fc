import type { Sql } from 'sql-template-tag';

export interface Settled {
  readonly text: string;
  /** Settings that hold the values, to be made for the transaction. */
  readonly settings: readonly (readonly [name: string, value: string])[];
}

/**
 * A statement for COPY, which takes no parameters: its values stand in settings of the transaction, and the text names
 * those. Each value must be followed by a cast to its type.
 */
export function settled(statement: Sql): Settled {
  const settings = statement.values.map((value, at): [string, string] => [
    `nestctl.value_${at + 1}`,
    asText(value),
  ]);
  return {
    text: statement.text.replace(/\$(\d+)/g, (_, number) => `current_setting('nestctl.value_${number}')`),
    settings,
  };
}

function asText(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) {
    return `{${value.map((item) => `"${String(item).replace(/["\\]/g, '\\$&')}"`).join(',')}}`;
  }
  if (['string', 'number', 'bigint', 'boolean'].includes(typeof value)) return String(value);
  throw new Error('such a value cannot stand in a setting');
}
