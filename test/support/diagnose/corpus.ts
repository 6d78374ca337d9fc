import type pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  applyFix,
  type Cause,
  type Diagnosis,
  diagnoseAccess,
  explainAccess,
  parseExpectation,
  planFix,
} from '../../../src/access/index.js';
import { type Connection, connect } from '../../../src/platform/database/connection.js';
import { openSession, type Session } from '../../../src/platform/database/session.js';
import { createTestDatabase, type TestDatabase } from '../database.js';
import { open, prepareAttempts } from '../model/sessions.js';
import { localDay } from '../model/zones.js';
import { type Asked, COMPLAINTS, type Complaint } from './complaints.js';
import { Household } from './household.js';
import { type Sight, sightOf } from './sight.js';

const WHY = { reason: 'a complaint of the corpus', ticket: 'SUP-1' };

let database: TestDatabase;
let service: Connection;
let app: pg.Client;
let session: Session;

interface Case {
  readonly home: Household;
  readonly asked: Asked;
  readonly meant: Sight | undefined;
  readonly diagnosis: Diagnosis;
  readonly wish: Parameters<typeof diagnoseAccess>[1];
}

/** The complaint as it happened: all as it was meant, then what went wrong, then the question. */
async function arise(complaint: Complaint, look: boolean): Promise<Case> {
  const home = await Household.build(service, complaint.home?.());
  await complaint.meant?.(home);
  const meant = look ? await sightOf(app, home) : undefined;
  const planted = await complaint.plant(home);
  const asked: Asked = planted === undefined || Array.isArray(planted) ? {} : (planted as Asked);
  const wish = {
    user: home.me.id,
    family: asked.family,
    child: asked.child,
    expects: asked.expects?.map(parseExpectation),
  };
  return { home, asked, meant, wish, diagnosis: await diagnoseAccess(session, wish, WHY) };
}

/** Asks explain about what was expected, on real rows; the complainer must be allowed all of it. */
async function explained(home: Household, { expects }: Asked, { kind, family }: Cause): Promise<string[]> {
  const where = family?.id ?? home.id;
  const wishes = expects?.map(parseExpectation) ?? [
    { table: 'children', command: 'select' as const },
    { table: 'usage_logs', command: 'select' as const },
  ];
  const denied: string[] = [];
  for (const { table, command } of wishes) {
    const order =
      table === 'usage_logs' && kind !== 'day_limit'
        ? 'logged_at desc'
        : table === 'usage_logs'
          ? 'logged_at'
          : '1';
    const [row] = await home.sql<{ id: string; child_id: string | null }>(
      `select id, to_jsonb(t) ->> 'child_id' as child_id from public.${table} t where family_id = $1 order by ${order} limit 1`,
      where,
    );
    const key = JSON.stringify({ family_id: where, id: row?.id });
    const { verdict, missing } = await explainAccess(
      session,
      {
        user: home.me.id,
        family: where,
        table,
        command,
        ...(command === 'insert'
          ? { values: { family_id: where, child_id: row?.child_id, usage_type: 'diaper_change' } }
          : { row: key }),
      },
      WHY,
    );
    if (verdict !== 'allowed') denied.push(`${command} ${table}: ${verdict}, ${JSON.stringify(missing)}`);
  }
  return denied;
}

async function mend(one: Case, cause: Cause): Promise<Diagnosis> {
  const fix = await planFix(session, one.diagnosis, cause.id, WHY);
  const { after } = await applyFix(session, fix, one.wish, WHY);
  if (cause.afterwards !== null) await one.home.accept();
  return after;
}

/** What each person may do more, or less, after than before. */
function differences(before: Sight, after: Sight): { person: string; more: string[]; less: string[] }[] {
  return [...before].map(([person, seen]) => {
    const now = after.get(person) ?? new Set();
    return {
      person,
      more: [...now].filter((one) => !seen.has(one)),
      less: [...seen].filter((one) => !now.has(one)),
    };
  });
}

/** The tests of the corpus; `mending` also mends, which takes its time. */
export function diagnoseCorpus(options: { readonly mending: boolean }): void {
  describe('the corpus of access complaints', () => {
    const misses: string[] = [];
    let proposals = 0;
    let asked = 0;

    beforeAll(async () => {
      database = await createTestDatabase();
      service = await connect(database.service, { settings: { role: 'service_role' } });
      app = await open(database.app);
      await prepareAttempts(app);
      session = await openSession(await database.makeOperator('support'), { duty: 'support', ...WHY });
    });
    // Grants of one complaint must not help the next.
    afterEach(() =>
      session.query(
        'select ops.close_access(id) from ops.access_grants where closed_at is null and operator = session_user',
      ),
    );
    afterAll(async () => {
      await service?.close();
      await app?.end();
      await session?.close();
      await database?.drop();
    });

    test('holds at least 60', () => {
      expect(COMPLAINTS.length).toBeGreaterThanOrEqual(60);
      expect(new Set(COMPLAINTS.map(({ title }) => title)).size).toBe(COMPLAINTS.length);
    });

    test.each(COMPLAINTS.map((complaint) => [complaint.title, complaint] as const))(
      '%s',
      async (_, complaint) => {
        const one = await arise(complaint, options.mending);
        const [first, ...others] = one.diagnosis.causes;
        expect(one.diagnosis.unexplained).toEqual([]);
        asked++;
        if (first?.kind !== complaint.cause) {
          misses.push(`${complaint.title}: ${first?.kind ?? 'nothing'} instead of ${complaint.cause}`);
          return;
        }
        expect(first.says).not.toBe('');
        expect(first.commands.length > 0 || first.who !== null, 'a command, or who can').toBe(true);
        if (['pending_deletion', 'consent_withdrawn'].includes(first.kind)) {
          expect(first.commands).toEqual([]);
          expect(first.who).toMatch(/^compliance/);
          expect(others.every(({ commands }) => commands.length === 0)).toBe(true);
        }
        if (!options.mending) return;
        await mendsExactly(one, first, complaint);
        // Whatever else is proposed must work as well: the same complaint once more for each.
        for (const other of others.filter(({ commands }) => commands.length > 0)) {
          const again = await arise(complaint, false);
          const same = again.diagnosis.causes.find(({ kind }) => kind === other.kind);
          if (same === undefined) throw new Error(`${other.kind} was not found again`);
          proposals++;
          await mend(again, same);
          expect(await explained(again.home, again.asked, same), `after ${same.commands}`).toEqual([]);
        }
      },
    );

    async function mendsExactly(one: Case, first: Cause, complaint: Complaint): Promise<void> {
      if (first.steps.length === 0) {
        await expect(planFix(session, one.diagnosis, first.id, WHY)).rejects.toMatchObject({
          code: 'handed_over',
        });
        return;
      }
      const { home, meant } = one;
      const day = localDay(home.zone, Date.now());
      const before = await sightOf(app, home);
      proposals++;
      const after = await mend(one, first);
      expect(await explained(home, one.asked, first), `after ${first.commands}`).toEqual([]);
      if (first.afterwards === null) expect(after.causes.map(({ kind }) => kind)).not.toContain(first.kind);
      const sight = await sightOf(app, home);
      // Midnight in the family's zone has passed: what is of today is another.
      if (localDay(home.zone, Date.now()) !== day) return;
      if (meant === undefined) throw new Error('nothing was looked at');
      const known = new Set([...meant.values()].flatMap((seen) => [...seen]));
      const inMeant = (rows: string[]) => rows.filter((row) => known.has(row));
      // Memberships of an account that came later stand beside what was meant.
      const newcomer = (row: string) =>
        home.people.some(({ id }) => !meant.has(id) && row.endsWith(`/${id}`));
      const exactly = differences(meant, sight).find(({ person }) => person === home.me.id);
      expect(
        { more: exactly?.more.filter((row) => !newcomer(row)), less: inMeant(exactly?.less ?? []) },
        'the complainer sees what was meant',
      ).toEqual({ more: [], less: [] });
      const reference = complaint.opens === 'everybody' ? meant : before;
      for (const { person, more, less } of differences(reference, sight)) {
        if (person === home.me.id) continue;
        // Who may see members sees the complainer among them again, and who may see invitations the new one.
        const surprising = inMeant(more).filter((row) => !row.endsWith(`/${home.me.id}`));
        expect(surprising, 'nobody else sees more').toEqual([]);
        if (first.kind !== 'two_accounts') expect(inMeant(less), 'nor less').toEqual([]);
      }
    }

    test('is diagnosed rightly', () => {
      const right = asked - misses.length;
      const score = asked === 0 ? 0 : right / asked;
      process.stdout.write(
        `diagnose: the planted cause first in ${right} of ${asked} (${(score * 100).toFixed(1)} %)${options.mending ? `, ${proposals} proposals mended and explained` : ''}\n${misses.map((miss) => `  ${miss}\n`).join('')}`,
      );
      expect(score).toBeGreaterThanOrEqual(0.95);
      expect(asked).toBe(COMPLAINTS.length);
    });
  });
}
