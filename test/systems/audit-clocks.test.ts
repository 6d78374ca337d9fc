import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { checkCoverage } from '../../src/audit/index.js';
import { withConnection } from '../../src/platform/database/connection.js';
import { openSession } from '../../src/platform/database/session.js';
import { attack, cutTo, freshConsole, victim } from '../support/attacks.js';
import { createTestDatabase, makeTemplate } from '../support/database.js';
import { seededRandom, testSeed } from '../support/model/random.js';
import { newHome, openSealedLog, type SealedLog } from '../support/sealed-log.js';
import { startTestServer } from '../support/server.js';
import { type SteppedClock, steppedClock } from '../support/stepped-clock.js';

const seed = testSeed();
const [MINUTE, HOUR, DAY] = [60, 3_600, 86_400];
/** Back and forth, over the end of a month, and beyond the months that partitions were made for. */
const STEPS = [90, -30, -3 * HOUR, 2 * DAY, -DAY, 400 * DAY, -70 * DAY, -MINUTE, 5, 0];

async function steppedLog(): Promise<{ log: SealedLog; clock: SteppedClock }> {
  const server = await startTestServer();
  onTestFinished(() => server.stop());
  await makeTemplate(server);
  const clock = await steppedClock(server);
  const database = await createTestDatabase({ server });
  const log = await openSealedLog(database, database.operators[0], newHome());
  onTestFinished(() => log.leave());
  return { log, clock };
}

describe(`the clock of the server, NESTCTL_TEST_SEED=${seed}`, () => {
  test('steps back and forth under writers that abort and have savepoints, and nothing is called tampering', async () => {
    const { log, clock } = await steppedLog();
    let writing = true;
    const writers = Array.from({ length: 6 }, (_, number) =>
      withConnection(log.database.superuser, async (connection) => {
        const random = seededRandom(seed + number);
        for (let round = 0; writing; round += 1) {
          const name = `w${number}r${round} `;
          await connection.query('begin');
          await connection.query(
            `insert into public.families (name) select '${name}' || n from generate_series(1, ${random.between(1, 5)}) n`,
          );
          if (random.chance(0.3)) {
            await connection.query('savepoint s');
            await connection.query(`update public.families set description = 'x' where name like '${name}%'`);
            await connection.query(random.chance(0.5) ? 'rollback to savepoint s' : 'release savepoint s');
          }
          // Some are open while the clock steps.
          if (random.chance(0.2)) await sleep(random.between(10, 400));
          await connection.query(random.chance(0.2) ? 'rollback' : 'commit');
        }
      }),
    );
    let signed = 0;
    for (const seconds of STEPS) {
      clock.step(seconds);
      await sleep(300);
      const sealing = await log.seal();
      if (sealing.signed) signed += 1;
      expect((await log.verify()).faults, `at ${seconds} s`).toEqual([]);
    }
    writing = false;
    await Promise.all(writers);
    await log.seal();
    const report = await log.verify();
    expect(report).toMatchObject({ verdict: 'intact', faults: [], doubts: [], unsealed: 0 });
    expect(report.size).toBe(report.events);
    // Heads are signed at every step, whatever the server takes the time for.
    expect(signed).toBe(STEPS.length);
    const { back, days } = await log.superuser.one<{ back: number; days: number }>(`
      select count(*) filter (where occurred_at < before)::int as back, extract(days from max(occurred_at) - min(occurred_at))::int as days
      from (select e.occurred_at, lag(e.occurred_at) over (order by e.epoch, e.xid, e.id) as before from audit.events e) x`);
    // Else nothing was shown.
    expect(back).toBeGreaterThan(3);
    expect(days).toBeGreaterThan(400);

    const auditor = await openSession(log.database.operators[0], {
      duty: 'auditor',
      reason: 'tests of clocks',
    });
    onTestFinished(() => auditor.close());
    expect((await checkCoverage(auditor, { only: ['public.families'] })).faults).toBe(0);

    // And it is not that nothing would be told any more: of what was written while the clock was far off, too.
    const { id } = await log.superuser.one<{ id: string }>(
      'select id::text from audit.events order by occurred_at desc limit 1',
    );
    await attack(log.superuser, `update audit.events set ticket = 'X-1' where id = ${id}`);
    expect(await log.faults()).toEqual([`edited ${id}`]);
  });

  test('that is put forward does not hide a tail that was cut, nor one that is put back', async () => {
    const { log, clock } = await steppedLog();
    await log.write('Roy', 'Tremblay');
    const { size } = await log.seal();
    const { watermark } = await log.superuser.one<{ watermark: string }>(
      'select watermark::text from audit.tree',
    );
    for (const seconds of [2 * DAY, -2 * DAY]) {
      clock.step(seconds);
      await log.write('to be hidden');
      await log.seal();
    }
    await attack(log.superuser, ...cutTo(size, watermark));
    expect((await log.verify()).faults.map(({ kind, object }) => `${kind} ${object}`)).toEqual([
      `tail_cut leaves ${size} to ${size + 1}`,
    ]);
  });
});

describe('the clock of the console', () => {
  afterEach(() => {
    vi.useRealTimers();
  });
  /** Of this process alone; timers go on as they are. */
  const stepped = (seconds: number) => {
    vi.useRealTimers();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + seconds * 1_000 });
  };

  test('may differ from the server’s by days and years, and step: it signs on, and what it signs verifies', async () => {
    const log = await victim();
    for (const seconds of [10 * DAY, -10 * DAY, 3_000 * DAY, -HOUR, 0]) {
      stepped(seconds);
      const before = await log.seal();
      await log.write(`at ${seconds}`);
      const { signed, size } = await log.seal();
      expect([signed, size]).toEqual([true, before.size + 1]);
      expect(await log.verify()).toMatchObject({ verdict: 'intact', faults: [], unsealed: 0 });
    }
    // With two consoles of which one is ahead.
    const other = await freshConsole(log);
    onTestFinished(() => other.leave());
    for (const [who, seconds] of [
      [log, 5 * DAY],
      [other, 0],
      [log, 5 * DAY],
      [other, -5 * DAY],
    ] as const) {
      stepped(seconds);
      await who.write('by turns');
      await who.seal();
      expect(await log.verify()).toMatchObject({ verdict: 'intact', faults: [] });
      expect(await other.verify()).toMatchObject({ verdict: 'intact', faults: [] });
    }
  });

  test('that was put back does not silence the sign of life of the sealer for as long', async () => {
    const log = await victim();
    stepped(10 * DAY);
    await log.write('ahead');
    await log.seal();
    stepped(0);
    expect(await log.seal()).toMatchObject({ sealed: 0, signed: true });
    expect(await log.seal()).toMatchObject({ sealed: 0, signed: false });
    stepped(2 * HOUR);
    expect(await log.seal()).toMatchObject({ sealed: 0, signed: true });
  });

  test('does not decide whether a cut tail is told', async () => {
    const log = await victim();
    const { size } = await log.verify();
    const { watermark } = await log.superuser.one<{ watermark: string }>(
      'select watermark::text from audit.tree',
    );
    for (const seconds of [10 * DAY, -10 * DAY]) {
      stepped(seconds);
      await log.write('to be hidden');
      await log.seal();
    }
    await attack(log.superuser, ...cutTo(size, watermark));
    // A log that was put back looks the same to a head that seems to be older than what is left.
    expect(await log.faults()).toEqual([
      expect.stringMatching(new RegExp(`^(tail_cut|rolled_back) leaves ${size} to ${size + 1}$`)),
    ]);
  });
});
