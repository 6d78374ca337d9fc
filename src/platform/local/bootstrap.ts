import pg from 'pg';
import type { Connection } from '../database/connection.js';
import { DUTIES } from '../database/session.js';
import { APP, DATABASE, LOGINS, OPERATORS, OWNER, SERVICE } from './identities.js';
import type { Passwords } from './pgpass.js';
import { matchesVerifier, scramVerifier } from './scram.js';

const quote = pg.escapeIdentifier;

/**
 * Makes the logins that are missing and gives each the password it should have; changes nothing where all is
 * well. `connection` is the superuser's. Returns what was made or given a new password.
 */
export async function makeLogins(connection: Connection, passwords: Passwords): Promise<string[]> {
  const there = await connection.query<{ name: string; verifier: string | null }>(
    'select rolname as name, rolpassword as verifier from pg_catalog.pg_authid where rolname = any ($1)',
    [LOGINS.map(({ name }) => name)],
  );
  const changed: string[] = [];
  for (const { name, attributes } of LOGINS) {
    const password = passwords.get(name);
    if (password === undefined) throw new Error(`no password for ${name}`);
    const verifier = there.find((role) => role.name === name)?.verifier;
    if (verifier && matchesVerifier(verifier, password)) continue;
    const verb = there.some((role) => role.name === name) ? 'alter' : 'create';
    const secret = pg.escapeLiteral(scramVerifier(password));
    await connection.query(`${verb} role ${quote(name)} login ${attributes} password ${secret}`);
    changed.push(name);
  }
  return changed;
}

/** Makes a database that the owner owns; false where it is there. `connection` is the superuser's. */
export async function makeDatabase(connection: Connection, name: string = DATABASE): Promise<boolean> {
  const there = await connection.query('select from pg_catalog.pg_database where datname = $1', [name]);
  if (there.length > 0) return false;
  await connection.query(`create database ${quote(name)} owner ${quote(OWNER)}`);
  return true;
}

/**
 * Registers the app login and the operators in a freshly migrated database, and lets the logins take on
 * their roles. Who is registered already is left alone: an operator revoked since then stays revoked.
 * `connection` is the superuser's.
 */
export async function registerLocalIdentities(connection: Connection): Promise<void> {
  await connection.transaction(async () => {
    if (!(await isRegistered(connection, 'private.app_logins', APP))) {
      await grantRoles(connection, APP, ['anon', 'authenticated']);
      await grantRoles(connection, SERVICE, ['service_role']);
      await connection.query('select ops.register_app_login($1)', [APP]);
    }
    for (const { login, name, email } of OPERATORS) {
      if (await isRegistered(connection, 'ops.operators', login)) continue;
      await administer(connection, login);
      await grantRoles(connection, login, ['authenticated']);
      await connection.query('select ops.register_operator($1, $2, $3, $4)', [login, name, email, DUTIES]);
      await countAsOld(connection, login);
    }
  });
}

/** Lets the owner switch a login off that the superuser made: since PostgreSQL 16 CREATEROLE alone does not. */
async function administer(connection: Connection, login: string): Promise<void> {
  const { owner, version } = await connection.one<{ owner: string; version: number }>(
    `select nspowner::regrole::text as owner, current_setting('server_version_num')::int / 10000 as version
     from pg_catalog.pg_namespace where nspname = 'ops'`,
  );
  if (version < 16) return;
  await connection.query(`grant ${quote(login)} to ${owner} with admin true, inherit false, set false`);
}

/**
 * A new operator approves nothing for a day. On a laptop one person plays both operators, and would only wait:
 * these two, made with the cluster by its superuser, count as registered two days ago.
 */
async function countAsOld(connection: Connection, login: string): Promise<void> {
  const longAgo = `interval '2 days'`;
  await connection.query(
    `update ops.operators set registered_at = registered_at - ${longAgo} where login = $1`,
    [login],
  );
  await connection.query(
    `update ops.operator_duties set granted_at = granted_at - ${longAgo} where login = $1`,
    [login],
  );
}

async function isRegistered(connection: Connection, table: string, login: string): Promise<boolean> {
  return (await connection.query(`select from ${table} where login = $1`, [login])).length > 0;
}

/** Grants what is missing, since granting again would be answered with a notice. */
async function grantRoles(connection: Connection, login: string, roles: readonly string[]): Promise<void> {
  const missing = await connection.query<{ role: string }>(
    `select r.rolname as role from pg_catalog.pg_roles r
     where r.rolname = any ($2) and not exists (
       select from pg_catalog.pg_auth_members m
       where m.roleid = r.oid and m.member = (select oid from pg_catalog.pg_roles where rolname = $1))`,
    [login, roles],
  );
  for (const { role } of missing) await connection.query(`grant ${quote(role)} to ${quote(login)}`);
}
