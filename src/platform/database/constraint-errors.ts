import { NestctlError } from '../errors.js';
import type { ServerError } from './errors.js';

/** A refusal of class 23 in words. Names table, column and rule; never what was in the row. */
export function constraintError(error: ServerError): NestctlError {
  const conflict = (code: string, what: string, hint?: string) =>
    new NestctlError(`${what}${named(error)}.`, { kind: 'conflict', code, hint });
  const table = error.table ?? 'the database';
  switch (error.code) {
    case '23505': {
      const same = meaning(error);
      return conflict(
        'already_exists',
        same === undefined ? `${table} has it already` : `${table} has one with the same ${same} already`,
      );
    }
    case '23503': {
      // The server names the same table and rule for both; only its English tells them apart.
      if (error.message.startsWith('insert or update')) {
        return conflict('reference_violated', `What ${table} is to refer to is not there`);
      }
      if (error.message.startsWith('update or delete')) {
        return conflict(
          'reference_violated',
          `${table} still refers to it`,
          'What refers to it must go first.',
        );
      }
      return conflict(
        'reference_violated',
        `What ${table} refers to is missing, or ${table} still refers to what was to go`,
      );
    }
    case '23502':
      return conflict(
        'constraint_violated',
        `A rule of the database refused the change: ${column(error)} must say something`,
      );
    case '23514': {
      const rule = meaning(error);
      return conflict(
        'constraint_violated',
        `A rule of the database refused the change: ${table}${rule === undefined ? '' : `, ${rule}`}`,
      );
    }
    case '23P01':
      return conflict('constraint_violated', `${table} has one that overlaps with it`);
    default:
      return conflict('constraint_violated', 'A rule of the database refused the change');
  }
}

/** What a rule is about, by its name: `users_email_key` of `users` is about `email`. */
function meaning({ table, constraint }: ServerError): string | undefined {
  if (constraint === undefined) return undefined;
  const bare =
    table !== undefined && constraint.startsWith(`${table}_`)
      ? constraint.slice(table.length + 1)
      : constraint;
  const words = bare
    .replace(/_?(key|pkey|fkey|check|excl|idx|unique)$/, '')
    .replaceAll('_', ' ')
    .trim();
  return words === '' ? (/pkey$/.test(constraint) ? 'id' : undefined) : words;
}

function column({ table, column: name }: ServerError): string {
  return [table, name].filter((part) => part !== undefined).join('.') || 'a column';
}

function named({ constraint }: ServerError): string {
  return constraint === undefined ? '' : ` (${constraint})`;
}
