import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withConnection } from '../../src/platform/database/connection.js';
import { readDocuments, staleDocuments, writeDocuments } from '../../src/platform/migrations/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

describe('documents of the database', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database?.drop());

  it('in sql/docs are what the live catalogue says', async () => {
    const documents = await withConnection(database.owner, readDocuments);
    expect(
      await staleDocuments(documents),
      'out of date: with a local database at the newest migrations run `nestctl db docs` and commit sql/docs',
    ).toEqual([]);
  });

  it('notice every kind of change, and are fresh once written', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nestctl-docs-'));
    const stale = () =>
      withConnection(database.owner, async (owner) => staleDocuments(await readDocuments(owner), folder));
    const change = (statement: string) => withConnection(database.owner, (owner) => owner.query(statement));
    try {
      expect(await stale()).toHaveLength(6);
      await writeDocuments(await withConnection(database.owner, readDocuments), folder);
      expect(await stale()).toEqual([]);
      for (const [statement, names] of [
        [`comment on column public.children.name is 'What they are called'`, ['schema.md']],
        ['alter policy families_owner_all on public.families rename to families_proprietor', ['policies.md']],
        ['grant select (email) on public.users to anon', ['policies.md']],
        [
          `update public.role_permissions set row_scope = 'own' where permission = 'usage:read'`,
          ['policies.md'],
        ],
        ['create index on public.children (gender)', ['indexes.md']],
        ['alter table public.children add constraint named check (length(name) < 500)', ['constraints.md']],
        [
          `select pg_advisory_lock(1852142452, 1);
           update privacy.column_answers set purpose = 'care' where table_name = 'public.usage_logs' and column_name = 'notes';
           update privacy.column_answers set withheld = 'inconvenient', exported = false where table_name = 'public.families' and column_name = 'name'`,
          ['datamap.md'],
        ],
      ] as const) {
        await change(statement);
        expect(await stale(), statement).toEqual(names);
        await writeDocuments(await withConnection(database.owner, readDocuments), folder);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('are the same on another day, with other partitions', async () => {
    const before = await withConnection(database.owner, readDocuments);
    await withConnection(database.owner, (owner) =>
      owner.query(`create table audit.events_of_another_month partition of audit.events_access
                   for values from ('2031-01-01') to ('2031-02-01')`),
    );
    expect(await withConnection(database.owner, readDocuments)).toEqual(before);
  });

  it('describe only a database at the newest migrations', async () => {
    await withConnection(database.owner, async (owner) => {
      await owner.query(`insert into ops.migrations values ('9999_later', '2031-01-01T00:00:00.000Z')`);
      await expect(readDocuments(owner)).rejects.toMatchObject({ code: 'not_migrated', exitCode: 6 });
    });
  });
});
