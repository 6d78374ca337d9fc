import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { diagnoseAccess } from '../../src/access/index.js';
import { withConnection } from '../../src/platform/database/connection.js';
import { openSession } from '../../src/platform/database/session.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { open } from '../support/model/sessions.js';
import { openGrant } from '../support/model/staff-sessions.js';
import { outcomeCode } from '../support/outcome-code.js';
import { asService, makeFamily, type SmallFamily } from '../support/small-world.js';

let database: TestDatabase;
/** The grandmother's, of whom the complaint is. */
let family: SmallFamily;
/** One that invited her, and in which another account of hers is a member. */
let other: SmallFamily;
/** One that has nothing to do with her. */
let strange: SmallFamily;
let support: pg.Client;
let login: string;

beforeAll(async () => {
  database = await createTestDatabase();
  family = await makeFamily(database, { name: 'Tremblay' });
  other = await makeFamily(database, { name: 'Gagnon-Secrète', person: 'Somebody Hidden' });
  strange = await makeFamily(database, { name: 'Étrangère' });
  await asService(database, async (service) => {
    await service.query(
      `insert into public.family_invitations (family_id, email, role, token_hash) values ($1, $2, 'professional', '\\x01'), ($3, 'nobody@example.ca', 'professional', '\\x02')`,
      [other.id, family.gran.email, strange.id],
    );
    // The same mailbox, spelled with a tag.
    await service.query('update public.users set email = $2 where id = $1', [
      other.gran.id,
      family.gran.email.replace('@', '+other@'),
    ]);
    await service.query(
      `insert into public.consent_records (user_id, consent_type, status, consent_version, granted_at, withdrawn_at)
       values ($1, 'child_data', 'withdrawn', '1', '2026-01-02', '2026-11-03')`,
      [family.gran.id],
    );
  });
  const operator = await database.makeOperator('support');
  login = operator.user;
  support = await open(operator);
  await openGrant(support, 'support', { kind: 'subject', person: family.gran.id });
  await support.query('set role nestsync_support');
});
afterAll(async () => {
  await support?.end();
  await database?.drop();
});

const PERMISSIONS = '{children:read,usage:read}';

const ask = async (
  client: pg.Client,
  person: string,
  of: string | null = null,
  child: string | null = null,
) => {
  const { rows } = await client.query<{ id: string }>('select ops.ask_diagnosis($1, $2, $3, $4) as id', [
    person,
    of,
    PERMISSIONS,
    child,
  ]);
  return rows[0]?.id as string;
};

async function answer(client: pg.Client, id: string) {
  await client.query('begin read only');
  try {
    const { rows } = await client.query('select ops.diagnose($1) as facts', [id]);
    return rows[0].facts;
  } finally {
    await client.query('rollback');
  }
}

describe('what a diagnosis opens to staff', () => {
  test('of what no grant covers: ids, masked names and addresses, and nothing of anybody else', async () => {
    const facts = await answer(support, await ask(support, family.gran.id));
    const text = JSON.stringify(facts);
    expect(facts.families.map((one: { family: { name: string } }) => one.family.name).sort()).toEqual([
      'Gag…',
      'Tremblay',
    ]);
    expect(facts.accounts).toMatchObject([
      { id: other.gran.id, email: 'g…@example.ca', shares: ['mailbox'] },
    ]);
    for (const secret of ['Secrète', 'Hidden', other.gran.email, other.core.email, other.core.id, '+other'])
      expect(text, secret).not.toContain(secret);
    for (const secret of [
      strange.id,
      strange.core.id,
      'Étrangère',
      'nobody@',
      'child_data',
      '2026-11-03',
      'Léa',
    ])
      expect(text, secret).not.toContain(secret);
    expect(facts.consent_missing).toBe(true);
    const settings = await support.query(
      `select current_setting('request.jwt.claims', true) as claims, current_setting('nestsync.explaining', true) as explaining`,
    );
    expect(Object.values(settings.rows[0]).every((value) => value === null || value === '')).toBe(true);
  });

  test('is nothing about people and families that no grant covers', async () => {
    expect(await outcomeCode(ask(support, strange.gran.id))).toBe('NS002');
    expect(await outcomeCode(ask(support, other.gran.id))).toBe('NS002');
    expect(await outcomeCode(ask(support, family.gran.id, other.id))).toBe('NS002');
    expect(
      await outcomeCode(support.query(`select ops.ask_diagnosis($1, null, '{x:y}')`, [family.gran.id])),
    ).toBe('NS007');
  });

  test('is nothing before the question is committed, after a rollback, or outside a read-only transaction', async () => {
    await support.query('begin');
    const id = await ask(support, family.gran.id);
    await support.query('set transaction read only');
    expect(await outcomeCode(support.query('select ops.diagnose($1)', [id]))).toBe('NS002');
    await support.query('rollback');
    expect(await outcomeCode(answer(support, id))).toBe('NS002');
    const committed = await ask(support, family.gran.id);
    expect(await outcomeCode(support.query('select ops.diagnose($1)', [committed]))).toBe('NS005');
  });

  test("is nothing of another operator's question, nor of one's own under another duty", async () => {
    const id = await ask(support, family.gran.id);
    const peer = await open(await database.makeOperator('support', 'sre'));
    await openGrant(peer, 'support', { kind: 'subject', person: family.gran.id });
    await peer.query('set role nestsync_support');
    expect(await outcomeCode(answer(peer, id))).toBe('NS002');
    await peer.query('set role nestsync_sre');
    expect(await outcomeCode(ask(peer, family.gran.id))).toBe('42501');
    await peer.end();
  });

  test('naming the question and the claims by hand makes nobody the person', async () => {
    const id = await ask(support, family.gran.id);
    const claims = JSON.stringify({ sub: family.gran.id, role: 'authenticated' });
    for (const role of ['authenticated', 'nestsync_support']) {
      await support.query('begin read only');
      await support.query(
        `select set_config('request.jwt.claims', $1, true), set_config('nestsync.explaining', $2, true)`,
        [claims, id],
      );
      await support.query(`set local role ${role}`);
      const seen = await support
        .query('select from public.emergency_profiles')
        .then(({ rowCount }) => rowCount)
        .catch(() => 0);
      await support.query('rollback');
      expect([role, seen]).toEqual([role, 0]);
    }
  });

  test('leaves a record that nobody changes, in the audit log too', async () => {
    const before = await withConnection(database.superuser, (superuser) =>
      superuser.one<{ asked: number; logged: number }>(
        `select count(*)::int as asked, count(a.record_id)::int as logged from ops.access_diagnoses d
           left join audit.events a on a.record_id = d.id and a.table_name = 'ops.access_diagnoses' and a.operation = 'INSERT'
         where d.operator = $1`,
        [login],
      ),
    );
    expect(before.asked).toBeGreaterThan(2);
    expect(before.logged).toBe(before.asked);
    const owner = await open(database.owner);
    expect(await outcomeCode(owner.query(`update ops.access_diagnoses set child = 'x'`))).toBe('NS004');
    expect(await outcomeCode(owner.query('delete from ops.access_diagnoses'))).toBe('NS004');
    expect(await outcomeCode(owner.query('truncate ops.access_diagnoses'))).toBe('NS004');
    await owner.end();
  });
});

describe('where no known cause bars', () => {
  test('the policies themselves are asked, and one that was changed is found', async () => {
    const session = await openSession(await database.makeOperator('support'), {
      duty: 'support',
      reason: 'a complaint to be diagnosed',
      ticket: 'SUP-1',
    });
    const wish = { user: strange.core.id };
    const purpose = { reason: 'a complaint to be diagnosed', ticket: 'SUP-1' };
    expect((await diagnoseAccess(session, wish, purpose)).causes).toEqual([]);
    await withConnection(database.owner, (owner) =>
      owner.query('alter policy usage_logs_member_select on public.usage_logs using (false)'),
    );
    const { causes } = await diagnoseAccess(session, wish, purpose);
    await session.close();
    expect(causes).toMatchObject([{ kind: 'policy_refuses', id: 'policy_refuses:usage_logs', commands: [] }]);
  });
});
