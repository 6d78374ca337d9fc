import * as Flags from '@oclif/core/flags';
import type { Column } from '../views.js';
import { FlagError } from './flag-error.js';
import { countFlag, formatFlag } from './values.js';

/** An order for a list. */
export interface Sort<By extends string = string> {
  /** What the operation calls the column. */
  readonly by: By;
  readonly descending: boolean;
}

type Known<By extends string> = readonly Pick<Column<never, By>, 'name' | 'sort'>[];

/** For rows whose columns are not known before they are there. In its type the flag that every command has is enough. */
export function rowFormats(more: readonly 'sarif'[] = []): Record<never, never> {
  return {
    format: formatFlag(
      ['table', 'json', 'ndjson', 'csv', ...more],
      'how the result is printed; json is the bare result, ndjson and csv are its rows',
    ),
  };
}

/** For every command whose result is rows, whatever its view makes of them; `more` names formats of its own. */
export function rowFlags(
  columns: Known<string>,
  more: readonly 'sarif'[] = [],
): { columns: ReturnType<typeof columnsFlag> } {
  return { ...rowFormats(more), columns: columnsFlag(columns.map(({ name }) => name)) };
}

/** For lists that come whole; sort them with `this.sorted(rows, columns)`. */
export function tableFlags(columns: Known<string>) {
  return {
    ...rowFlags(columns),
    sort: sortFlag(
      columns.map(({ name }) => [name, name]),
      'sort by a column',
    ),
  };
}

/** For lists that come in pages. They are sorted by their operation, before they are cut into pages. */
export function listFlags<By extends string>(options: {
  readonly columns: Known<By>;
  readonly default: number;
  readonly max: number;
}) {
  const { columns, ...limits } = options;
  const sortable = columns.flatMap(({ name, sort }) =>
    sort === undefined ? [] : ([[name, sort]] as [string, By][]),
  );
  return {
    ...rowFlags(columns),
    ...(sortable.length === 0 ? {} : { sort: sortFlag(sortable, 'sort the whole list, not only the page') }),
    cursor: Flags.string({
      description: 'go on where the page before ended',
      helpGroup: 'LIST',
      helpValue: 'CURSOR',
    }),
    limit: countFlag({ description: `rows on a page, at most ${limits.max}`, helpGroup: 'LIST', ...limits }),
  };
}

function sortFlag<By extends string>(sortable: readonly (readonly [name: string, by: By])[], what: string) {
  const names = sortable.map(([name]) => name);
  const parse = async (input: string): Promise<Sort<By>> => {
    const [, name = '', order] = /^(.*?)(?::([^:]*))?$/s.exec(input) ?? [];
    const found = sortable.find((one) => one[0] === name);
    if (found === undefined) throw new FlagError(`it cannot be sorted by "${name}"`, name, names);
    if (order !== undefined && order !== 'asc' && order !== 'desc') {
      throw new Error(`"${order}" is no order: write ${name}:asc or ${name}:desc`);
    }
    return { by: found[1], descending: order === 'desc' };
  };
  return withChoices(
    Flags.custom<Sort<By>>({ parse })({
      description: `${what}: ${names.join(', ')}; with :desc from the largest`,
      helpGroup: 'LIST',
      helpValue: 'COLUMN[:desc]',
    }),
    names,
  );
}

function columnsFlag(names: readonly string[]) {
  return withChoices(
    Flags.custom<string[]>({ parse: async (input) => columnNames(input, names) })({
      description: `the columns to show, in order, separated by commas: ${names.join(', ')}`,
      helpGroup: 'LIST',
      helpValue: 'A,B',
    }),
    names,
  );
}

function columnNames(input: string, known: readonly string[]): string[] {
  const names = input.split(',').map((name) => name.trim());
  for (const name of names) {
    if (name === '') throw new FlagError('name columns, separated by commas', name, known);
    if (!known.includes(name)) throw new FlagError(`there is no column "${name}"`, name, known);
  }
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new Error(`"${twice}" is named twice`);
  return names;
}

/** What may stand there is said where the value is missing. oclif's own `options` would greet a mistake with all of them. */
function withChoices<Flag>(flag: Flag, names: readonly string[]): Flag {
  return Object.assign(flag as object, { choices: `Columns: ${names.join(', ')}.` }) as Flag;
}
