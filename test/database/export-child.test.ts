import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withConnection } from '../../src/platform/database/connection.js';
import type { Session } from '../../src/platform/database/session.js';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import {
  exportableRequest,
  planExport,
  planStep,
  requestForChild,
  requireStanding,
  takeStep,
} from '../../src/privacy/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { newEvidence, temporaryFolder } from '../support/evidence.js';
import { seededRandom, testScale, testSeed } from '../support/model/random.js';
import { answerRequest, asCompliance, openRequestForChild, unzip } from '../support/packages.js';
import { checkPackage, exportedColumns } from '../support/planted-package.js';
import { plantPeople } from '../support/planted-people.js';
import { makeGuardian } from '../support/small-world.js';

let database: TestDatabase;
let operator: ConnectionTarget;
let exported: ReadonlySet<string>;
beforeAll(async () => {
  database = await createTestDatabase();
  operator = await database.makeOperator('compliance');
  exported = await exportedColumns(database);
});
afterAll(() => database?.drop());

const asOwner = <Row extends object>(statement: string, values: unknown[] = []) =>
  withConnection(database.superuser, (superuser) => superuser.query<Row>(statement, values));

/** A random household with a child, for whom one of its people stands. */
async function plantChild(random = seededRandom(testSeed())) {
  const world = await plantPeople(database, random);
  const [child] = world.children as [{ family: string; id: string }];
  const [, , guardian = '', coParent = ''] = world.people;
  await makeGuardian(database, child, guardian, ['act_of_birth', 'court_order']);
  return { world, child, guardian, coParent };
}

describe('the package of a child', () => {
  it('holds all of its own and nothing of anybody else, whoever asks among them, in random families', async () => {
    const seed = testSeed();
    const random = seededRandom(seed);
    for (let at = 0; at < 10 * testScale(); at += 1) {
      const { world, child, guardian, coParent } = await plantChild(random);
      const sibling = world.children.find(({ family, id }) => family === child.family && id !== child.id);
      // Those who are nearest to it, where they are most likely to be written of.
      const named = [guardian, coParent, world.subject].flatMap((id) => world.names.get(id) ?? []);
      await asOwner(
        `update public.usage_logs set notes = notes || $3 || coalesce((select '; ' || c.name from public.children c where c.id = $4), '')
         where family_id = $1 and child_id = $2`,
        [child.family, child.id, `; with ${named.join(', ')}`, sibling?.id ?? null],
      );
      const file = join(temporaryFolder(), 'package.zip');
      const evidence = await newEvidence();
      const created = await asCompliance(operator, { family: child.family }, async (session) =>
        answerRequest(session, evidence, await openRequestForChild(session, child, guardian), file),
      );
      const files = await unzip(file);
      const manifest = JSON.parse(files.get('manifest.json') ?? '');
      expect([manifest.person, manifest.subject_kind, created.person]).toEqual([child.id, 'child', child.id]);
      try {
        checkPackage(world, files, exported, child);
        expect(JSON.parse(files.get('provided/children.json') ?? '')).toHaveLength(1);
        expect(
          [...files.keys()].filter((path) => /users|families|family_members|consent/.test(path)),
        ).toEqual([]);
      } catch (error) {
        throw new Error(`NESTCTL_TEST_SEED=${seed}, world ${at}: ${(error as Error).message}`, {
          cause: error,
        });
      }
    }
  });

  it('tells how many rows of the household are withheld, and names a child as others do without severing it', async () => {
    const { child, guardian } = await plantChild();
    const twin = randomUUID();
    await asOwner(`update public.children set name = 'Anne-Marie Roy' where id = $1`, [child.id]);
    await asOwner(
      `insert into public.children (family_id, id, name, date_of_birth) values ($1, $2, 'Anne', '2025-02-28')`,
      [child.family, twin],
    );
    const plan = await asCompliance(operator, { family: child.family }, async (session) => {
      await openRequestForChild(session, child, guardian);
      return await planExport(session, (await requestForChild(session, child.id)).subject);
    });
    const children = plan.tables.find(({ table }) => table === 'public.children');
    expect(children).toMatchObject({ rows: 1, withheld_rows: [{ rows: expect.any(Number) }] });
    expect(children?.severances).toBeLessThanOrEqual(1);
    expect(plan.tables.find(({ table }) => table === 'public.families')?.rows).toBe(0);
  });
});

describe('no package of a child is made', () => {
  const HASHES = `'en', repeat('a', 64), repeat('b', 64), 10, 1, 0, 'exports/1'`;
  const record = (session: Session, child: string, request: string) =>
    session.query(`select privacy.record_export($1, $2, ${HASHES}, 'child')`, [child, request]);
  const byHand = (session: Session, child: string) => [
    session.query(`select * from privacy.package_tables($1, 'child')`, [child]),
    session.query(`select privacy.open_package_rows($1, 'public.children', '{name}', 'child')`, [child]),
    session.query(`select * from privacy.package_people($1, 'child')`, [child]),
  ];
  const allRefused = async (session: Session, child: string, words: RegExp) => {
    for (const attempt of byHand(session, child)) await expect(attempt).rejects.toThrow(words);
  };

  it('before a guardian has asked and was verified, nor without a grant for its family', async () => {
    const { child, guardian, world } = await plantChild();
    await asCompliance(operator, { family: child.family }, async (session) => {
      await allRefused(session, child.id, /identity_not_verified/);
      const number = await openRequestForChild(session, child, guardian, { verified: false });
      await allRefused(session, child.id, /identity_not_verified/);
      await expect(exportableRequest(session, number)).rejects.toMatchObject({
        code: 'identity_not_verified',
      });
      await expect(requestForChild(session, child.id)).rejects.toMatchObject({
        code: 'identity_not_verified',
      });
      await expect(record(session, child.id, number)).rejects.toThrow(/identity_not_verified/);
      const seen = { verb: 'verify-identity', method: 'signed_in', authority: 'guardian_of_record' } as const;
      await takeStep(session, await planStep(session, number, () => ({ ...seen, passed: true })));
      for (const attempt of byHand(session, child.id)) await expect(attempt).resolves.toBeDefined();
    });
    const stranger = await database.makeOperator('compliance');
    await asCompliance(stranger, { family: await otherFamily() }, async (session) => {
      for (const attempt of byHand(session, child.id))
        await expect(attempt).rejects.toMatchObject({ code: 'no_grant' });
    });
    // Nor is a child's request one for the account of whoever made it.
    await asCompliance(operator, guardian, async (session) => {
      const [row] = await session.query<{ number: string }>(
        'select number from privacy.requests where child_id = $1',
        [child.id],
      );
      await expect(
        session.query(`select privacy.record_export($1, $2, ${HASHES})`, [guardian, row?.number]),
      ).rejects.toThrow(/none that a package of this person/);
    });
    expect(world.children.length).toBeGreaterThan(0);
  });

  it.each([
    ['the court has forbidden it since', `limits = '{no_information}'`, 'no_information'],
    ['their term has passed', `until_date = '2026-01-01'`, 'over'],
    [
      'it was recorded in error',
      `ended_on = '2026-01-01', end_ground = 'entered_in_error', ended_by = 'camille.roy', ended_at = now()`,
      'no_guardian',
    ],
  ])('once %s, though the identity was verified', async (_, change, why) => {
    const { child, guardian } = await plantChild();
    await asCompliance(operator, { family: child.family }, async (session) => {
      const number = await openRequestForChild(session, child, guardian);
      const request = await exportableRequest(session, number);
      expect(await requireStanding(session, request)).toMatchObject({ why: 'guardian' });
      await asOwner(
        `update privacy.guardians set ${change} where family_id = $1 and child_id = $2 and user_id = $3`,
        [...[child.family, child.id, guardian]],
      );
      await allRefused(session, child.id, new RegExp(why));
      await expect(record(session, child.id, number)).rejects.toThrow(new RegExp(why));
      await expect(requireStanding(session, request)).rejects.toMatchObject({ code: 'not_a_guardian' });
    });
  });

  it('on the request of one who may not, though another may', async () => {
    const { child, guardian, coParent } = await plantChild();
    await makeGuardian(database, child, coParent, ['act_of_birth', 'court_order']);
    await asCompliance(operator, { family: child.family }, async (session) => {
      const theirs = await openRequestForChild(session, child, coParent, { kind: 'portability' });
      const ours = await openRequestForChild(session, child, guardian);
      await asOwner(
        `update privacy.guardians set limits = '{no_contact}' where child_id = $1 and user_id = $2`,
        [child.id, coParent],
      );
      await expect(record(session, child.id, theirs)).rejects.toThrow(/no_contact/);
      await expect(
        answerRequest(session, await newEvidence(), theirs, join(temporaryFolder(), 'p.zip')),
      ).rejects.toThrow(/no_contact/);
      expect(await record(session, child.id, ours)).toHaveLength(1);
    });
  });

  it('where another family has given one of its children the same id', async () => {
    const { child, guardian } = await plantChild();
    await asCompliance(operator, { family: child.family }, async (session) => {
      const number = await openRequestForChild(session, child, guardian);
      await asOwner(
        `insert into public.children (family_id, id, name, date_of_birth) values ($1, $2, 'Another', '2025-01-01')`,
        [await otherFamily(), child.id],
      );
      await allRefused(session, child.id, /2 families have a child with this id/);
      await expect(record(session, child.id, number)).rejects.toThrow(/2 families/);
    });
  });

  async function otherFamily(): Promise<string> {
    const [row] = await asOwner<{ id: string }>(
      `insert into public.families (name) values ('Somewhere else') returning id`,
    );
    return row?.id ?? '';
  }
});
