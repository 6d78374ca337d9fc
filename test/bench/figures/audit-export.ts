import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exportColumns } from '../../../src/audit/export/export-columns.js';
import { packageRoot } from '../../../src/platform/package-root.js';
import type { TestDatabase } from '../../support/database.js';
import { consoleEnv, withDatabase } from '../support/databases.js';
import { makeEvents } from '../support/events.js';
import type { Figure } from '../support/figure.js';
import { interleaved, median, ms, ratio } from '../support/measure.js';
import { type Command, needs, processTimes, psqlEnv } from '../support/programs.js';

export const auditExport: Figure = {
  title: 'Audit export',
  measure: async (bench) => {
    await needs('hyperfine', 'apt-get install -y hyperfine');
    await needs('psql', 'apt-get install -y postgresql-client');
    const count = bench.quick ? 200_000 : 2_000_000;
    const folder = await bench.folder();
    return await withDatabase(bench, async (database) => {
      const name = count.toLocaleString('en-CA');
      bench.say(`making ${name} events`);
      await makeEvents(database, count);
      const ours = await nestctl(folder, database);
      const theirs = await psql(folder, database);
      const arm = (command: Command) => async () => median(await processTimes(folder, command, 1, 0));
      const times = await interleaved(bench.quick ? 5 : 3, { ours: arm(ours), theirs: arm(theirs) });
      return {
        findings: [
          {
            claim: `\`nestctl audit export\` of ${name} events as CSV, over \`psql \\copy\` of the same query`,
            ratio: ratio(times.ours, times.theirs),
            limit: { atMost: 1.3 },
            behind: `${ms(times.ours)} over ${ms(times.theirs)}`,
          },
        ],
        notes: [
          'Whole processes, by hyperfine, to /dev/null, as an auditor under row security. psql runs the same select list over the same view in one statement ordered by time; the console reads day by day or month by month, in one snapshot.',
        ],
      };
    });
  },
};

async function nestctl(folder: string, database: TestDatabase): Promise<Command> {
  const auditor = await database.makeOperator('auditor');
  const env = await consoleEnv(folder, auditor);
  return { argv: [process.execPath, join(packageRoot(), 'bin', 'run.js'), 'audit', 'export'], env };
}

async function psql(folder: string, database: TestDatabase): Promise<Command> {
  const auditor = await database.makeOperator('auditor');
  const { text } = exportColumns('auditor', 'csv');
  const script = join(folder, 'copy.sql');
  const query = `select ${text} from audit.readable_events e order by e.occurred_at, e.id`;
  await writeFile(
    script,
    `set role nestsync_auditor;\n\\copy (${query}) to stdout with (format csv, header)\n`,
  );
  return {
    argv: ['psql', '--no-psqlrc', '--quiet', '--file', script],
    env: { ...psqlEnv(auditor), PGTZ: 'UTC' },
  };
}
