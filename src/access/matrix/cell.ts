import { bypassOf, gatesOf } from '../explain/gates.js';
import type { TableCommand } from '../explain/table-facts.js';
import { allOf, anyOf, type Truth } from '../explain/truth.js';
import type { MatrixTable } from './read-tables.js';

/** Which rows: `own` by author, `self` about the member, `some` what none of these words is for. */
export type Cell = 'all' | 'own' | 'today' | 'today_own' | 'self' | 'some' | 'none' | 'unknown';

/** The truth of each condition of a table on each of the four sample rows: own, another's; today's, then old ones. */
export type Answers = readonly (readonly (boolean | null | string)[])[];

/** The conditions that decide about a table, each once. */
export function conditionsOf(table: MatrixTable): string[] {
  const { policies } = table;
  return [
    ...new Set(
      policies
        .filter(({ for_role }) => for_role)
        .flatMap(({ using, check }) => [using, check].filter((one) => one !== null)),
    ),
  ];
}

/** What a member may do with a command, by what the policies said of the sample rows. */
export function cellOf(
  table: MatrixTable,
  command: TableCommand,
  conditions: readonly string[],
  answers: Answers,
): Cell {
  if (!table.schema_usage || !table.rights[command]) return 'none';
  const reads = command !== 'insert';
  if (reads && command !== 'select' && !table.rights.select) return 'none';
  if (bypassOf(table) !== undefined) return 'all';
  const gates = gatesOf(table, { command, reads });
  const truths = answers.map((row) => {
    const truth = (sql: string) => (asksMore(table, sql) ? 'unknown' : truthOf(row[conditions.indexOf(sql)]));
    return allOf(
      gates.map(({ permissive, restrictive }) =>
        allOf([anyOf(permissive.map(({ sql }) => truth(sql))), ...restrictive.map(({ sql }) => truth(sql))]),
      ),
    );
  });
  // Without any condition there was nothing to ask.
  if (truths.length === 0) return gates.every(({ permissive }) => permissive.length > 0) ? 'unknown' : 'none';
  if (truths.includes('unknown')) return 'unknown';
  const pattern = truths.map((one) => (one === true ? '1' : '0')).join('');
  return PATTERNS[pattern]?.[table.personal ? 1 : 0] ?? 'some';
}

/** Own of today, another's of today, own of old, another's of old. */
const PATTERNS: Readonly<Record<string, readonly [Cell, Cell]>> = {
  '1111': ['all', 'all'],
  '1010': ['own', 'self'],
  '1100': ['today', 'today'],
  '1000': ['today_own', 'today_own'],
  '0000': ['none', 'none'],
};

/** Whether a condition reads a column that the sample rows leave empty, so that its truth for them says nothing. */
function asksMore({ unsampled }: MatrixTable, sql: string): boolean {
  const words = new Set(sql.replace(/'(?:[^']|'')*'|::[\w.]+|\b\w+\.\w+\(/g, ' ').match(/\w+/g));
  return unsampled.some((column) => words.has(column));
}

function truthOf(answer: boolean | null | string | undefined): Truth {
  if (answer === true || answer === 'true') return true;
  if (answer === false || answer === 'false') return false;
  return answer === null || answer === 'null' ? null : 'unknown';
}
