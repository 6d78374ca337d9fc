import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Connection } from '../database/connection.js';
import { DUTIES, dutyRole } from '../database/duties.js';
import { NestctlError } from '../errors.js';
import { sqlPath } from '../package-root.js';

const API_ROLES = ['anon', 'authenticated', 'service_role'] as const;
const DUTY_ROLES = DUTIES.map(dutyRole);

/** The cluster-wide roles that sql/roles.sql makes. */
export const CLUSTER_ROLES: readonly string[] = [...API_ROLES, ...DUTY_ROLES];

/** Attributes that would let a role past Row Level Security or in by itself. */
const ATTRIBUTES = {
  rolcanlogin: 'nologin',
  rolsuper: 'nosuperuser',
  rolbypassrls: 'nobypassrls',
  rolcreaterole: 'nocreaterole',
  rolreplication: 'noreplication',
} as const;

type Attribute = keyof typeof ATTRIBUTES;

/** What must be off, by role. Supabase gives service_role BYPASSRLS, and that is its meaning. */
const FORBIDDEN: Record<string, readonly Attribute[]> = {
  ...Object.fromEntries(DUTY_ROLES.map((role) => [role, Object.keys(ATTRIBUTES) as Attribute[]])),
  anon: ['rolsuper', 'rolbypassrls', 'rolcreaterole'],
  authenticated: ['rolsuper', 'rolbypassrls', 'rolcreaterole'],
};

type RoleRow = { rolname: string } & Record<Attribute, boolean>;

export interface RolesPlan {
  readonly missing: readonly string[];
  /** Rights that later commands need and the owner lacks, each as SQL for a DBA. */
  readonly advice: readonly string[];
}

/**
 * Looks what the roles step would do, changing nothing. Throws `not_allowed` with the exact SQL for a DBA
 * where the owner cannot do it, or where a role has a power that it must not have.
 */
export async function planRoles(connection: Connection): Promise<RolesPlan> {
  const [owner] = await connection.query<{ name: string; may_create: boolean }>(
    `select current_user as name, rolcreaterole or rolsuper as may_create
     from pg_catalog.pg_roles where rolname = current_user`,
  );
  const there = await connection.query<RoleRow>(
    `select rolname, ${Object.keys(ATTRIBUTES).join(', ')} from pg_catalog.pg_roles where rolname = any ($1)`,
    [CLUSTER_ROLES],
  );
  const missing = CLUSTER_ROLES.filter((role) => !there.some(({ rolname }) => rolname === role));
  const orders = there.flatMap(alterations);
  if (owner?.may_create !== true) orders.unshift(...missing.map((role) => `create role ${role} nologin;`));
  if (orders.length > 0) throw needsDba(owner?.name ?? '', orders);
  return { missing, advice: await missingAdminRights(connection, owner?.name ?? '') };
}

/** Makes the missing roles and returns them. Safe while another database of the cluster does the same. */
export async function makeRoles(connection: Connection, plan: RolesPlan): Promise<readonly string[]> {
  if (plan.missing.length === 0) return [];
  const script = await readFile(sqlPath('roles.sql'), 'utf8');
  for (let attempt = 1; ; attempt++) {
    try {
      await connection.client.query(script);
      return plan.missing;
    } catch (error) {
      if (attempt === 10 || !isRace(error)) throw error;
      await sleep(50 * attempt);
    }
  }
}

/** Shared catalogues know no row locks for DDL: the loser of a race gets one of these. */
function isRace(error: unknown): boolean {
  const { code, message } = error as pg.DatabaseError;
  return code === '42710' || code === '23505' || (code === 'XX000' && /concurrently/.test(message));
}

function alterations(role: RoleRow): string[] {
  const wrong = (FORBIDDEN[role.rolname] ?? []).filter((attribute) => role[attribute]);
  if (wrong.length === 0) return [];
  return [`alter role ${role.rolname} ${wrong.map((attribute) => ATTRIBUTES[attribute]).join(' ')};`];
}

/** Since PostgreSQL 16 only who has the ADMIN option of a role can hand it to an operator. */
async function missingAdminRights(connection: Connection, owner: string): Promise<string[]> {
  const rows = await connection.query<{ rolname: string }>(
    `select r.rolname from pg_catalog.pg_roles r, pg_catalog.pg_roles o
     where r.rolname = any ($1) and o.rolname = current_user and not o.rolsuper
       and not pg_catalog.pg_has_role(o.oid, r.oid, 'member with admin option')
       and (not o.rolcreaterole or current_setting('server_version_num')::int >= 160000)
     order by array_position($1, r.rolname::text)`,
    [[...DUTY_ROLES, 'authenticated']],
  );
  return rows.map(({ rolname }) => `grant ${rolname} to ${quoteIdentifier(owner)} with admin option;`);
}

function needsDba(owner: string, orders: readonly string[]): NestctlError {
  return new NestctlError(`${owner} may not make the roles that the database needs. Nothing was changed.`, {
    kind: 'not_allowed',
    code: 'roles_missing',
    hint: `A DBA has to run this, once for the whole cluster:\n${orders.join('\n')}`,
    next: 'nestctl db migrate',
  });
}

/** An identifier as SQL writes it, quoted where it must be. */
export function quoteIdentifier(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}
