import { afterAll, beforeAll, expect, test } from 'vitest';
import { monthOf } from '../../src/audit/archive/month.js';
import { readPartition } from '../../src/audit/archive/read-partition.js';
import { openSession, type Session } from '../../src/platform/database/session.js';
import { datedBack } from '../support/old-events.js';
import { type SealedLog, sealedLog } from '../support/sealed-log.js';

const FAMILIES = 6000;

let log: SealedLog;
let compliance: Session;

beforeAll(async () => {
  log = await sealedLog();
  await log.superuser.query(
    `insert into public.families (name) select 'Tremblay ' || n from generate_series(1, ${FAMILIES}) n`,
  );
  await datedBack(log.database, '2024-03-01', `table_name = 'public.families'`);
  await log.superuser.query('vacuum analyze audit.events');
  compliance = await openSession(await log.database.makeOperator('compliance'), {
    duty: 'compliance',
    reason: 'tests of archiving',
  });
});
afterAll(async () => {
  await compliance?.close();
  await log?.close();
});

/** Blocks of 8 kB that a page of so many events after one takes to read. */
async function blocks(after: string, atMost: number): Promise<number> {
  const [plan] = await compliance.query<{ 'QUERY PLAN': [{ Plan: Record<string, number> }] }>(
    `explain (analyze, buffers, format json)
     select * from audit.archivable_events('modification', '2024-04-01', ${after}, ${atMost})`,
  );
  const { 'Shared Hit Blocks': hit = 0, 'Shared Read Blocks': read = 0 } = plan?.['QUERY PLAN'][0].Plan ?? {};
  return hit + read;
}

test('a page of a month costs what a page holds, not what the month holds', async () => {
  // The first of a session reads the catalogue too, and every one plans.
  await blocks(`'2024-03-01', 0`, 1);
  const least = await blocks(`'2024-03-01', 0`, 1);
  const whole = (await blocks(`'2024-03-01', 0`, FAMILIES)) - least;
  const page = (await blocks(`'2024-03-01', 0`, 100)) - least;
  expect(whole).toBeGreaterThan(FAMILIES / 40);
  expect(page).toBeLessThan(whole / 10);
});

test('the pages of a month are all of its events, each once and in the order of time', async () => {
  const ids: string[] = [];
  const sizes: number[] = [];
  for await (const { skeleton, personal, events } of readPartition(
    compliance,
    monthOf('modification', '2024-03-01'),
  )) {
    const idsOf = (lines: Buffer) =>
      lines
        .toString()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).id as string);
    expect(idsOf(personal)).toEqual(idsOf(skeleton));
    ids.push(...idsOf(skeleton));
    sizes.push(events);
  }
  const all = await log.superuser.query<{ id: string }>(
    `select id from audit.events where category = 'modification' and occurred_at < '2024-04-01' order by occurred_at, id`,
  );
  expect(all.length).toBe(FAMILIES);
  expect(ids).toEqual(all.map(({ id }) => id));
  expect(sizes.length).toBeGreaterThan(1);
});

test('events to be archived are read by nobody but those who archive', async () => {
  const auditor = await openSession(await log.database.makeOperator('auditor'), {
    duty: 'auditor',
    reason: 'tests of archiving',
  });
  try {
    await expect(
      auditor.query(
        `select * from audit.archivable_events('modification', '2024-04-01', '2024-03-01', 0, 1)`,
      ),
    ).rejects.toMatchObject({ code: 'permission_denied' });
  } finally {
    await auditor.close();
  }
});
