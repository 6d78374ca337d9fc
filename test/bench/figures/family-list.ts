import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../../../src/platform/package-root.js';
import type { TestDatabase } from '../../support/database.js';
import { consoleEnv } from '../support/databases.js';
import { withFamilies } from '../support/families.js';
import type { Figure } from '../support/figure.js';
import { interleaved, median, ms, ratio } from '../support/measure.js';
import { type Command, needs, processTimes, psqlEnv } from '../support/programs.js';

const LIMIT = 20;

export const familyList: Figure = {
  title: 'Family list',
  measure: async (bench) => {
    await needs('hyperfine', 'apt-get install -y hyperfine');
    await needs('psql', 'apt-get install -y postgresql-client');
    const [few, some, many] = bench.quick ? [1_000, 10_000, 50_000] : [10_000, 100_000, 1_000_000];
    const folder = await bench.folder();
    return await withFamilies(bench, few, (small) =>
      withFamilies(bench, some, (middle) =>
        withFamilies(bench, many, async (large) => {
          const commands = {
            small: await nestctl(folder, small),
            middle: await nestctl(folder, middle),
            large: await nestctl(folder, large),
            psql: await psql(folder, middle),
            node: { argv: [process.execPath, '-e', '0'] },
          };
          const arm = (command: Command) => async () => median(await processTimes(folder, command, 3));
          const times = await interleaved(bench.quick ? 3 : 12, {
            small: arm(commands.small),
            middle: arm(commands.middle),
            large: arm(commands.large),
            psql: arm(commands.psql),
            node: arm(commands.node),
          });
          const beyond = times.middle.map((time, round) => time - (times.psql[round] ?? Number.NaN));
          return {
            findings: [
              {
                claim: `\`nestctl family list --limit ${LIMIT}\` on ${some.toLocaleString('en-CA')} families, beyond psql doing the same, over \`node -e 0\``,
                ratio: ratio(beyond, times.node),
                limit: { atMost: 6 },
                behind: `${ms(times.middle)} − ${ms(times.psql)} over ${ms(times.node)}`,
              },
              {
                claim: `on ${many.toLocaleString('en-CA')} families over ${few.toLocaleString('en-CA')}`,
                ratio: ratio(times.large, times.small),
                limit: { atMost: 1.3 },
                behind: `${ms(times.large)} over ${ms(times.small)}`,
              },
            ],
            notes: [
              'Whole processes, by hyperfine; as admin in break-glass, whose list is over all families. The aim for the first is 5.',
            ],
          };
        }),
      ),
    );
  },
};

async function nestctl(folder: string, database: TestDatabase): Promise<Command> {
  const env = await consoleEnv(folder, database.operators[0]);
  const argv = [
    join(packageRoot(), 'bin', 'run.js'),
    'family',
    'list',
    '--limit',
    String(LIMIT),
    '--duty',
    'admin',
  ];
  return { argv: [process.execPath, ...argv], env };
}

/** What the console asks, typed by hand. */
async function psql(folder: string, database: TestDatabase): Promise<Command> {
  const file = join(folder, 'list.sql');
  await writeFile(
    file,
    `set role nestsync_admin;
select f.id, f.name, f.family_type, f.province, case when f.archived_at is null then 'live' else 'archived' end as status,
  (select count(*)::int from public.family_members m where m.family_id = f.id and m.status = 'active') as members
from public.families f order by f.name, f.id limit ${LIMIT + 1};
`,
  );
  return { argv: ['psql', '-X', '-q', '-f', file], env: psqlEnv(database.operators[0]) };
}
