import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { operatorConsole } from '../support/operator-console.js';
import { asService, makeFamily, type SmallFamily } from '../support/small-world.js';

const WHY = ['--reason', 'weekly figures are wanted', '--ticket', 'OPS-1'];

let database: TestDatabase;
let family: SmallFamily;

beforeAll(async () => {
  database = await createTestDatabase();
  family = await makeFamily(database, { name: 'Tremblay', child: 'Léa' });
  await asService(database, (connection) =>
    connection.query(
      `insert into public.usage_logs (family_id, child_id, usage_type, logged_at, quantity_used, had_leakage)
       values ($1, $2, 'diaper_change', '2026-03-03T15:00Z', 2, true), ($1, $2, 'wipe_use', '2026-03-04T15:00Z', 5, null),
         ($1, $2, 'overnight_change', '2026-03-10T03:30Z', 1, false)`,
      [family.id, family.child],
    ),
  );
});
afterAll(() => database.drop());

test('figures are computed on demand, and read by family, child and week with their age', async () => {
  const me = await operatorConsole(database);
  const early = await me.json(['analytics', 'usage']);
  expect([early.code, early.body.error.next]).toEqual([6, 'nestctl analytics refresh']);

  const dry = await me.json(['analytics', 'refresh', '--dry-run']);
  expect([dry.code, dry.body.result.dry_run]).toEqual([0, true]);
  expect((await me.json(['analytics', 'usage'])).code).toBe(6);

  const computed = await me.json(['analytics', 'refresh', ...WHY]);
  expect([computed.code, computed.body.meta.duty]).toEqual([0, 'sre']);
  expect(Object.keys(computed.body.result)).toEqual(['started_at', 'finished_at']);

  const whole = await me.json(['analytics', 'usage']);
  expect(whole.body.result.weeks.find((week: { week: string }) => week.week === '2026-03-02')).toEqual({
    week: '2026-03-02',
    families: 1,
    children: 1,
    events: 2,
    changes: 1,
  });

  const refused = await me.json(['analytics', 'usage', '--family', family.id]);
  expect([refused.code, refused.body.error.code]).toEqual([4, 'no_grant']);
  const own = await me.json(['analytics', 'usage', '--family', family.id, ...WHY]);
  expect(own.body.result.computed_at).toBe(computed.body.result.finished_at);
  // 03:30 UTC on the 10th is the evening of Monday the 9th in Toronto; quantity is in items, not in events.
  expect(own.body.result.weeks.slice(0, 2)).toEqual([
    {
      child_id: family.child,
      child_name: 'Léa',
      week: '2026-03-02',
      events: 2,
      changes: 1,
      items_used: 7,
      leakages: 1,
    },
    {
      child_id: family.child,
      child_name: 'Léa',
      week: '2026-03-09',
      events: 1,
      changes: 1,
      items_used: 1,
      leakages: 0,
    },
  ]);

  // A day in the middle of a week means that week.
  const since = await me.json(['analytics', 'usage', '--family', family.id, '--since', '2026-03-12']);
  expect(since.body.result.weeks[0].week).toBe('2026-03-09');
  const chart = await me.run(['analytics', 'usage', '--family', family.id]);
  expect(chart.stdout).toContain('Léa: changes by week');
  expect(chart.stdout).toMatch(/2026-03-02 +1, 1 leaked +█+/);
  expect(chart.stdout).toMatch(/^as of /m);
});

test('support may not compute them', async () => {
  const me = await operatorConsole(database, {
    operator: await database.makeOperator('support'),
    owner: false,
  });
  const { code, body } = await me.json(['analytics', 'refresh', ...WHY]);
  expect([code, body.error.code]).toEqual([4, 'duty_not_held']);
});
