import type { TableCommand } from '../explain/table-facts.js';
import type { FamilyTable } from '../family-tables.js';
import type { Standing } from './cases.js';
import { type Declaration, permissionFor, type RowScope } from './declaration.js';

/** What a row of a family is to somebody. */
export interface RowRelation {
  /** Whether it is in the family of the membership. */
  readonly inside: boolean;
  readonly author: boolean;
  /** Whether its event falls on the family's current day. */
  readonly today: boolean;
  /** Whether it is the member's own membership. */
  readonly self: boolean;
}

/** Whether the access table lets a member do something to a row, from what its text says and nothing else. */
export function mayTouch(
  declaration: Declaration,
  standing: Standing,
  table: FamilyTable,
  command: TableCommand,
  row: RowRelation,
): boolean {
  if (command === 'insert' && table === 'families') return row.author && standing.account === 'active';
  if (command === 'insert' && !row.author) return false;
  if (!row.inside) return false;
  switch (scopeFor(declaration, standing, permissionFor(table, command))) {
    case undefined:
      return false;
    case 'all':
      return true;
    case 'own':
      return row.author;
    case 'today':
      return row.today;
    case 'today_own':
      return row.today && row.author;
    case 'self':
      return row.self;
  }
}

/** Whether somebody's membership counts at all. */
export const counts = ({ status, expiry, account }: Standing): boolean =>
  status === 'active' && expiry !== 'past' && account !== 'suspended' && account !== 'pending_deletion';

function scopeFor(declaration: Declaration, standing: Standing, permission: string): RowScope | undefined {
  if (!counts(standing)) return undefined;
  const { role, archived, granted, denied } = standing;
  const reads = permission.endsWith(':read');
  if (archived && !(role === 'family_core' && reads)) return undefined;
  const names = (list: readonly string[]) =>
    list.includes(permission) || (!reads && list.includes(`${permission.split(':')[0]}:write`));
  if (names(denied)) return undefined;
  return names(granted) ? 'all' : declaration.scopeOf(role, permission);
}
