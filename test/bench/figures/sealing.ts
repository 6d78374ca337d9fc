import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { sealLog, verifyLog } from '../../../src/audit/index.js';
import { type Connection, connect, withConnection } from '../../../src/platform/database/connection.js';
import type { TestDatabase } from '../../support/database.js';
import { newHome, openSealedLog, type SealedLog } from '../../support/sealed-log.js';
import { withDatabase } from '../support/databases.js';
import type { Bench, Figure, Report } from '../support/figure.js';
import { interleaved, median, ms, ratio, timed } from '../support/measure.js';

const FAMILY = '00000000-0000-4000-8000-000000000001';
const CHILD = '00000000-0000-4000-8000-000000000002';
const INSERT = `insert into public.usage_logs (family_id, child_id, usage_type, logged_at, caregiver_name, was_wet)
  values ('${FAMILY}', '${CHILD}', 'diaper_change', now(), 'Amélie Tremblay', true)`;
const BULK = `insert into public.usage_logs (family_id, child_id, usage_type, logged_at, caregiver_name, was_wet)
  select '${FAMILY}', '${CHILD}', 'diaper_change', now() - make_interval(secs => n), 'Amélie Tremblay', true from generate_series(1, 50000) n`;

/** Between two runs of the sealer, milliseconds: the schedule of maintenance runs it every hour. */
const EVERY = 5_000;

export const sealing: Figure = {
  title: 'Sealing and verifying',
  measure: (bench) =>
    withDatabase(bench, async (database) => {
      const log = await openSealedLog(database, await database.makeOperator('sre'), newHome());
      try {
        return await measure(bench, database, log);
      } finally {
        await log.leave();
      }
    }),
};

async function measure(bench: Bench, database: TestDatabase, log: SealedLog): Promise<Report> {
  await withConnection(database.superuser, async (connection) => {
    await connection.query(`insert into public.families (id, name) values ('${FAMILY}', 'Tremblay')`);
    await connection.query(
      `insert into public.children (family_id, id, name, date_of_birth) values ('${FAMILY}', '${CHILD}', 'Léa', '2026-01-01')`,
    );
  });
  await log.seal();
  const writing = await withWriters(bench, database, log);
  const verifying = await verify(bench, database, log);
  return {
    findings: [...writing.findings, ...verifying.findings],
    notes: [...writing.notes, ...verifying.notes],
  };
}

/** Two writers as fast as they can, with and without a sealer, in turn. */
async function withWriters(bench: Bench, database: TestDatabase, log: SealedLog): Promise<Report> {
  const writers = await Promise.all(
    [1, 2].map(() => connect(database.service, { settings: { role: 'service_role' } })),
  );
  const each = bench.quick ? 500 : 25_000;
  const write = () =>
    Promise.all(
      writers.map(async (writer: Connection) => {
        for (let round = 0; round < each; round += 1) await writer.query(INSERT);
      }),
    );
  let sealed = 0;
  let sealingTime = 0;
  const sealedWrite = async (): Promise<number> => {
    let going = true;
    const sealer = (async () => {
      while (going) {
        sealingTime += await timed(async () => {
          sealed += (await sealLog(log.sre, log.evidence)).sealed;
        });
        for (const end = Date.now() + EVERY; going && Date.now() < end; ) await sleep(100);
      }
    })();
    const took = await timed(write);
    going = false;
    await sealer;
    return took;
  };
  try {
    const times = await interleaved(bench.quick ? 4 : 10, {
      alone: async () => {
        const took = await timed(write);
        await log.seal();
        return took;
      },
      sealed: sealedWrite,
    });
    const rate = (2 * each) / (median(times.alone) / 1000);
    return {
      findings: [
        {
          claim: 'Two writers with a sealer, over two writers without',
          ratio: ratio(times.sealed, times.alone),
          limit: { atMost: 1.05 },
          behind: `${2 * each} audited inserts: ${ms(times.sealed)} and ${ms(times.alone)}`,
        },
        {
          claim: 'Rate of sealing, over the rate at which two writers write',
          ratio: sealed / (sealingTime / 1000) / rate,
          limit: { atLeast: 1 },
          behind: `${Math.round(sealed / (sealingTime / 1000))} events a second of sealing, ${Math.round(rate)} written`,
        },
      ],
      notes: [`The sealer starts anew ${EVERY / 1000} seconds after it ended, and once more at the end.`],
    };
  } finally {
    for (const writer of writers) await writer.close();
  }
}

async function verify(bench: Bench, database: TestDatabase, log: SealedLog): Promise<Report> {
  const rows = bench.quick ? 100_000 : 1_000_000;
  await withConnection(database.superuser, async (connection) => {
    for (let at = 0; at < rows; at += 50_000) await connection.query(BULK);
    await connection.query('vacuum analyze audit.events');
  });
  const sealed = await timed(() => log.seal());
  let peak = 0;
  const url = database.url(database.superuser.user);
  const times = await interleaved(bench.quick ? 3 : 5, {
    verify: () =>
      timed(async () => {
        const { verdict } = await verifyLog(log.sre, log.evidence, {
          onProgress: () => {
            peak = Math.max(peak, process.memoryUsage.rss());
          },
        });
        if (verdict !== 'intact') throw new Error(`the log is ${verdict}`);
      }),
    psql: () =>
      timed(() =>
        promisify(execFile)('psql', [
          '-X',
          '-q',
          '-o',
          '/dev/null',
          '-c',
          'copy (select * from audit.events) to stdout',
          url,
        ]),
      ),
  });
  return {
    findings: [
      {
        claim: 'Verifying, over psql copying the same rows to /dev/null',
        ratio: ratio(times.verify, times.psql),
        limit: { atMost: 4 },
        behind: `about ${rows} events: ${ms(times.verify)} and ${ms(times.psql)}`,
      },
    ],
    notes: [
      `${rows} events that waited were sealed in ${ms([sealed])}; verifying took at most ${Math.round(peak / 1e6)} MB of this process, which also does the rest of the bench.`,
    ],
  };
}
