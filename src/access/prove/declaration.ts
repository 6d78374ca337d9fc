import type { Connection } from '../../platform/database/connection.js';
import { COMMANDS, type TableCommand } from '../explain/table-facts.js';
import { FAMILY_TABLES, type FamilyTable } from '../family-tables.js';

/** All rights on a table that there are in every supported version. */
export const RIGHTS = [...COMMANDS, 'truncate', 'references', 'trigger'] as const;

export const ROLES = ['family_core', 'extended_family', 'professional', 'institutional'] as const;
export type Role = (typeof ROLES)[number];

/** Which rows of a family: `own` by created_by, `today` by event time, `self` by the member's own row. */
export type RowScope = 'all' | 'own' | 'today' | 'today_own' | 'self';

/** What people may do with rows of their own. No role or permission changes it, so no table of the database holds it. */
export const PERSON_TABLES = {
  users: ['select', 'update'],
  consent_records: ['select', 'insert', 'update'],
  notification_preferences: ['select', 'insert', 'update'],
  notification_logs: ['select'],
  payment_methods: ['select'],
  subscriptions: ['select'],
} as const satisfies Record<string, readonly TableCommand[]>;
export type PersonTable = keyof typeof PERSON_TABLES;

/** Columns that members never write, though they may write others of the table. */
export const NEVER_WRITTEN: Readonly<Record<string, readonly string[]>> = {
  users: ['id', 'status'],
  families: ['archived_at'],
};

/** The only view by which members see rows that their policies do not give them: of people of their families, by name. */
export const PROFILES = 'member_profiles';

export type Table = FamilyTable | PersonTable | 'role_permissions' | typeof PROFILES;
export const TABLES = [
  ...Object.keys(FAMILY_TABLES),
  ...Object.keys(PERSON_TABLES),
  'role_permissions',
  PROFILES,
] as readonly Table[];

export const isFamilyTable = (table: Table): table is FamilyTable => table in FAMILY_TABLES;
export const isPersonTable = (table: Table): table is PersonTable => table in PERSON_TABLES;

const ACTION = { select: 'read', insert: 'insert', update: 'update', delete: 'delete' } as const;

/** `usage:read`. */
export const permissionFor = (table: FamilyTable, command: TableCommand): string =>
  `${FAMILY_TABLES[table]}:${ACTION[command]}`;

/** The access table as the database holds it: role and permission to row scope. */
export class Declaration {
  readonly #scopes: ReadonlyMap<string, RowScope>;
  /** Every permission that some role has, in order. */
  readonly permissions: readonly string[];
  /** The keys of public.role_permissions. */
  readonly keys: readonly string[];

  constructor(rows: readonly { role: string; permission: string; row_scope: RowScope }[]) {
    this.#scopes = new Map(
      rows.map(({ role, permission, row_scope }) => [`${role}/${permission}`, row_scope]),
    );
    this.permissions = [...new Set(rows.map(({ permission }) => permission))].sort();
    this.keys = rows.map(({ role, permission }) => `${role}/${permission}`);
  }

  scopeOf(role: Role, permission: string): RowScope | undefined {
    return this.#scopes.get(`${role}/${permission}`);
  }

  /** Row scopes that some role has for a permission. */
  scopesOf(permission: string): RowScope[] {
    return [...new Set(ROLES.flatMap((role) => this.scopeOf(role, permission) ?? []))];
  }

  /** Whether members are meant to have a command on a table at all. */
  gives(table: Table, command: TableCommand): boolean {
    if (table === 'role_permissions' || table === PROFILES) return command === 'select';
    if (isPersonTable(table)) return (PERSON_TABLES[table] as readonly TableCommand[]).includes(command);
    if (table === 'families' && command === 'insert') return true;
    return this.permissions.includes(permissionFor(table, command));
  }
}

export async function readDeclaration(connection: Connection): Promise<Declaration> {
  return new Declaration(
    await connection.query(
      'select role, permission, row_scope from public.role_permissions order by role, permission',
    ),
  );
}
