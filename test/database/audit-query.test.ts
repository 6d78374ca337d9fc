import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventQuery, queryEvents } from '../../src/audit/index.js';
import { connect, withConnection } from '../../src/platform/database/connection.js';
import { type Duty, openSession, type Session } from '../../src/platform/database/session.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { asService, makeFamily, type SmallFamily } from '../support/small-world.js';

let database: TestDatabase;
let busy: SmallFamily;

beforeAll(async () => {
  database = await createTestDatabase();
  busy = await makeFamily(database, { name: 'Busy' });
  // 200 families with 150 events each, so that no plan has reason to read them all.
  await asService(database, async (connection) => {
    await connection.query(
      `insert into public.families (name) select 'Family ' || i from generate_series(1, 200) i`,
    );
    await connection.query(
      `insert into public.children (family_id, name, date_of_birth) select id, 'Child', '2025-01-01' from public.families`,
    );
    for (let at = 0; at < 3; at++) {
      await connection.query(`
        insert into public.usage_logs (family_id, child_id, usage_type, logged_at)
        select family_id, id, 'diaper_change', now() - interval '1 hour' * i from public.children, generate_series(1, 50) i`);
    }
  });
  await withConnection(database.superuser, (connection) => connection.query('analyze'));
});
afterAll(() => database.drop());

async function as<T>(duty: Duty, work: (session: Session) => Promise<T>): Promise<T> {
  const session = await openSession(database.operators[0], {
    duty,
    reason: 'testing the log',
    ticket: 'T-1',
  });
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

interface Plan {
  readonly 'Node Type': string;
  readonly 'Actual Rows'?: number;
  readonly 'Actual Loops'?: number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly Plan[];
}
const nodes = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodes)];
/** Rows that the scans of a plan read, whether they were kept or not. */
const rowsRead = (plan: Plan): number =>
  nodes(plan)
    .filter((node) => node['Node Type'].endsWith('Scan') && node.Plans === undefined)
    .reduce(
      (sum, node) =>
        sum +
        ((node['Actual Rows'] ?? 0) + (node['Rows Removed by Filter'] ?? 0)) * (node['Actual Loops'] ?? 0),
      0,
    );

describe('the statement', () => {
  const since = new Date(Date.now() - 86_400_000);
  const user = randomUUID();
  test.each([
    ['a family and a time', 'auditor', () => ({ family: busy.id, since })],
    ['a family, under support', 'support', () => ({ family: busy.id, since })],
    ['nothing at all', 'auditor', () => ({})],
    ['a person', 'auditor', () => ({ user })],
    ['an operator', 'auditor', () => ({ operator: 'camille.roy' })],
    ['a request', 'auditor', () => ({ request: 'none' })],
    ['a ticket', 'auditor', () => ({ ticket: 'none' })],
    ['a row', 'auditor', () => ({ key: user })],
    ['a time, as sre', 'sre', () => ({ since })],
  ] as const)('by %s reads by index and not much more than its page', async (_, duty, filter) => {
    const plan = await as(duty, async (session) => {
      if (duty === 'support') {
        await session.query(`select ops.open_access('read', 'testing the log', 'T-1', 30, $1)`, [busy.id]);
      }
      const { text, values } = eventQuery(duty, filter(), { limit: 20 });
      const [row] = await session.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(
        `explain (analyze, format json) ${text}`,
        values,
      );
      return row?.['QUERY PLAN'][0].Plan as Plan;
    });
    // Each partition of a merge gives its first row before any is chosen; empty ones may be read whole.
    expect(rowsRead(plan)).toBeLessThan(300);
  });
});

describe('paging', () => {
  const filter = { table: 'usage_logs' };

  test('neither skips nor repeats what was committed before, while four writers commit', async () => {
    const before = await as('auditor', (session) =>
      queryEvents(session, { family: busy.id }, { limit: 1000 }),
    );
    let writing = true;
    const writers = Array.from({ length: 4 }, () =>
      asService(database, async (connection) => {
        while (writing) {
          await connection.query('update public.children set name = $1 where family_id = $2 and id = $3', [
            randomUUID(),
            busy.id,
            busy.child,
          ]);
        }
      }),
    );
    try {
      const seen: string[] = [];
      await as('auditor', async (session) => {
        let cursor: string | undefined;
        do {
          const page = await queryEvents(session, { family: busy.id }, { limit: 7, cursor });
          seen.push(...page.events.map(({ id }) => id));
          cursor = page.nextCursor;
        } while (cursor !== undefined);
      });
      expect(new Set(seen).size).toBe(seen.length);
      const known = before.events.map(({ id }) => id);
      const remembered = new Set(known);
      expect(seen.filter((id) => remembered.has(id))).toEqual(known);
    } finally {
      writing = false;
      await Promise.all(writers);
    }
  });

  test('an event that commits late stands at the time of its statement, where a query from the start shows it', async () => {
    const slow = await connect(database.service);
    try {
      await slow.query('set role service_role');
      await slow.query('begin');
      await slow.query(
        `update public.children set current_diaper_size = '4' where family_id = $1 and id = $2`,
        [busy.id, busy.child],
      );
      await asService(database, (connection) =>
        connection.query(
          `update public.usage_logs set notes = 'later' where family_id = $1 and id = (select id from public.usage_logs where family_id = $1 and child_id = $2 limit 1)`,
          [busy.id, busy.child],
        ),
      );
      const first = await as('auditor', (session) => queryEvents(session, { family: busy.id }, { limit: 1 }));
      expect(first.events[0]?.after?.notes).toBe('later');
      await slow.query('commit');
      const again = await as('auditor', (session) => queryEvents(session, { family: busy.id }, { limit: 5 }));
      const late = again.events.findIndex((event) => event.after?.current_diaper_size === '4');
      expect(late).toBeGreaterThan(0);
      // Older than the first page's end, so going on from its cursor shows it too.
      const rest = await as('auditor', (session) =>
        queryEvents(session, { family: busy.id }, { limit: 5, cursor: first.nextCursor }),
      );
      expect(rest.events.map(({ id }) => id)).toContain(again.events[late]?.id);
    } finally {
      await slow.close();
    }
  });

  test('events of one statement share their time and are still paged one by one', async () => {
    const all: string[] = [];
    await as('auditor', async (session) => {
      let cursor: string | undefined;
      for (let page = 0; page < 6; page++) {
        const { events, nextCursor } = await queryEvents(session, filter, { limit: 3, cursor });
        all.push(...events.map(({ id }) => id));
        cursor = nextCursor;
      }
    });
    const stored = await withConnection(database.superuser, (connection) =>
      connection.query<{ id: string }>(
        `select e.id::text from audit.events e where table_name = 'public.usage_logs' order by e.occurred_at desc, e.id desc limit 18`,
      ),
    );
    expect(all).toEqual(stored.map(({ id }) => id));
  });
});
