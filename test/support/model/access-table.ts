/**
 * The declared access table for members, copied by hand and kept apart from the one that the migrations seed:
 * agreement between the two means something only while neither reads the other.
 */
export const ROLES = ['family_core', 'extended_family', 'professional', 'institutional'] as const;
export type Role = (typeof ROLES)[number];

export const COMMANDS = ['select', 'insert', 'update', 'delete'] as const;
export type Command = (typeof COMMANDS)[number];

/** Which rows of the family: `own` by created_by, `today` by event time in the family's zone, `self` by user. */
export type Scope = 'all' | 'own' | 'today' | 'today_own' | 'self';

type Line = Partial<Record<Command, Scope>>;
interface Declaration {
  /** The name by which single members are granted or denied it. */
  readonly resource: string;
  readonly roles: Readonly<Record<Role, Line>>;
}

const ALL: Line = { select: 'all', insert: 'all', update: 'all', delete: 'all' };
const READ: Line = { select: 'all' };

export const FAMILY_TABLES = {
  families: {
    resource: 'family',
    roles: {
      family_core: { select: 'all', update: 'all' },
      extended_family: READ,
      professional: READ,
      institutional: READ,
    },
  },
  family_members: {
    resource: 'members',
    roles: {
      family_core: ALL,
      extended_family: READ,
      professional: { select: 'self' },
      institutional: { select: 'self' },
    },
  },
  family_invitations: {
    resource: 'invitations',
    roles: { family_core: ALL, extended_family: {}, professional: {}, institutional: {} },
  },
  children: {
    resource: 'children',
    roles: { family_core: ALL, extended_family: READ, professional: READ, institutional: READ },
  },
  emergency_profiles: {
    resource: 'emergency',
    roles: { family_core: ALL, extended_family: READ, professional: READ, institutional: READ },
  },
  inventory_items: {
    resource: 'inventory',
    roles: {
      family_core: ALL,
      extended_family: { select: 'all', insert: 'all', update: 'all' },
      professional: {},
      institutional: {},
    },
  },
  usage_logs: {
    resource: 'usage',
    roles: {
      family_core: ALL,
      extended_family: { select: 'all', insert: 'all', update: 'own', delete: 'own' },
      professional: { select: 'all', insert: 'all', update: 'own' },
      institutional: { select: 'today', insert: 'today', update: 'today_own' },
    },
  },
  reorder_suggestions: {
    resource: 'reorder',
    roles: { family_core: ALL, extended_family: READ, professional: {}, institutional: {} },
  },
  analytics_events: {
    resource: 'events',
    roles: {
      family_core: { select: 'all', insert: 'own' },
      extended_family: { insert: 'own' },
      professional: { insert: 'own' },
      institutional: { insert: 'own' },
    },
  },
  usage_analytics: {
    resource: 'analytics',
    roles: { family_core: READ, extended_family: READ, professional: READ, institutional: {} },
  },
} as const satisfies Record<string, Declaration>;

/** What a person may do with rows of their own; the service writes the rest. */
export const USER_TABLES = {
  users: ['select', 'update'],
  notification_preferences: ['select', 'insert', 'update'],
  consent_records: ['select', 'insert', 'update'],
  notification_logs: ['select'],
  payment_methods: ['select'],
  subscriptions: ['select'],
} as const satisfies Record<string, readonly Command[]>;

export type FamilyTable = keyof typeof FAMILY_TABLES;
export type UserTable = keyof typeof USER_TABLES;
export type Table = FamilyTable | UserTable | 'role_permissions';

export const TABLES = [
  ...Object.keys(FAMILY_TABLES),
  ...Object.keys(USER_TABLES),
  'role_permissions',
] as readonly Table[];

export const declarationOf = (table: FamilyTable): Declaration => FAMILY_TABLES[table];

export const isFamilyTable = (table: Table): table is FamilyTable => table in FAMILY_TABLES;

const ACTIONS = { select: 'read', insert: 'insert', update: 'update', delete: 'delete' } as const;

/** `usage:read`, as members' lists name it. */
export const permission = (table: FamilyTable, command: Command): string =>
  `${declarationOf(table).resource}:${ACTIONS[command]}`;

/** Every pair that some role has: only those can be granted or denied. */
export const PERMISSIONS: readonly { table: FamilyTable; command: Command }[] = (
  Object.keys(FAMILY_TABLES) as FamilyTable[]
).flatMap((table) =>
  COMMANDS.filter((command) =>
    ROLES.some((role) => declarationOf(table).roles[role][command] !== undefined),
  ).map((command) => ({ table, command })),
);

/** All names that a member's lists may hold: each permission, and `resource:write` for its three writes. */
export const PERMISSION_NAMES: readonly string[] = [
  ...new Set(
    PERMISSIONS.flatMap(({ table, command }) => [
      permission(table, command),
      ...(command === 'select' ? [] : [`${declarationOf(table).resource}:write`]),
    ]),
  ),
];
