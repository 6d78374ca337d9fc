/** What COPY writes: a Date as timestamptz, an array as a PostgreSQL array, bytes as bytea. */
export type Cell = string | number | boolean | Date | Uint8Array | null | readonly (string | number)[];
export type Row = Readonly<Record<string, Cell>>;

/** Tables of a family's own rows, in an order that foreign keys allow; usage logs are streamed apart. */
export const TABLES = [
  'users',
  'families',
  'family_members',
  'family_invitations',
  'children',
  'emergency_profiles',
  'inventory_items',
  'reorder_suggestions',
  'analytics_events',
  'notification_preferences',
  'notification_logs',
  'subscriptions',
  'payment_methods',
  'consent_records',
] as const;
export type Table = (typeof TABLES)[number];

/** Rows by table. All rows of a table have the same columns in the same order. */
export type Rows = { readonly [T in Table]: Row[] };

export function noRows(): Rows {
  return Object.fromEntries(TABLES.map((table) => [table, []])) as unknown as Rows;
}

/** One row in COPY's text format, with its newline. */
export function copyLine(cells: readonly Cell[]): string {
  return `${cells.map((cell) => (cell === null ? '\\N' : escaped(textOf(cell)))).join('\t')}\n`;
}

function textOf(cell: Exclude<Cell, null>): string {
  if (typeof cell === 'string') return cell;
  if (typeof cell !== 'object') return String(cell);
  if (cell instanceof Date) return cell.toISOString();
  if (cell instanceof Uint8Array) return `\\x${Buffer.from(cell).toString('hex')}`;
  return `{${cell.map((item) => JSON.stringify(item)).join(',')}}`;
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

function escaped(text: string): string {
  return /[\\\t\n\r]/.test(text)
    ? text.replaceAll(/[\\\t\n\r]/g, (character) => ESCAPES[character] ?? '')
    : text;
}
