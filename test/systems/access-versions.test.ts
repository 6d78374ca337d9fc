import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  explainAccess,
  explainAt,
  planWriteAsPerson,
  readAsPerson,
  writeAsPerson,
} from '../../src/access/index.js';
import { openSession, type Session } from '../../src/platform/database/session.js';
import type { TestDatabase } from '../support/database.js';
import { SPREAD, type SystemServer, startSystem } from '../support/servers.js';
import { asService, makeFamily, type SmallFamily } from '../support/small-world.js';

const WHY = { reason: 'she says the log is empty', ticket: 'SUP-77' };

describe.each(SPREAD)('$title', ({ version, kind }) => {
  let server: SystemServer;
  let database: TestDatabase;
  let family: SmallFamily;
  let session: Session;

  beforeAll(async () => {
    server = await startSystem({ version, kind });
    database = await server.migratedDatabase();
    family = await makeFamily(database, { name: 'Tremblay' });
    session = await openSession(await database.makeOperator('admin'), { duty: 'admin', ...WHY });
  });
  afterAll(async () => {
    await session?.close();
    await database?.drop();
    await server?.stop();
  });

  test('acts as a person, and within what the person may', async () => {
    const read = await readAsPerson(
      session,
      { user: family.gran.id, statement: 'select name from children', limit: 5 },
      WHY,
    );
    expect(read.rows).toEqual([['Léa']]);
    const wish = {
      user: family.core.id,
      statement: `update children set name = 'Zoé'`,
      rows: 1,
      outward: false,
    };
    const plan = await planWriteAsPerson(session, wish, WHY);
    expect(plan).toMatchObject({ rows: 1, changeable: 1 });
    expect((await writeAsPerson(session, plan)).touched).toEqual([
      { table: 'public.children', operation: 'update', rows: 1 },
    ]);
  });

  test('explains rows that are tried, rows that are counted, and the past', async () => {
    const asked = { table: 'children', command: 'select', family: family.id } as const;
    const row = family.child;
    const tried = await explainAccess(session, { ...asked, user: family.gran.id, row, try: true }, WHY);
    expect([tried.verdict, tried.decided_by]).toEqual(['allowed', 'evaluation and reading']);
    const counted = await explainAccess(session, { ...asked, user: family.gran.id }, WHY);
    expect(counted.counts).toMatchObject([{ rows: 1, open: 1 }]);
    // Without commit times a change is in doubt for ten seconds.
    await new Promise((resolve) => setTimeout(resolve, 10_500));
    const at = new Date();
    await asService(database, (service) =>
      service.query(`update public.family_members set status = 'suspended' where user_id = $1`, [
        family.gran.id,
      ]),
    );
    const then = await explainAt(session, { ...asked, user: family.gran.id, row, at }, WHY);
    expect([then.verdict, then.notes]).toEqual([
      'allowed',
      [expect.stringContaining('Policies as in the snapshot')],
    ]);
    expect((await explainAccess(session, { ...asked, user: family.gran.id, row }, WHY)).verdict).toBe(
      'denied',
    );
  });
});
