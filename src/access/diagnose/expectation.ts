import { NestctlError } from '../../platform/errors.js';
import { COMMANDS, type TableCommand } from '../explain/table-facts.js';
import { FAMILY_TABLES } from '../family-tables.js';

/** By the table, what its permissions are called. */
const RESOURCES: Readonly<Record<string, string>> = FAMILY_TABLES;

/** What a person expects to be able to do with the rows of a family's table. */
export interface Expectation {
  readonly table: string;
  readonly command: TableCommand;
}

/** No role gives these, so nobody can lack them. */
const NOBODYS = ['families:insert', 'families:delete', 'usage_analytics:insert', 'usage_analytics:update'];

/** What everybody expects of a family they belong to. */
export const READING: readonly Expectation[] = [
  { table: 'children', command: 'select' },
  { table: 'usage_logs', command: 'select' },
];
/** And what whoever has a role that gives it. */
export const BY_ROLE: readonly Expectation[] = [
  { table: 'usage_logs', command: 'insert' },
  { table: 'inventory_items', command: 'select' },
  { table: 'inventory_items', command: 'update' },
];

/** `usage_logs`, or `usage_logs:insert`. Throws `usage`. */
export function parseExpectation(input: string): Expectation {
  const [table = '', word = 'select', ...rest] = input.trim().split(':');
  const command = COMMANDS.find((one) => one === word);
  const known = rest.length === 0 && RESOURCES[table] !== undefined && command !== undefined;
  if (
    known &&
    !NOBODYS.includes(`${table}:${command}`) &&
    !(table === 'usage_analytics' && command === 'delete')
  )
    return { table, command };
  throw new NestctlError(`--expects: "${input}" is nothing that a member of a family can be permitted.`, {
    kind: 'usage',
    code: 'invalid_expectation',
    hint: `Write table or table:command. Tables: ${Object.keys(RESOURCES).join(', ')}. Commands: ${COMMANDS.join(', ')}.`,
  });
}

/** As public.role_permissions names it. */
export function permissionOf({ table, command }: Expectation): string {
  return `${RESOURCES[table]}:${command === 'select' ? 'read' : command}`;
}

/** `see the usage logs`, in words that follow "cannot". */
export function phraseOf({ table, command }: Expectation): string {
  const verbs = { select: 'see', insert: 'add', update: 'change', delete: 'delete' };
  return `${verbs[command]} ${table.replaceAll('_', ' ')}`;
}
