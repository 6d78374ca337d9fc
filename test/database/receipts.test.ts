import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { queryEvents } from '../../src/audit/index.js';
import { withConnection } from '../../src/platform/database/connection.js';
import { readReceipt } from '../../src/platform/database/receipt.js';
import { type Duty, openSession, type Session } from '../../src/platform/database/session.js';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { asService, makeFamily, type SmallFamily } from '../support/small-world.js';

let database: TestDatabase;
let family: SmallFamily;
let support: ConnectionTarget;
const sessions: Session[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  family = await makeFamily(database, { name: 'Tremblay', notes: 'seen by nobody' });
  support = await database.makeOperator('support');
});
afterAll(async () => {
  for (const session of sessions) await session.close();
  await database?.drop();
});

const open = async (target: ConnectionTarget, duty: Duty, request?: string) => {
  const session = await openSession(target, {
    duty,
    reason: 'a long enough reason',
    ticket: 'SUP-1',
    request,
  });
  sessions.push(session);
  return session;
};
const grant = (session: Session, about = family.id) =>
  session.query(`select ops.open_access('read', 'a long enough reason', 'SUP-1', 5, '${about}')`);
const rename = (session: Session, name: string) =>
  session.query(
    `select ops.rename_family('${family.id}', '${name}', (select f.xmin::text from public.families f where f.id = '${family.id}'))`,
  );

describe('audit.receipt', () => {
  test('tells ids, tables, transactions and leaves of what was committed under the request, and no more', async () => {
    const session = await open(support, 'support');
    expect(await readReceipt(session)).toBeUndefined();
    await grant(session);
    const receipt = await readReceipt(session);
    const [event] = await withConnection(database.superuser, (superuser) =>
      superuser.query(
        `select id::text as event, xid::text as transaction, table_name as table, lower(operation::text) as operation, encode(leaf, 'hex') as leaf
         from audit.events where request_id = $1`,
        [session.request],
      ),
    );
    expect(receipt).toEqual({
      count: 1,
      tables: [{ table: 'ops.access_grants', operation: 'insert', count: 1 }],
      transactions: [
        { transaction: (event as { transaction: string }).transaction, request: session.request, count: 1 },
      ],
      transaction_count: 1,
      first: [event],
    });
    const text = JSON.stringify(receipt);
    for (const secret of [family.id, 'a long enough reason', 'SUP-1', support.user, 'Tremblay'])
      expect(text).not.toContain(secret);
  });

  test('tells nothing of what was rolled back, nor that somebody looked', async () => {
    const session = await open(support, 'support');
    await session
      .transaction(async () => {
        await grant(session);
        throw new Error('undone');
      })
      .catch(() => undefined);
    await session.query(`select audit.record_reading('query', '{}')`);
    expect(await readReceipt(session)).toBeUndefined();
  });

  test('tells nobody of another operator, not even under the same request', async () => {
    const mine = await open(support, 'support');
    await grant(mine);
    const other = await database.makeOperator('support', 'admin', 'auditor');
    for (const duty of ['support', 'admin', 'auditor'] as const) {
      expect(await readReceipt(await open(other, duty, mine.request))).toBeUndefined();
    }
    // The same person, under another request.
    expect(await readReceipt(await open(support, 'support', randomUUID()))).toBeUndefined();
    expect((await readReceipt(await open(support, 'support', mine.request)))?.count).toBe(1);
  });

  test('tells nothing without a request, and nobody outside of the duties', async () => {
    const session = await open(support, 'support');
    await grant(session);
    await session.query(`select set_config('nestsync.request', ' ', false)`);
    expect(await readReceipt(session)).toBeUndefined();
    for (const login of [database.app, database.service, support]) {
      await withConnection(login, async (connection) => {
        if (login === database.service) await connection.query('set role service_role');
        await expect(readReceipt(connection)).rejects.toMatchObject({ code: 'permission_denied' });
      });
    }
  });

  test('of many events it names the first ten, and counts all', async () => {
    const session = await open(support, 'support');
    await grant(session);
    for (let time = 0; time < 12; time += 1) await rename(session, `Tremblay ${time}`);
    const receipt = await readReceipt(session);
    expect([receipt?.count, receipt?.transaction_count]).toEqual([13, 13]);
    expect([receipt?.first.length, receipt?.transactions.length]).toEqual([10, 10]);
    expect(receipt?.tables).toEqual([
      { table: 'ops.access_grants', operation: 'insert', count: 1 },
      { table: 'public.families', operation: 'update', count: 12 },
    ]);
    const numbers = receipt?.first.map(({ event }) => Number(event)) ?? [];
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
  });

  test('is found by the index of requests, in the newest partitions alone', async () => {
    const session = await open(support, 'support');
    await grant(session);
    await withConnection(database.superuser, async (superuser) => {
      const before = await superuser.query<{ scans: string }>(
        `select coalesce(sum(seq_scan), 0)::text as scans from pg_stat_user_tables where schemaname = 'audit' and relname like 'events%'`,
      );
      await superuser.query(`set session authorization '${support.user}'`);
      await superuser.query(
        `select set_config('role', 'nestsync_support', false), set_config('nestsync.request', $1, false)`,
        [session.request],
      );
      await superuser.query('set enable_seqscan = off');
      expect((await readReceipt(superuser))?.count).toBe(1);
      await superuser.query('reset session authorization');
      await superuser.query('select pg_stat_force_next_flush()');
      const after = await superuser.query<{ scans: string }>(
        `select coalesce(sum(seq_scan), 0)::text as scans from pg_stat_user_tables where schemaname = 'audit' and relname like 'events%'`,
      );
      expect(after).toEqual(before);
    });
  });
});

describe('the events of a transaction', () => {
  const numbersOf = async (session: Session, transaction: string) =>
    (await queryEvents(session, { transaction }, { limit: 1000 })).events.map(({ id }) => Number(id)).sort();

  test('are found whether sealed, being sealed or not, and none for a number that has none', async () => {
    const auditor = await open(await database.makeOperator('auditor'), 'auditor');
    const sre = await open(await database.makeOperator('sre'), 'sre');
    const logged = () =>
      withConnection(database.superuser, async (superuser) => {
        const rows = await superuser.query<{ xid: string; ids: string[] }>(
          'select xid::text, array_agg(id::text order by id) as ids from audit.events group by xid order by xid',
        );
        return rows.map(({ xid, ids }) => ({ xid, ids: ids.map(Number).sort() }));
      });
    const check = async () => {
      const all = await logged();
      expect(all.length).toBeGreaterThan(20);
      for (const { xid, ids } of all) {
        expect(await numbersOf(auditor, xid), xid).toEqual(ids);
        expect(await numbersOf(sre, xid), xid).toEqual(ids);
      }
      const last = BigInt(all.at(-1)?.xid ?? 0);
      expect(await numbersOf(auditor, String(last + 100_000n))).toEqual([]);
      expect(await numbersOf(auditor, '3')).toEqual([]);
      return all;
    };
    const before = await check();
    const { watermark } = await sre.one<{ watermark: string }>('select * from audit.seal_events()');
    expect(BigInt(watermark)).toBeGreaterThan(BigInt(before.at(-1)?.xid ?? 0));
    // More than a tile, of which one transaction fills most.
    await asService(database, (service) =>
      service.query(
        `insert into public.usage_logs (family_id, child_id, usage_type) select $1, $2, 'wipe_use' from generate_series(1, 700)`,
        [family.id, family.child],
      ),
    );
    await makeFamily(database, { name: 'Gagnon' });
    await check();
    await sre.query('select * from audit.seal_events()');
    await makeFamily(database, { name: 'Roy' });
    const all = await check();
    const [sealed] = await sre.query<{ low_id: string; high_id: string }>(
      'select * from audit.transaction_window($1::xid8)',
      [all.find(({ ids }) => ids.length === 700)?.xid],
    );
    expect(Number(sealed?.high_id) - Number(sealed?.low_id)).toBe(699);
  });

  test('are not located for support, which finds them within its grants', async () => {
    const session = await open(await database.makeOperator('support'), 'support');
    await grant(session);
    await expect(session.query(`select * from audit.transaction_window('3')`)).rejects.toMatchObject({
      code: 'permission_denied',
    });
    const { xid } = await withConnection(database.superuser, (superuser) =>
      superuser.one<{ xid: string }>(
        `select xid::text from audit.events where table_name = 'public.children' and family_id = $1`,
        [family.id],
      ),
    );
    expect(await numbersOf(session, xid)).toHaveLength(1);
  });
});
