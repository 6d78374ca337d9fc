import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withConnection } from '../../src/platform/database/connection.js';
import { openSession, type Session } from '../../src/platform/database/session.js';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import { packageLines } from '../../src/privacy/export/package-lines.js';
import { readPackageTables } from '../../src/privacy/export/package-tables.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { asCompliance } from '../support/packages.js';
import { makeFamily, makeGuardian, type SmallFamily } from '../support/small-world.js';

const SMALL = 7_000;
const LARGE = 9;
/** Of a note, bytes: a page of so many such rows as there were small ones would not be held. */
const LONG = 2_000_000;

let database: TestDatabase;
let operator: ConnectionTarget;
let family: SmallFamily;
let ids: string[];
beforeAll(async () => {
  database = await createTestDatabase();
  operator = await database.makeOperator('compliance');
  family = await makeFamily(database, { name: 'Pelletier' });
  await makeGuardian(database, { family: family.id, id: family.child }, family.core.id);
  await withConnection(database.superuser, async (superuser) => {
    await superuser.query('delete from public.usage_logs where family_id = $1', [family.id]);
    // In the order of the key the large ones come last.
    const rows = await superuser.query<{ id: string }>(
      `insert into public.usage_logs (family_id, child_id, id, usage_type, notes)
       select $1, $2, lpad(to_hex(n), 32, '0')::uuid, 'wipe_use', case when n > $3::integer then repeat('x', $4) else 'x' end
       from generate_series(1, $3::integer + $5) n returning id`,
      [family.id, family.child, SMALL, LONG, LARGE],
    );
    ids = rows.map(({ id }) => id);
  });
});
afterAll(() => database?.drop());

/** Takes what comes until `enough` says so; the ids in it. */
async function taken(
  session: Session,
  enough: (ids: readonly string[]) => boolean | Promise<boolean>,
): Promise<string[]> {
  const of = { kind: 'user', id: family.core.id } as const;
  const found: string[] = [];
  await session.transaction(async () => {
    const table = (await readPackageTables(session, of)).find((one) => one.table === 'public.usage_logs');
    if (table === undefined) throw new Error('no logs');
    const columns = ['id', 'notes'].map((name) => table.columns.find((one) => one.column_name === name));
    for await (const lines of packageLines(
      session,
      of,
      table,
      columns.filter((one) => one !== undefined),
    )) {
      expect(lines.at(-1)).toBe(0x0a);
      found.push(
        ...lines
          .toString()
          .split('\n')
          .flatMap((line) => line.split('\t')[1] ?? []),
      );
      if (await enough(found)) break;
    }
    // Wherever it was stopped, the connection is free.
    expect(await session.query('select 1 as one')).toEqual([{ one: 1 }]);
  });
  return found;
}

describe('the rows of a table, page by page', () => {
  it('come whole and in order, also where some are far larger than those before', async () => {
    await asCompliance(operator, family.core.id, async (session) => {
      expect(await taken(session, () => false)).toEqual(ids);
    });
  });

  it.each([
    ['at once', 1],
    ['among small ones', 3_000],
    ['among large ones', SMALL + 3],
  ])('are left %s by whoever wants no more, and the session serves on', async (_, count) => {
    await asCompliance(operator, family.core.id, async (session) => {
      const found = await taken(session, ({ length }) => length >= count);
      expect(found).toEqual(ids.slice(0, found.length));
      expect(found.length).toBeLessThan(ids.length);
      expect(await taken(session, () => false)).toEqual(ids);
    });
  });

  it('end with an error where the server goes away between two pages', async () => {
    const session = await openSession(operator, {
      duty: 'compliance',
      reason: 'a test of rows',
      ticket: 'DSR-1',
    });
    try {
      await session.query(`select ops.open_access('read', 'a test of rows', 'DSR-1', 60, null, $1)`, [
        family.core.id,
      ]);
      const [backend] = await session.query<{ pid: number }>('select pg_backend_pid() as pid');
      const reading = taken(session, async ({ length }) => {
        if (length < 1_000)
          await withConnection(database.superuser, (superuser) =>
            superuser.query('select pg_terminate_backend($1, 10000)', [backend?.pid]),
          );
        return false;
      });
      await expect(reading).rejects.toThrow(/^The connection to/);
    } finally {
      await session.close();
    }
  });
});
