import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withConnection } from '../../src/platform/database/connection.js';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import { type ErasurePlan, planErasure } from '../../src/privacy/index.js';
import { finished, startConsole } from '../support/console.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import {
  approveErasure,
  brokenLeaves,
  letTimePass,
  makeOfficers,
  schedule,
  unguarded,
} from '../support/erasures.js';
import { type Random, seededRandom, testSeed } from '../support/model/random.js';
import { type OperatorConsole, operatorConsole } from '../support/operator-console.js';
import { asCompliance, openRequestOf } from '../support/packages.js';
import { makeFamily } from '../support/small-world.js';

const WHY = ['--reason', 'a test of being killed', '--ticket', 'DSR-9'];
/** How often a run is killed, over all erasures together. */
const KILLS = 60;

let database: TestDatabase;
let officer: ConnectionTarget;
let second: ConnectionTarget;
let me: OperatorConsole;
beforeAll(async () => {
  database = await createTestDatabase();
  [officer, second] = await makeOfficers(database);
  me = await operatorConsole(database, { operator: officer, owner: false });
  for (const purpose of ['signing', 'ledger'])
    await me.json(['evidence', 'key', 'create', '--for', purpose, ...WHY]);
});
afterAll(() => database?.drop());

/** Somebody alone in a family that goes with them, due. */
async function due(logs: number): Promise<{ number: string; plan: ErasurePlan; marker: string }> {
  const family = await makeFamily(database, { name: 'Ouellet' });
  const marker = `note of ${family.id}`;
  await unguarded(database, async (connection) => {
    await connection.query(
      `update public.family_members set status = 'removed' where family_id = $1 and user_id <> $2`,
      [family.id, family.core.id],
    );
    await connection.query(
      `insert into public.usage_logs (family_id, child_id, usage_type, notes, created_by)
       select $1, $2, 'diaper_change', $3, $4 from generate_series(1, $5::integer)`,
      [family.id, family.child, marker, family.core.id, logs],
    );
  });
  return await asCompliance(officer, family.core.id, async (session) => {
    const number = await openRequestOf(session, family.core.id, { kind: 'deletion' });
    const plan = await planErasure(session, number);
    expect(plan.gates).toEqual([]);
    await approveErasure(session, second, number);
    await schedule(session, number);
    await letTimePass(database, number);
    return { number, plan, marker };
  });
}

/** True where it was killed, false where it came to its end before; how it ended is looked at then. */
async function runAndKill(number: string, after: number): Promise<boolean> {
  const child = startConsole(['erasure', 'run', number, '--confirm', number, ...WHY, '--json'], {
    env: me.env,
  });
  child.stdin.end();
  const over = new AbortController();
  const killing = sleep(after, undefined, { signal: over.signal }).then(
    () => child.kill('SIGKILL'),
    () => false,
  );
  const { code, signal, stdout } = await finished(child);
  over.abort();
  await killing;
  if (signal === 'SIGKILL') return true;
  // Archives there are none; the sender of e-mail and the payments are still to be settled.
  expect(code, stdout).toBe(8);
  return false;
}

async function runUntilKilled(random: Random, number: string, kills: number): Promise<number> {
  for (let killed = 0; killed < kills; killed += 1) {
    if (!(await runAndKill(number, random.between(500, 2_200)))) return killed;
  }
  return kills;
}

const planned = ({ steps }: ErasurePlan) =>
  steps
    .filter(
      ({ table, does }) =>
        table.startsWith('public.') && ['delete', 'anonymize', 'sever'].includes(does ?? ''),
    )
    .map(({ table, rows_of, does, rows }) => `${table} ${rows_of} ${does} ${rows}`)
    .sort();

const seed = testSeed();
test(`killed at ${KILLS} random points, every erasure comes to the end it would have come to, NESTCTL_TEST_SEED=${seed}`, async () => {
  const random = seededRandom(seed);
  let [killed, erased] = [0, 0];
  while (killed < KILLS) {
    const { number, plan, marker } = await due(random.pick([40, 6_000]));
    killed += await runUntilKilled(random, number, Math.min(6, KILLS - killed));
    const last = await me.json(['erasure', 'run', number, '--confirm', number, ...WHY]);
    expect(
      [last.code, last.body.result?.erasure.state],
      JSON.stringify(last.body.result?.left ?? last.body),
    ).toEqual([8, 'proven']);
    erased += 1;
    await withConnection(database.superuser, async (connection) => {
      const steps = await connection.query<{ step: string }>(
        `select concat_ws(' ', s.table_name, s.rows_of, s.does, s.rows) as step from privacy.erasure_steps s join privacy.erasures e on e.id = s.erasure_id
         where e.request = $1 and s.table_name like 'public.%' and s.rows > 0`,
        [number],
      );
      expect(steps.map(({ step }) => step).sort()).toEqual(planned(plan));
      const [left] = await connection.query<Record<string, number>>(
        `select (select count(*)::int from public.usage_logs where notes = $1) as logs,
           (select count(*)::int from audit.events where old_row::text like '%' || $1 || '%' or new_row::text like '%' || $1 || '%') as events`,
        [marker],
      );
      expect(left).toEqual({ logs: 0, events: 0 });
    });
  }
  expect(await brokenLeaves(officer)).toBe(0);
  const ledger = await me.json(['erasure', 'ledger', 'verify', ...WHY]);
  expect([ledger.code, ledger.body.result.missing]).toEqual([0, []]);
  // One record each, however often it was begun.
  const requests = ledger.body.result.entries.map(({ request }: { request: string }) => request);
  expect([new Set(requests).size, requests.length]).toEqual([erased, erased]);
}, 900_000);
