import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { open } from '../support/model/sessions.js';
import { asService, makeFamily, type SmallFamily } from '../support/small-world.js';

let database: TestDatabase;
let superuser: pg.Client;
let requester: pg.Client;
let approver: pg.Client;
let family: SmallFamily;
const others: pg.Client[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  superuser = await open(database.superuser);
  requester = await compliance();
  approver = await compliance();
  family = await makeFamily(database, { name: 'Tremblay', notes: 'wet' });
  await asService(database, async (connection) => {
    await connection.query(`update public.users set last_name = 'Roy' where id = $1`, [family.gran.id]);
    await connection.query(
      `insert into public.usage_logs (family_id, child_id, usage_type, caregiver_name, created_by) values ($1, $2, 'diaper_change', 'Gran Roy', $3)`,
      [family.id, family.child, family.gran.id],
    );
  });
  await asMember(
    family.gran.id,
    `insert into public.usage_logs (family_id, child_id, usage_type, notes) values ('${family.id}', '${family.child}', 'diaper_change', 'Léo')`,
  );
  await requester.query(`select audit.record_reading('query', $1, null, $2)`, [
    JSON.stringify({ user: family.gran.id }),
    family.gran.id,
  ]);
  await requester.query(`select audit.record_reading('query', $1)`, [
    JSON.stringify({ where: `person = ${family.gran.id}` }),
  ]);
});
afterAll(async () => {
  for (const client of [superuser, requester, approver, ...others]) await client?.end();
  await database?.drop();
});

async function compliance(): Promise<pg.Client> {
  const target = await database.makeOperator('compliance');
  await superuser.query(
    `update ops.operators set registered_at = now() - interval '3 days' where login = $1`,
    [target.user],
  );
  await superuser.query(
    `update ops.operator_duties set granted_at = now() - interval '3 days' where login = $1`,
    [target.user],
  );
  const client = await open(target);
  await client.query('set role nestsync_compliance');
  return client;
}

async function asMember(person: string, statement: string): Promise<void> {
  const client = await open(database.app);
  await client.query('begin');
  await client.query(
    `select set_config('role', 'authenticated', true), set_config('request.jwt.claims', $1, true)`,
    [JSON.stringify({ sub: person, role: 'authenticated' })],
  );
  await client.query(statement);
  await client.query('commit');
  await client.end();
}

interface Plan {
  readonly request?: string;
  readonly person: string;
  readonly families?: readonly string[];
  readonly names?: readonly string[];
}

async function approved(plan: Plan): Promise<string> {
  const { rows } = await requester.query(
    `select id from ops.request_approval('erasure', $1, 'a request for erasure', 'PRIV-1')`,
    [plan],
  );
  await approver.query(`select ops.decide_approval($1, 'granted', 'checked the identity')`, [rows[0].id]);
  return rows[0].id as string;
}

/** What the one transaction does in which privacy erases somebody. */
async function erase(plan: Plan) {
  await requester.query('begin');
  try {
    const { rows } = await requester.query(
      `select e.request, e.events::int, e.parts::int from ops.use_approval('erasure', $1) u, audit.erase_subject(u) e`,
      [plan],
    );
    await requester.query('commit');
    return rows[0] as { request: string; events: number; parts: number };
  } catch (error) {
    await requester.query('rollback');
    throw error;
  }
}

const events = async () =>
  (
    await superuser.query<{
      id: string;
      skeleton: string;
      whole: string;
      table_name: string;
      sound: boolean;
    }>(
      `select e.id::text, e::text as whole, e.table_name, audit.leaf_of(e) = e.leaf as sound,
         row(e.xid, e.occurred_at, e.epoch, e.category, e.operation, e.session_login, e.duty, e.request_id, e.leaf)::text as skeleton
       from audit.events e order by e.id`,
    )
  ).rows;
/** The approval itself says whom it is about; it is the record of the erasure. */
const naming = async (...texts: string[]) =>
  (await events()).filter(
    ({ whole, table_name }) => table_name !== 'ops.approvals' && texts.some((text) => whole.includes(text)),
  );

test('nobody is erased without an approval that the same transaction uses up', async () => {
  const plan = { request: 'PR-0', person: family.gran.id };
  const refused = (code: string) => expect.objectContaining({ code });
  const before = await events();
  await expect(requester.query('select audit.erase_subject($1)', [randomUUID()])).rejects.toEqual(
    refused('NS008'),
  );
  await expect(erase(plan)).rejects.toEqual(refused('NS008'));
  const { rows } = await requester.query(
    `select id from ops.request_approval('erasure', $1, 'a request for erasure', 'PRIV-1')`,
    [plan],
  );
  await expect(erase(plan)).rejects.toEqual(refused('NS008'));
  await expect(requester.query('select audit.erase_subject($1)', [rows[0].id])).rejects.toEqual(
    refused('NS008'),
  );
  await approver.query(`select ops.decide_approval($1, 'granted', 'checked the identity')`, [rows[0].id]);
  await expect(requester.query('select audit.erase_subject($1)', [rows[0].id])).rejects.toEqual(
    refused('NS008'),
  );
  await expect(erase({ ...plan, person: family.core.id })).rejects.toEqual(refused('NS008'));
  // Used up by an earlier transaction.
  await requester.query(`select ops.use_approval('erasure', $1)`, [plan]);
  await expect(requester.query('select audit.erase_subject($1)', [rows[0].id])).rejects.toEqual(
    refused('NS008'),
  );
  const nameless = { person: family.gran.id };
  await approved(nameless);
  await expect(erase(nameless)).rejects.toEqual(refused('NS007'));
  const unchanged = new Map((await events()).map(({ id, whole }) => [id, whole]));
  expect(before.filter(({ id, whole }) => unchanged.get(id) !== whole)).toEqual([]);
});

test('other duties may not even call it, and records are nobody’s to write or delete', async () => {
  for (const duty of ['support', 'sre', 'auditor', 'admin'] as const) {
    const client = await open(await database.makeOperator(duty));
    others.push(client);
    await client.query(`set role nestsync_${duty}`);
    await expect(client.query('select audit.erase_subject($1)', [randomUUID()])).rejects.toMatchObject({
      code: '42501',
    });
  }
  const owner = await open(database.owner);
  others.push(owner);
  await expect(owner.query('delete from audit.readings')).rejects.toMatchObject({ code: 'NS004' });
  await expect(
    owner.query(`insert into audit.erasures (approval_id, request) values ($1, 'PR-1')`, [randomUUID()]),
  ).rejects.toMatchObject({ code: 'NS008' });
});

test('an approved erasure takes what is the person’s and nothing else; every leaf still verifies', async () => {
  const { id, email } = family.gran;
  const plan = { request: 'PR-7', person: id, names: ['Gran Roy'] };
  await approved(plan);
  const before = await events();
  expect((await naming(id)).length).toBeGreaterThan(5);
  const done = await erase(plan);
  expect(done.request).toBe('PR-7');
  expect(done.events).toBeGreaterThan(5);
  expect(done.parts).toBeGreaterThanOrEqual(done.events);
  expect(await naming(id, email, 'Gran Roy')).toEqual([]);
  const after = new Map((await events()).map((event) => [event.id, event]));
  for (const { id: event, skeleton, whole } of before) {
    const now = after.get(event);
    expect([event, now?.skeleton, now?.sound]).toEqual([event, skeleton, true]);
    if (!whole.includes(id) && !whole.includes('Gran Roy')) expect(now?.whole).toBe(whole);
  }
  expect([...after.values()].every(({ sound }) => sound)).toBe(true);
  // The child is somebody else, though it was she who wrote of it.
  expect((await naming('Léo')).length).toBe(1);
  expect(
    (await superuser.query('select from audit.readings where question::text like $1', [`%${id}%`])).rowCount,
  ).toBe(0);
  await expect(erase(plan)).rejects.toMatchObject({ code: 'NS005' });
});

test('of a family that goes as a whole every row goes', async () => {
  const plan = { request: 'PR-8', person: family.core.id, families: [family.id] };
  await approved(plan);
  await erase(plan);
  expect(await naming(family.id, family.core.id, family.core.email, 'Léa', 'Léo', 'wet')).toEqual([]);
  expect((await events()).every(({ sound }) => sound)).toBe(true);
});
