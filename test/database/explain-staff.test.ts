import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { open } from '../support/model/sessions.js';
import { openGrant } from '../support/model/staff-sessions.js';
import { outcomeCode } from '../support/outcome-code.js';
import { makeFamily, type SmallFamily } from '../support/small-world.js';

const POLICY = `(family_id = ANY (( SELECT private.member_families('children:read'::text) AS member_families)::uuid[]))`;

let database: TestDatabase;
let family: SmallFamily;
let other: SmallFamily;
let support: pg.Client;
let login: string;

beforeAll(async () => {
  database = await createTestDatabase();
  family = await makeFamily(database, { name: 'Tremblay' });
  other = await makeFamily(database, { name: 'Gagnon' });
  const operator = await database.makeOperator('support');
  login = operator.user;
  support = await open(operator);
  await openGrant(support, 'support', { kind: 'family', family: family.id });
  await support.query('set role nestsync_support');
});
afterAll(async () => {
  await support?.end();
  await database?.drop();
});

const ask = async (client: pg.Client, person: string, key: object | null, table = 'public.children') => {
  const { rows } = await client.query<{ id: string }>(`select ops.ask_why($1, $2, $3, 'select') as id`, [
    person,
    table,
    key,
  ]);
  return rows[0]?.id as string;
};

/** Asks for the answer in a read-only transaction of its own. */
async function answer(client: pg.Client, id: string, conditions: readonly string[] = [POLICY]) {
  await client.query('begin read only');
  try {
    const { rows } = await client.query(`select ops.explain($1, $2, '{}', '{children:read}') as reply`, [
      id,
      conditions,
    ]);
    return rows[0].reply;
  } finally {
    await client.query('rollback');
  }
}

describe('what an explanation opens to staff', () => {
  test('is the truth of conditions and the membership, and no value of the row', async () => {
    const reply = await answer(support, await ask(support, family.gran.id, { id: family.child }));
    expect(reply).toMatchObject({ row: true, old: ['true'], new: [] });
    expect(JSON.stringify(reply)).not.toContain('Léa');
    const settings = await support.query(
      `select current_setting('request.jwt.claims', true) as claims, current_setting('nestsync.explaining', true) as explaining`,
    );
    expect(Object.values(settings.rows[0]).every((value) => value === null || value === '')).toBe(true);
  });

  test('is nothing before the question is committed, and nothing of a question rolled back', async () => {
    await support.query('begin');
    const id = await ask(support, family.gran.id, { id: family.child });
    await support.query('set transaction read only');
    expect(await outcomeCode(support.query(`select ops.explain($1, '{}', '{}', '{}')`, [id]))).toBe('NS002');
    await support.query('rollback');
    expect(await outcomeCode(answer(support, id))).toBe('NS002');
  });

  test('is nothing outside a read-only transaction, where the person could be taken for the writer', async () => {
    const id = await ask(support, family.gran.id, { id: family.child });
    expect(await outcomeCode(support.query(`select ops.explain($1, '{}', '{}', '{}')`, [id]))).toBe('NS005');
  });

  test('is nothing about people, rows and tables that no grant covers', async () => {
    expect(await outcomeCode(ask(support, other.gran.id, { id: family.child }))).toBe('NS002');
    expect((await answer(support, await ask(support, family.gran.id, { id: other.child }))).row).toBe(false);
    expect(await outcomeCode(ask(support, family.gran.id, null, 'ops.operators'))).toBe('NS006');
    expect(await outcomeCode(ask(support, family.gran.id, null, 'private.app_logins'))).toBe('NS006');
  });

  test('is nothing that would let values be guessed: only keys find rows, only policies are evaluated', async () => {
    expect(await outcomeCode(ask(support, family.gran.id, { name: 'Léa' }))).toBe('NS007');
    const id = await ask(support, family.gran.id, { id: family.child });
    for (const condition of [`name = 'Léa'`, `${POLICY} and name like 'L%'`, `(select true)`]) {
      expect(await outcomeCode(answer(support, id, [condition])), condition).toBe('NS005');
    }
    // Part of a policy, but no condition: its type is refused before its value is looked at.
    expect((await answer(support, id, ['family_id'])).old).toEqual(['42804']);
  });

  test("is nothing of another operator's question", async () => {
    const id = await ask(support, family.gran.id, { id: family.child });
    const peer = await open(await database.makeOperator('support'));
    await openGrant(peer, 'support', { kind: 'family', family: family.id });
    await peer.query('set role nestsync_support');
    expect(await outcomeCode(answer(peer, id))).toBe('NS002');
    await peer.end();
  });

  test('naming the question and the claims by hand makes nobody the person', async () => {
    const id = await ask(support, family.gran.id, { id: family.child });
    const claims = JSON.stringify({ sub: family.gran.id, role: 'authenticated' });
    for (const role of ['authenticated', 'nestsync_support']) {
      for (const mode of ['read only', 'read write']) {
        await support.query(`begin ${mode}`);
        await support.query(
          `select set_config('request.jwt.claims', $1, true), set_config('nestsync.explaining', $2, true)`,
          [claims, id],
        );
        await support.query(`set local role ${role}`);
        const { rows } = await support
          .query('select count(*)::int as seen from public.emergency_profiles')
          .catch(() => ({
            rows: [{ seen: 0 }],
          }));
        await support.query('rollback');
        await support.query(`begin ${mode}`);
        await support.query(
          `select set_config('request.jwt.claims', $1, true), set_config('nestsync.explaining', $2, true)`,
          [claims, id],
        );
        await support.query(`set local role ${role}`);
        const helper = await outcomeCode(support.query(`select private.member_families('children:read')`));
        await support.query('rollback');
        expect([role, mode, rows[0]?.seen, helper]).toEqual([role, mode, 0, '42501']);
      }
    }
    await support.query('begin read only');
    await support.query(
      `select set_config('request.jwt.claims', $1, true), set_config('nestsync.explaining', $2, true)`,
      [claims, id],
    );
    await support.query('set local role authenticated');
    const { rows } = await support.query('select count(*)::int as seen from public.children');
    await support.query('rollback');
    expect(rows[0].seen).toBe(0);
  });

  test('leaves a record that nobody changes', async () => {
    const { rows } = await support.query(
      'select count(*)::int as asked from ops.access_explanations where operator = $1',
      [login],
    );
    expect(rows[0].asked).toBeGreaterThan(0);
    const owner = await open(database.owner);
    expect(await outcomeCode(owner.query(`update ops.access_explanations set command = 'delete'`))).toBe(
      'NS004',
    );
    expect(await outcomeCode(owner.query('delete from ops.access_explanations'))).toBe('NS004');
    expect(await outcomeCode(owner.query('truncate ops.access_explanations'))).toBe('NS004');
    await owner.end();
  });
});
