import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { checkCoverage } from '../../src/audit/index.js';
import { type Connection, connect } from '../../src/platform/database/connection.js';
import { openSession, type Session } from '../../src/platform/database/session.js';
import { attack } from '../support/attacks.js';
import { TABLE_ROWS } from '../support/audit-rows.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

let database: TestDatabase;
let superuser: Connection;
let auditor: Session;
beforeAll(async () => {
  database = await createTestDatabase();
  superuser = await connect(database.owner, { settings: { 'nestsync.reason': 'a long enough reason' } });
  auditor = await openSession(await database.makeOperator('auditor'), {
    duty: 'auditor',
    reason: 'tests of coverage',
  });
  // Every captured table that an owner can write, with a change to each row.
  const rows = Object.values(TABLE_ROWS);
  for (const { insert } of rows) await superuser.query(insert);
  for (const { update } of rows) if (update !== undefined) await superuser.query(update);
  await superuser.close();
  superuser = await connect(database.superuser);
});
afterAll(async () => {
  await auditor?.close();
  await superuser?.close();
  await database?.drop();
});
beforeEach(async () => {
  expect((await checkCoverage(auditor)).uncovered).toEqual([]);
});

const uncovered = async () =>
  (await checkCoverage(auditor)).uncovered.map(({ kind, table, columns }) => [kind, table, columns]);

test('every captured table is covered, with what the migrations put there', async () => {
  const { tables, faults } = await checkCoverage(auditor);
  expect(faults).toBe(0);
  expect(tables.length).toBeGreaterThan(25);
  expect(tables.find(({ table }) => table === 'public.role_permissions')?.before_log).toBeGreaterThan(10);
});

test('an insert that was never logged is found', async () => {
  await attack(
    superuser,
    `insert into public.families (id, name) values ('90000000-0000-4000-8000-000000000000', 'hidden')`,
  );
  expect(await uncovered()).toEqual([['never_logged', 'public.families', null]]);
  await attack(superuser, `delete from public.families where name = 'hidden'`);
});

test('an update that was never logged is found with its columns', async () => {
  const [row] = await superuser.query<{ name: string }>('select name from public.families');
  await attack(superuser, `update public.families set name = 'hidden'`);
  expect(await uncovered()).toEqual([['differs', 'public.families', ['name']]]);
  await attack(superuser, `update public.families set name = '${row?.name}'`);
});

test('an update of a row from before the log is found', async () => {
  const [row] = await superuser.query<{ about: string }>(
    `select about from ops.approval_rules where action = 'erasure'`,
  );
  await attack(superuser, `update ops.approval_rules set about = 'hidden' where action = 'erasure'`);
  expect(await uncovered()).toEqual([['differs', 'ops.approval_rules', null]]);
  await attack(superuser, `update ops.approval_rules set about = '${row?.about}' where action = 'erasure'`);
});

test('one that changes afterwards, in the log, is well', async () => {
  await superuser.query(`update ops.approval_rules set about = about || '.' where action = 'erasure'`);
  expect(await uncovered()).toEqual([]);
});

test('a delete that was never logged is found', async () => {
  await superuser.query(`insert into public.families (name) values ('Lavoie')`);
  await attack(superuser, `delete from public.families where name = 'Lavoie'`);
  expect(await uncovered()).toEqual([['vanished', 'public.families', null]]);
  await superuser.query(`set session_replication_role = replica`);
  await superuser.query(
    `insert into public.families select (json_populate_record(null::public.families, e.new_row)).* from audit.events e where e.new_row ->> 'name' = 'Lavoie'`,
  );
  await superuser.query(`reset session_replication_role`);
});

test('a row that came back after its deletion is found', async () => {
  await superuser.query(
    `insert into public.families (id, name) values ('90000000-0000-4000-8000-000000000001', 'Gone')`,
  );
  await superuser.query(`delete from public.families where name = 'Gone'`);
  await attack(
    superuser,
    `insert into public.families (id, name) values ('90000000-0000-4000-8000-000000000001', 'Gone')`,
  );
  expect(await uncovered()).toEqual([['reappeared', 'public.families', null]]);
  await attack(superuser, `delete from public.families where name = 'Gone'`);
});

test('a trigger that is off counts', async () => {
  await superuser.query('alter table public.children disable trigger audit_update');
  const { faults, tables } = await checkCoverage(auditor);
  expect(faults).toBe(1);
  expect(tables.find(({ table }) => table === 'public.children')?.triggers_off).toEqual(['audit_update']);
  await superuser.query('alter table public.children enable trigger audit_update');
});

test('a duty that reads no payload compares no rows', async () => {
  const sre = await openSession(await database.makeOperator('sre'), {
    duty: 'sre',
    reason: 'tests of coverage',
  });
  await expect(checkCoverage(sre)).rejects.toMatchObject({
    code: expect.stringMatching(/duty_not_allowed|permission_denied/),
  });
  await sre.close();
});
