import { afterAll, beforeAll, expect, test } from 'vitest';
import { withConnection } from '../../src/platform/database/connection.js';
import type { Session } from '../../src/platform/database/session.js';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import {
  approveErasure,
  begin,
  eraseAll,
  letTimePass,
  makeOfficers,
  schedule,
  unguarded,
} from '../support/erasures.js';
import { asCompliance, openRequestOf } from '../support/packages.js';
import { asService, makeFamily, type SmallFamily } from '../support/small-world.js';

let database: TestDatabase;
let officer: ConnectionTarget;
let second: ConnectionTarget;
beforeAll(async () => {
  database = await createTestDatabase();
  [officer, second] = await makeOfficers(database);
});
afterAll(() => database?.drop());

/** Somebody alone in a family with 40 logs, whose erasure has begun. */
async function begun(work: (session: Session, number: string, family: SmallFamily) => Promise<void>) {
  const family = await makeFamily(database, { name: 'Ouellet', person: 'Odile Ouellet', notes: 'rash' });
  await unguarded(database, (connection) =>
    connection.query(
      `update public.family_members set status = 'removed' where family_id = $1 and user_id <> $2`,
      [family.id, family.core.id],
    ),
  );
  await asService(database, (connection) =>
    connection.query(
      `insert into public.usage_logs (family_id, child_id, usage_type, notes, caregiver_name)
       select $1, $2, 'diaper_change', 'rash', 'Odile Ouellet' from generate_series(1, 39)`,
      [family.id, family.child],
    ),
  );
  await asCompliance(officer, family.core.id, async (session) => {
    const number = await openRequestOf(session, family.core.id, { kind: 'deletion' });
    await approveErasure(session, second, number);
    await schedule(session, number);
    await letTimePass(database, number);
    await begin(session, number);
    await work(session, number, family);
  });
}

const deletions = () =>
  withConnection(database.superuser, (connection) =>
    connection.one<{ all: number; told: number; unsound: number }>(
      `select count(*)::int as "all",
         count(*) filter (where num_nonnulls(e.family_id, e.subject_user, e.record_id, e.record_key, e.old_row, e.named_old, e.erased_hashes) > 0)::int as told,
         count(*) filter (where audit.leaf_of(e) <> e.leaf)::int as unsound
       from audit.events e where e.table_name = 'public.usage_logs' and e.operation = 'DELETE'`,
    ),
  );

const faults = (session: Session, table: string) =>
  session.one<{ faults: number }>(`select (audit.coverage('${table}'::regclass)).faults::int as faults`);

test('a batch that deletes leaves an event a row, and nothing in it that would have to be erased again', () =>
  begun(async (session, number) => {
    for (let at = ''; at !== 'public.usage_logs'; )
      at = (
        await session.one<{ table_name: string }>('select table_name from privacy.erase_batch($1, 15)', [
          number,
        ])
      ).table_name;
    expect(await deletions()).toEqual({ all: 15, told: 0, unsound: 0 });
    // Rows are gone of which the log tells nothing but that they came: it is the erasure that took them.
    expect(await faults(session, 'public.usage_logs')).toEqual({ faults: 0 });
    await eraseAll(session, number, 15);
    expect(await deletions()).toEqual({ all: 40, told: 0, unsound: 0 });
    for (const table of ['public.usage_logs', 'public.families', 'public.family_members'])
      expect(await faults(session, table)).toEqual({ faults: 0 });
  }));

test('without a batch of an erasure, who says so deletes as ever', async () => {
  const family = await makeFamily(database, { name: 'Gagnon' });
  await asService(database, async (connection) => {
    await connection.query(`set nestsync.imageless = 'on'`);
    await connection.query('delete from public.usage_logs where family_id = $1', [family.id]);
  });
  const { told } = await withConnection(database.superuser, (connection) =>
    connection.one<{ told: number }>(
      `select count(*)::int as told from audit.events where family_id = $1 and table_name = 'public.usage_logs' and operation = 'DELETE' and old_row is not null`,
      [family.id],
    ),
  );
  expect(told).toBe(1);
});

test('nothing is erased in an event that is not as its leaf says: what was done to it would be hidden', () =>
  begun(async (session, number, family) => {
    await unguarded(database, (connection) =>
      connection.query(
        `update audit.events set new_row = '{"notes":"other"}' where table_name = 'public.usage_logs' and operation = 'INSERT' and family_id = $1
           and id = (select min(id) from audit.events where table_name = 'public.usage_logs' and family_id = $1)`,
        [family.id],
      ),
    );
    await expect(eraseAll(session, number)).rejects.toThrow(/not as its leaf says/);
  }));

test('what it takes out is counted once, also where it is looked at again', () =>
  begun(async (session, number, family) => {
    for (let at = ''; at !== 'audit.events'; )
      at = (
        await session.one<{ table_name: string }>('select table_name from privacy.erase_batch($1, 15)', [
          number,
        ])
      ).table_name;
    // Somebody writes for them meanwhile, and all is gone through once more.
    await unguarded(database, (connection) =>
      connection.query(`update public.users set phone_number = '+15145550199' where id = $1`, [
        family.core.id,
      ]),
    );
    await eraseAll(session, number, 15);
    const { counted, erased, step } = await withConnection(database.superuser, (connection) =>
      connection.one<{ counted: number; erased: number; step: number }>(
        `select a.events::int as counted, (select count(*)::int from audit.events v where e.request = any (v.erased_requests)) as erased,
           (select s.rows::int from privacy.erasure_steps s where s.erasure_id = e.id and s.table_name = 'audit.events') as step
         from privacy.erasures e join audit.erasures a using (approval_id) where e.request = $1`,
        [number],
      ),
    );
    expect(erased).toBeGreaterThan(40);
    expect([counted, step]).toEqual([erased, erased]);
  }));
