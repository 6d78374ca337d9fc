import { NestctlError } from '../../platform/errors.js';

export type RowKey = Readonly<Record<string, unknown>>;

/** The row that --row names: a JSON object of key columns, or the value of `id`, or of a key of one column. Throws `usage`. */
export function rowKey(input: string, columns: readonly string[], table: string): RowKey {
  if (input.trimStart().startsWith('{')) {
    const key = jsonObject(input, '--row');
    const strange = Object.keys(key).filter((column) => !columns.includes(column));
    if (strange.length === 0 && Object.keys(key).length > 0) return key;
    throw invalid(`${table} has no key column ${strange.join(', ')}`, columns);
  }
  const column = columns.length === 1 ? columns[0] : columns.find((one) => one === 'id');
  if (column === undefined)
    throw invalid(`a row of ${table} is named by ${columns.join(' and ') || 'nothing'}`, columns);
  return { [column]: input };
}

/** A JSON object that a flag holds. Throws `usage`. */
export function jsonObject(input: string, flag: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(input);
  } catch {
    value = undefined;
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new NestctlError(`${flag} is no JSON object.`, {
    kind: 'usage',
    code: 'invalid_json',
    hint: `Write it as ${flag} '{"column":"value"}'.`,
  });
}

function invalid(problem: string, columns: readonly string[]): NestctlError {
  const example = Object.fromEntries(columns.map((column) => [column, '…']));
  return new NestctlError(`--row: ${problem}.`, {
    kind: 'usage',
    code: 'invalid_row',
    hint:
      columns.length === 0
        ? 'The table has no primary key.'
        : `Name it by its key: --row '${JSON.stringify(example)}'`,
  });
}
