import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lintAccess } from '../../src/access/index.js';
import { withConnection } from '../../src/platform/database/connection.js';
import type { TestDatabase } from '../support/database.js';
import { SYSTEMS, type SystemServer, startSystem } from '../support/servers.js';

describe.each(SYSTEMS.filter(({ version }) => version !== 17))('$title', ({ version, kind }) => {
  let server: SystemServer;
  let database: TestDatabase;
  beforeAll(async () => {
    server = await startSystem({ version, kind });
    database = await server.migratedDatabase();
  });
  afterAll(async () => {
    await database?.drop();
    await server?.stop();
  });

  test('a clean migrated database has nothing that lint finds, and every rule could be asked', async () => {
    const { findings, rules } = await withConnection(database.owner, (owner) => lintAccess(owner));
    // What Supabase gives away of tables to come is its own doing, and what a later migration has to take back.
    const platform = kind === 'supabase' ? 'grants_on_later_tables' : undefined;
    expect(findings.filter(({ meant, name }) => meant === null && name !== platform)).toEqual([]);
    expect(rules.length).toBeGreaterThan(40);
  });

  test('a mistake is found as on any other version', async () => {
    const run = (statement: string) => withConnection(database.owner, (owner) => owner.query(statement));
    await run(
      'create policy hole on public.children for update to authenticated using (true) with check (true)',
    );
    const { findings } = await withConnection(database.owner, (owner) => lintAccess(owner)).finally(() =>
      run('drop policy hole on public.children'),
    );
    expect(findings.map(({ name }) => name)).toContain('always_true_write');
  });
});
