import pg from 'pg';
import type { Table } from './declaration.js';
import type { Values } from './values.js';

/** What is set where the row shall stay as it is. Nothing of the row is read, or the policies for SELECT would apply. */
const TOUCH: Partial<Record<Table, string>> = {
  users: `language = 'fr'`,
  families: `description = 'x'`,
  children: `name = 'x'`,
  usage_logs: `notes = 'x'`,
  role_permissions: `row_scope = 'all'`,
};

export const update = (table: Table, set = TOUCH[table] ?? 'updated_at = now()') =>
  `update public.${table} set ${set}`;
export const remove = (table: Table) => `delete from public.${table}`;

export function insertInto(table: Table, values: Values): string {
  const columns = Object.keys(values).map((name) => pg.escapeIdentifier(name));
  return `insert into public.${table} (${columns}) select ${columns} from jsonb_populate_record(null::public.${table}, ${pg.escapeLiteral(JSON.stringify(values))})`;
}
