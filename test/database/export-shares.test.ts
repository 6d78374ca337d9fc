import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withConnection } from '../../src/platform/database/connection.js';
import { openSession, type Session } from '../../src/platform/database/session.js';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import {
  endGuardian,
  listPackages,
  planGuardianEnding,
  planStep,
  type StepWish,
  scopeOf,
  takeStep,
} from '../../src/privacy/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { newEvidence, temporaryFolder } from '../support/evidence.js';
import {
  answerRequest,
  asCompliance,
  openRequestForChild,
  openRequestOf,
  writeExport,
} from '../support/packages.js';
import { makeFamily, makeGuardian } from '../support/small-world.js';

let database: TestDatabase;
let officer: ConnectionTarget;
beforeAll(async () => {
  database = await createTestDatabase();
  officer = await database.makeOperator('compliance');
});
afterAll(() => database?.drop());

const NAME = 'a'.repeat(64);

const begin = (session: Session, pack: string, share: string, name = NAME) =>
  session.query('select privacy.begin_share($1, $2, $3, $4)', [pack, share, name, 'ca-central-1']);
const shared = (session: Session, share: string, lasts = '7 days', signed = 'now()') =>
  session.query(`select privacy.record_share($1, ${signed}, ${signed} + $2::interval, 'exports/2')`, [
    share,
    lasts,
  ]);
const revoked = (session: Session, share: string) =>
  session.query(`select privacy.record_revocation($1, 1, 'exports/3')`, [share]);

/** A package of somebody's, with a session that may share it. */
async function withPackage(
  work: (made: { session: Session; person: string; pack: string; request: string }) => Promise<void>,
): Promise<void> {
  const { core } = await makeFamily(database, { name: 'Tremblay' });
  const evidence = await newEvidence();
  const file = join(temporaryFolder(), 'package.zip');
  await asCompliance(officer, core.id, async (session) => {
    const { id, request } = await writeExport(session, evidence, core.id, file);
    await work({ session, person: core.id, pack: id, request });
  });
}

describe('a share', () => {
  it('is begun, shared, expired by the clock, and revoked; each step once, and nothing of it changes', async () => {
    await withPackage(async ({ session, pack, request, person }) => {
      const state = async () =>
        (await listPackages(session, { of: pack }))[0]?.shares.map((one) => one.state);
      expect(await state()).toEqual([]);
      const [first, second] = [randomUUID(), randomUUID()];
      await expect(shared(session, first)).rejects.toThrow(/no such share was begun/i);
      await begin(session, pack, first);
      await begin(session, pack, first);
      expect(await state()).toEqual(['begun']);
      await expect(begin(session, pack, first, 'b'.repeat(64))).rejects.toThrow(
        /shared before, and not revoked/,
      );
      await expect(begin(session, pack, second)).rejects.toThrow(/shared before, and not revoked/);
      await shared(session, first, '1 second');
      await expect(shared(session, first)).rejects.toThrow(/made or revoked meanwhile/);
      await expect(begin(session, pack, first)).rejects.toThrow(/shared before, and not revoked/);
      await session.query('select pg_sleep(1.1)');
      expect(await state()).toEqual(['expired']);
      await revoked(session, first);
      await expect(revoked(session, first)).rejects.toThrow(/revoked meanwhile/);
      await expect(begin(session, pack, first)).rejects.toThrow();
      await begin(session, pack, second);
      await shared(session, second);
      expect(await state()).toEqual(['shared', 'revoked']);
      expect(await listPackages(session, { of: request })).toEqual(
        await listPackages(session, { user: person }),
      );
    });
    await withConnection(database.owner, async (owner) => {
      await expect(owner.query(`update privacy.export_shares set link_expires_at = now()`)).rejects.toThrow();
      await expect(owner.query('delete from privacy.export_shares')).rejects.toThrow();
      await expect(owner.query('truncate privacy.export_shares')).rejects.toThrow();
    });
  });

  it('has a link of at most 7 days, signed now', async () => {
    await withPackage(async ({ session, pack }) => {
      const share = randomUUID();
      await begin(session, pack, share);
      for (const [lasts, signed] of [
        ['7 days 1 second', 'now()'],
        ['0 seconds', 'now()'],
        ['7 days', `(now() + interval '20 minutes')`],
      ] as const)
        await expect(shared(session, share, lasts, signed)).rejects.toThrow(/export_shares_at_most_7_days/);
      await shared(session, share, '7 days', `(now() + interval '10 minutes')`);
    });
  });

  it('is refused of a package whose request was withdrawn or refused, also when that comes between; revoking is not', async () => {
    const ends: readonly (() => StepWish)[] = [
      () => ({ verb: 'withdraw' }),
      () => ({
        verb: 'refuse',
        code: 'no_match',
        told: 'there is nothing',
        recourse_told: true,
        answered_at: new Date(),
      }),
    ];
    for (const wish of ends) {
      await withPackage(async ({ session, pack, request }) => {
        const share = randomUUID();
        await begin(session, pack, share);
        await takeStep(session, await planStep(session, request, wish));
        await expect(shared(session, share)).rejects.toThrow(/shared with nobody/);
        await expect(begin(session, pack, share)).rejects.toThrow(/shared with nobody/);
        await revoked(session, share);
        await expect(begin(session, pack, randomUUID())).rejects.toThrow(/shared with nobody/);
      });
    }
  });

  it('may follow the answer: a request that was fulfilled keeps its package', async () => {
    await withPackage(async ({ session, pack, request }) => {
      const wish: StepWish = { verb: 'fulfil', told: 'the package', answered_at: new Date() };
      await takeStep(session, await planStep(session, request, () => wish));
      await begin(session, pack, randomUUID());
    });
  });
});

it('the package of a child is shared while whoever asked may act for it, and revoked within a grant of its family alone', async () => {
  const { id: family, child, core } = await makeFamily(database, { name: 'Lavoie' });
  const evidence = await newEvidence();
  const file = join(temporaryFolder(), 'package.zip');
  const guardian = await makeGuardian(database, { family, id: child }, core.id);
  await asCompliance(officer, { family }, async (session) => {
    const number = await openRequestForChild(session, { family, id: child }, core.id);
    const { id: pack } = await answerRequest(session, evidence, number, file);
    const share = randomUUID();
    await begin(session, pack, share);
    await shared(session, share);
    expect((await listPackages(session, { of: number }))[0]).toMatchObject({
      person: child,
      shares: [{ state: 'shared' }],
    });
    expect(await scopeOf(session, pack)).toEqual({ kind: 'family', id: family });
    const stranger = await makeFamily(database, { name: 'Cyr' });
    await asCompliance(await database.makeOperator('compliance'), stranger.core.id, async (other) => {
      await expect(revoked(other, share)).rejects.toMatchObject({ code: 'no_grant' });
      expect(await listPackages(other, { of: number })).toEqual([]);
    });
    await revoked(session, share);
    const ending = { on: undefined, ground: 'entered_in_error' } as const;
    await endGuardian(session, await planGuardianEnding(session, family, guardian, ending));
    await expect(begin(session, pack, randomUUID())).rejects.toThrow(/may not act for the child/);
  });
});

describe('hand-written SQL', () => {
  it('shares nothing without a package, a grant, a purpose, the duty, or by writing the table', async () => {
    await withPackage(async ({ session, pack, person }) => {
      const share = randomUUID();
      await expect(begin(session, randomUUID(), share)).rejects.toThrow(/no such package/);
      await expect(
        session.query(
          `insert into privacy.export_shares (share_id, step, export_id, request, user_id, object_sha256, region) values ($1, 'begun', $2, 'REQ-2026-0001', $3, $4, 'ca-central-1')`,
          [share, pack, person, NAME],
        ),
      ).rejects.toMatchObject({ kind: 'not_allowed' });
      const other = await database.makeOperator('compliance');
      const ungranted = await openSession(other, {
        duty: 'compliance',
        reason: 'no grant for her',
        ticket: 'DSR-2',
      });
      try {
        await expect(begin(ungranted, pack, share)).rejects.toMatchObject({ code: 'no_grant' });
        await begin(session, pack, share);
        await expect(shared(ungranted, share)).rejects.toMatchObject({ code: 'no_grant' });
        await expect(revoked(ungranted, share)).rejects.toMatchObject({ code: 'no_grant' });
        expect(await listPackages(ungranted, { of: pack })).toEqual([]);
        expect(await ungranted.query('select 1 from privacy.export_shares')).toEqual([]);
      } finally {
        await ungranted.close();
      }
      await session.query(`select set_config('nestsync.ticket', '', false)`);
      await expect(shared(session, share)).rejects.toMatchObject({ code: 'reason_missing' });
      await expect(revoked(session, share)).rejects.toMatchObject({ code: 'reason_missing' });
    });
  });

  it.each(['support', 'sre', 'admin'] as const)('of %s sees and shares nothing', async (duty) => {
    await withPackage(async ({ session, pack }) => {
      await begin(session, pack, randomUUID());
      const target = await database.makeOperator(duty);
      const outsider = await openSession(target, { duty, reason: 'curious about packages', ticket: 'SUP-1' });
      try {
        for (const statement of [
          'select * from privacy.export_shares',
          `select privacy.export_request('${pack}')`,
          `select privacy.begin_share('${pack}', '${randomUUID()}', '${NAME}', 'ca-central-1')`,
          `select privacy.record_revocation('${randomUUID()}', 0, 'exports/1')`,
        ])
          await expect(outsider.query(statement), statement).rejects.toMatchObject({ kind: 'not_allowed' });
      } finally {
        await outsider.close();
      }
    });
  });

  it('of an auditor reads all of it, and writes none', async () => {
    await withPackage(async ({ session, pack }) => {
      await begin(session, pack, randomUUID());
      const auditor = await openSession(await database.makeOperator('auditor'), { duty: 'auditor' });
      try {
        expect(await listPackages(auditor, { of: pack })).toEqual(await listPackages(session, { of: pack }));
        await expect(begin(auditor, pack, randomUUID())).rejects.toMatchObject({ kind: 'not_allowed' });
      } finally {
        await auditor.close();
      }
    });
  });

  it('of two officers at once makes one share', async () => {
    await withPackage(async ({ session, pack, person }) => {
      await asCompliance(await database.makeOperator('compliance'), person, async (other) => {
        const results = await Promise.allSettled(
          [session, other].map((one) => begin(one, pack, randomUUID())),
        );
        expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      });
    });
  });
});

it('a request without a package leads to none', async () => {
  const { core } = await makeFamily(database, { name: 'Roy' });
  await asCompliance(officer, core.id, async (session) => {
    const request = await openRequestOf(session, core.id);
    expect(await listPackages(session, { of: request })).toEqual([]);
  });
});
