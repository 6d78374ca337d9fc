import { execFile } from 'node:child_process';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { withConnection } from '../../../src/platform/database/connection.js';
import { packageRoot } from '../../../src/platform/package-root.js';
import type { TestDatabase } from '../../support/database.js';
import { consoleEnv, fill, withDatabase } from '../support/databases.js';
import type { Figure } from '../support/figure.js';
import { interleaved, ms, ratio, timed } from '../support/measure.js';
import { execute, needs, psqlEnv } from '../support/programs.js';

const LOGS =
  `family_id, id, child_id, inventory_item_id, usage_type, logged_at, quantity_used, context, caregiver_name, was_wet,
  was_soiled, had_leakage, product_rating, time_since_last_change, notes, health_notes, created_by, created_at, updated_at`.replaceAll(
    /\s+/g,
    ' ',
  );

export const seed: Figure = {
  title: 'Seeding',
  measure: async (bench) => {
    await needs('psql', 'apt-get install -y postgresql-client');
    const size = bench.quick ? { families: 100, days: 150 } : { families: 450, days: 300 };
    const folder = await bench.folder();
    const file = join(folder, 'usage_logs.copy');
    return await withDatabase(bench, async (source) => {
      bench.say('making the rows that both sides load');
      await seedOnce(folder, source, size);
      await execute(
        'psql',
        ['-X', '-q', '-c', `\\copy public.usage_logs (${LOGS}) to '${file}'`],
        psqlEnv(source.superuser),
      );
      const { rows } = await withConnection(source.superuser, (connection) =>
        connection.one<{ rows: number }>('select count(*)::int as rows from public.usage_logs'),
      );
      // What is left is the families, children and stock that the logs point to.
      await fill(source, async (connection) => {
        await connection.query('truncate public.usage_logs, audit.events');
        await connection.query('analyze');
      });

      const times = await interleaved(bench.quick ? 2 : 3, {
        seed: () => withDatabase(bench, (fresh) => timed(() => seedOnce(folder, fresh, size))),
        copy: () => withDatabase(bench, (fresh) => timed(() => copyOnce(fresh, file)), source.name),
      });
      const mib = Math.round((await stat(file)).size / 2 ** 20);
      await rm(file);
      const count = rows.toLocaleString('en-CA');
      return {
        findings: [
          {
            claim: `\`nestctl local seed\` of ${count} usage logs over psql's \\copy of them into the same audited table`,
            ratio: ratio(times.seed, times.copy),
            limit: { atMost: 1.5 },
            behind: `${ms(times.seed)} over ${ms(times.copy)} (${mib} MiB)`,
          },
        ],
        notes: [
          'The whole command, with the families and all that belongs to them, against the usage logs alone. \\copy runs as the superuser: PostgreSQL refuses COPY FROM to all who are under row security.',
        ],
      };
    });
  },
};

/** The command as a person runs it. */
async function seedOnce(
  folder: string,
  database: TestDatabase,
  size: { families: number; days: number },
): Promise<void> {
  const env = await consoleEnv(folder, database.operators[0], [database.service]);
  const args = ['local', 'seed', '--families', String(size.families), '--days', String(size.days)];
  await promisify(execFile)(process.execPath, [join(packageRoot(), 'bin', 'run.js'), ...args], {
    env: { ...process.env, ...env },
  });
}

async function copyOnce(database: TestDatabase, file: string): Promise<void> {
  await execute(
    'psql',
    ['-X', '-q', '-c', `\\copy public.usage_logs (${LOGS}) from '${file}'`],
    psqlEnv(database.superuser),
  );
}
