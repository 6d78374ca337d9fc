import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Connection, connect, withConnection } from '../../src/platform/database/connection.js';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import {
  type Catalogue,
  catalogue,
  type Migration,
  migrate,
  migrationStatus,
  readDocuments,
  readMigrations,
  rollback,
  staleDocuments,
} from '../../src/platform/migrations/index.js';
import { type EmptyDatabase, SYSTEMS, type SystemServer, startSystem, VERSIONS } from '../support/servers.js';

const migrations: readonly Migration[] = await readMigrations();
const names = migrations.map(({ name }) => name);

describe.each(SYSTEMS)('$title', ({ version, kind }) => {
  let server: SystemServer;
  let database: EmptyDatabase;
  let owner: Connection;

  const up = (to?: string) => migrate({ target: database.owner, to });
  // As in a local context: the audit events of the migrations' own reference rows go too.
  const down = (steps: number) => rollback({ target: database.owner, steps, allowDataLoss: true });

  /** Step by step on the oldest and the newest, whose catalogues differ most, with either kind of owner; on the others all at once. */
  const single = version === (kind === 'plain' ? VERSIONS[0] : VERSIONS.at(-1));

  let facts: object;
  let empty: Partial<Catalogue>;
  let before: Awaited<ReturnType<typeof surroundings>>;
  /** After each of them in their order, or after the last alone. */
  const after: Catalogue[] = [];
  beforeAll(async () => {
    server = await startSystem({ version, kind });
    database = await server.emptyDatabase('systems');
    owner = await connect(database.owner);
    facts = await owner.one(
      `select current_setting('server_version_num')::int / 10000 as version, rolsuper as super,
              rolbypassrls as bypassrls, rolcreaterole as createrole, to_regprocedure('auth.uid()') is not null as auth
       from pg_roles where rolname = current_user`,
    );
    [empty, before] = [await foreignParts(owner), await surroundings()];
    for (const name of single ? names : names.slice(-1)) {
      await up(name);
      after.push(await catalogue(owner));
    }
  }, 600_000);
  afterAll(async () => {
    await owner?.close();
    await server?.stop();
  });

  const surroundings = async () => ({
    extensions: await owner.query(
      'select extname, extnamespace::regnamespace::text from pg_extension order by 1',
    ),
    auth: kind === 'supabase' ? await schemaOf(database.superuser, 'auth') : undefined,
  });

  it('is what it says', () => {
    const supabase = kind === 'supabase';
    expect(facts).toEqual({
      version,
      super: false,
      bypassrls: supabase,
      createrole: true,
      auth: supabase,
    });
  });

  it('needs no extension, leaves Supabase as it was, and owns all that it made', async () => {
    expect(await surroundings()).toEqual(before);
    const { relations } = await catalogue(owner, {
      schemas: ['public', 'private', 'audit', 'privacy', 'ops'],
    });
    expect(new Set(relations.map((relation) => relation.owner))).toEqual(new Set([server.owner]));
  });

  it('is described by sql/docs, word for word', async () => {
    expect(await staleDocuments(await readDocuments(owner)), 'run `nestctl db docs`').toEqual([]);
  });

  it('each goes down to the catalogue that was before it, and all go up again to the same with the same rows', async () => {
    const rows = await referenceRows(owner);
    expect(rows.length).toBeGreaterThan(0);
    for (let at = names.length - 1; single && at > 0; at -= 1) {
      await down(1);
      expect(await catalogue(owner), `${names[at]} down`).toEqual(after[at - 1]);
    }
    await down(single ? 1 : names.length);
    expect(await foreignParts(owner)).toEqual(empty);
    await up();
    expect(await catalogue(owner)).toEqual(after.at(-1));
    expect(await referenceRows(owner)).toEqual(rows);
    expect(new Set((await migrationStatus(database.owner)).map(({ state }) => state))).toEqual(
      new Set(['applied']),
    );
  });
});

/** The catalogue without the migrator's own tables, which stay. */
async function foreignParts(connection: Connection): Promise<Partial<Catalogue>> {
  const all = await catalogue(connection);
  const foreign = <T extends { schema: string }>(list: readonly T[]) =>
    list.filter(({ schema }) => schema !== 'ops');
  return {
    schemas: all.schemas.filter(({ name }) => name !== 'ops'),
    relations: foreign(all.relations),
    policies: all.policies,
    routines: all.routines,
    triggers: all.triggers,
    defaultPrivileges: all.defaultPrivileges,
    others: all.others.filter(({ identity }) => !identity.startsWith('ops.')),
  };
}

async function referenceRows(connection: Connection): Promise<unknown[]> {
  return connection.query('select role, permission, row_scope from public.role_permissions order by 1, 2, 3');
}

async function schemaOf(target: ConnectionTarget, schema: string): Promise<Catalogue> {
  return withConnection(target, (connection) => catalogue(connection, { schemas: [schema] }));
}
