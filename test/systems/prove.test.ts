import { afterAll, beforeAll, expect, test } from 'vitest';
import { proveAccess } from '../../src/access/index.js';
import { withConnection } from '../../src/platform/database/connection.js';
import type { TestDatabase } from '../support/database.js';
import { type SystemServer, startSystem } from '../support/servers.js';

// The oldest and the newest, one with each kind of owner: how roles are taken on and texts are written differs there.
const SYSTEMS = [
  { version: 15, kind: 'supabase' },
  { version: 18, kind: 'plain' },
] as const;

test.each(SYSTEMS)('isolation holds on PostgreSQL $version, $kind owner', async ({ version, kind }) => {
  const server = await startSystem({ version, kind });
  const database = await server.migratedDatabase();
  try {
    const proof = await withConnection(database.owner, (owner) =>
      proveAccess(owner, { mutate: false, alone: true }),
    );
    expect(proof).toMatchObject({ holds: true, disagreements: 0, stray_rights: [], undeclared: [] });
    expect(proof.attempts).toBeGreaterThan(50_000);
  } finally {
    await database.drop();
    await server.stop();
  }
});

let server: SystemServer;
let database: TestDatabase;
beforeAll(async () => {
  server = await startSystem({ version: 17, kind: 'plain' });
  database = await server.migratedDatabase();
});
afterAll(async () => {
  await database?.drop();
  await server?.stop();
});

test('every weakness of a clean migrated database is noticed, or shown to change nothing', async () => {
  const { holds, mutation } = await withConnection(database.owner, (owner) =>
    proveAccess(owner, { mutate: true, alone: true }),
  );
  expect(holds).toBe(true);
  expect(mutation).toMatchObject({ survived: [], untried: [], score: 100 });
  expect(mutation?.mutants).toBeGreaterThan(800);
  process.stdout.write(`prove: ${mutation?.mutants} weaknesses, ${mutation?.noticed} noticed\n`);
}, 900_000);
