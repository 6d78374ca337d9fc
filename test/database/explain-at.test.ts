import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { explainAt } from '../../src/access/index.js';
import { withConnection } from '../../src/platform/database/connection.js';
import { openSession, type Session } from '../../src/platform/database/session.js';
import { recordSnapshot } from '../../src/platform/migrations/snapshot.js';
import { createTestDatabase, makeTemplate, type TestDatabase } from '../support/database.js';
import {
  adminSession,
  explainAgreesOnThePast,
  explainDoubtsThePast,
  explainThen,
} from '../support/explain-past.js';
import { asMover, planAndMove } from '../support/family-moves.js';
import { open } from '../support/model/sessions.js';
import { type OwnServer, startTestServer } from '../support/server.js';
import { makeFamily } from '../support/small-world.js';

explainAgreesOnThePast(60);
explainDoubtsThePast(1);

describe('policies of the past', () => {
  let server: OwnServer;
  let database: TestDatabase;
  let session: Session;
  beforeAll(async () => {
    server = await startTestServer({ settings: { track_commit_timestamp: true } });
    await makeTemplate(server);
    database = await createTestDatabase({ server });
    session = await adminSession(database);
  });
  afterAll(async () => {
    await session?.close();
    await server?.stop();
  });

  const moment = async () => {
    await sleep(5);
    const now = new Date();
    await sleep(5);
    return now;
  };

  test('hold in the family that a row was of then, though a move has taken it to the one that is named', async () => {
    const from = await makeFamily(database, { name: 'Tremblay' });
    const into = await makeFamily(database, { name: 'Gagnon' });
    const before = await moment();
    await asMover(await database.makeOperator('support'), [from.id, into.id], (moving) =>
      planAndMove(moving, { kind: 'merge', from: from.id, to: into.id }),
    );
    const after = await moment();
    const support = await openSession(await database.makeOperator('support'), { duty: 'support' });
    const purpose = { reason: 'who saw it then', ticket: 'SUP-2' };
    const ask = (user: string, at: Date) =>
      explainAt(
        support,
        { user, table: 'children', command: 'select', row: from.child, family: into.id, at },
        purpose,
      );
    const own = await ask(from.gran.id, before);
    expect([own.verdict, own.family?.id]).toEqual(['allowed', from.id]);
    expect(own.notes.join()).toContain(from.id);
    expect((await ask(into.gran.id, before)).verdict).toBe('denied');
    for (const { id } of [from.gran, into.gran]) {
      const now = await ask(id, after);
      expect([now.verdict, now.family?.id]).toEqual(['allowed', into.id]);
    }
    const opened = await support.query<{ family_id: string }>(
      `select family_id from ops.access_grants where operator = session_user and family_id is not null`,
    );
    expect(opened.map((grant) => grant.family_id).sort()).toEqual([from.id, into.id].sort());
    await support.close();
  });

  test('are those of the snapshots around it; one that changed between two makes it unknown', async () => {
    const family = await makeFamily(database, { name: 'Tremblay' });
    const ask = (at: Date) =>
      explainThen(session, {
        person: family.gran.id,
        table: 'children',
        command: 'select',
        key: { id: family.child },
        moment: at,
      });
    const change = (statement: string) => withConnection(database.owner, (owner) => owner.query(statement));
    const doctor = () => withConnection(database.owner, (owner) => recordSnapshot(owner, 'doctor'));
    const before = await moment();
    expect((await ask(before)).verdict).toBe('allowed');
    await change(
      `alter policy children_member_select on public.children using (name = 'Zoé' and family_id = any ((select private.member_families('children:read'))::uuid[]))`,
    );
    const unseen = await ask(before);
    expect(unseen.verdict).toBe('unknown');
    expect(unseen.notes[0]).toContain('policy children_member_select');
    await doctor();
    const narrow = await moment();
    await doctor();
    expect((await ask(before)).verdict).toBe('unknown');
    const then_ = await ask(narrow);
    expect([then_.verdict, then_.missing.map(({ would }) => would)]).toEqual([
      'denied',
      ["name = 'Zoé'::text held"],
    ]);
    await change(
      `alter policy children_member_select on public.children using (family_id = any ((select private.member_families('children:read'))::uuid[]))`,
    );
    await doctor();
    // As it was, though it is not so any more.
    expect((await ask(narrow)).verdict).toBe('denied');
    await change(
      `create or replace function private.permission_named(list text[], permission text) returns boolean
         language plpgsql immutable parallel safe set search_path = pg_catalog, pg_temp as $$ begin return false; end $$`,
    );
    const helper = await ask(await moment());
    expect(helper.verdict).toBe('unknown');
    expect(helper.notes[0]).toContain('private.permission_named');
  });

  test('a snapshot that no owner took decides nothing', async () => {
    const forger = await open(await database.makeOperator('admin'));
    await forger.query('set role nestsync_admin');
    await forger.query(
      `insert into ops.catalogue_snapshots (taken_for, hash, content) values ('doctor', repeat('0', 64), '{"policies": [], "routines": [], "relations": []}')`,
    );
    await forger.end();
    const family = await makeFamily(database, { name: 'Gagnon' });
    const { notes } = await explainThen(session, {
      person: family.gran.id,
      table: 'families',
      command: 'select',
      key: { id: family.id },
      moment: await moment(),
    });
    expect(notes.join()).not.toContain('families_member_select');
  });

  test('leaves nothing behind in the session, and answers only a committed question about the past', async () => {
    const family = await makeFamily(database, { name: 'Roy' });
    await explainThen(session, {
      person: family.gran.id,
      table: 'families',
      command: 'select',
      key: { id: family.id },
      moment: await moment(),
    });
    const { left } = await session.one<{ left: number }>(
      `select count(*)::int as left from pg_proc where pronamespace = pg_my_temp_schema()`,
    );
    expect(left).toBe(0);
    await expect(
      session.query(`select ops.explain_at(gen_random_uuid(), '{}', '{}', '{}')`),
    ).rejects.toMatchObject({ code: 'no_grant' });
  });
});
