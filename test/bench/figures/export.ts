import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { withConnection } from '../../../src/platform/database/connection.js';
import { packageRoot } from '../../../src/platform/package-root.js';
import type { TestDatabase } from '../../support/database.js';
import { makeFamily, makeGuardian } from '../../support/small-world.js';
import { consoleEnv, fill, withDatabase } from '../support/databases.js';
import type { Bench, Figure } from '../support/figure.js';
import { interleaved, ms, ratio, timed } from '../support/measure.js';
import { type Command, execute, megabytes, needs, processTimes, psqlEnv } from '../support/programs.js';

const WHY = ['--reason', 'a figure for the record', '--ticket', 'BENCH-1'];
const BIN = [process.execPath, join(packageRoot(), 'bin', 'run.js')];
/** What a parent's package draws on in such a family; the accounts are put together for the package alone. */
const TABLES = ['users', 'families', 'family_members', 'children', 'usage_logs'];

export const exportFigure: Figure = {
  title: 'Package of a person',
  measure: async (bench) => {
    await needs('zip', 'apt-get install -y zip');
    await needs('psql', 'apt-get install -y postgresql-client');
    await needs('hyperfine', 'apt-get install -y hyperfine');
    const [few, many] = bench.quick ? [2_000, 100_000] : [10_000, 1_000_000];
    return await withDatabase(bench, async (database) => {
      const folder = await bench.folder();
      const office = await openOffice(folder, database);
      const [typical, small, large] = [
        await office.subject(bench, 2_000),
        await office.subject(bench, few),
        await office.subject(bench, many),
      ];
      await withConnection(database.superuser, (connection) => connection.query('vacuum analyze'));
      bench.say('exporting');
      let sizes: [ours: number, theirs: number] = [0, 0];
      const rounds = 3;
      const times = await interleaved(rounds, {
        ours: async () => {
          const file = join(folder, 'package.zip');
          const took = await timed(() => run(office.create(large, file)));
          sizes = [(await stat(file)).size, sizes[1]];
          await rm(file);
          return took;
        },
        theirs: async () => {
          const zip = join(folder, 'copies.zip');
          const took = await timed(() => copyAndZip(folder, database, large.family, zip));
          sizes = [sizes[0], (await stat(zip)).size];
          await rm(zip);
          return took;
        },
      });
      bench.say('measuring memory');
      const peaks = [
        await megabytes(office.create(small, join(folder, 'small.zip'))),
        await megabytes(office.create(large, join(folder, 'large.zip'))),
      ] as const;
      bench.say('a typical family');
      let made = 0;
      const family = await interleaved(bench.quick ? 3 : 9, {
        create: async () => {
          made += 1;
          const command = office.create(typical, join(folder, `typical-${made}.zip`));
          return await timed(() => run(command));
        },
        list: async () => (await processTimes(folder, office.list, 1))[0] ?? Number.NaN,
      });
      const name = many.toLocaleString('en-CA');
      const megabytesOf = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;
      return {
        findings: [
          {
            claim: `\`nestctl export create\` of a person with ${name} usage logs, over \`psql \\copy\` of the same tables and \`zip -6\``,
            ratio: ratio(times.ours, times.theirs),
            limit: { atMost: 1.5 },
            behind: `${ms(times.ours)} over ${ms(times.theirs)}; ${megabytesOf(sizes[0])} over ${megabytesOf(sizes[1])}`,
          },
          {
            claim: `its peak memory, over 200 MB`,
            ratio: peaks[1] / 200,
            limit: { atMost: 1 },
            behind: `${peaks[1].toFixed(0)} MB`,
          },
          {
            claim: `its peak memory over that with ${few.toLocaleString('en-CA')} usage logs`,
            ratio: peaks[1] / peaks[0],
            limit: { atMost: 1.1 },
            behind: `${peaks[1].toFixed(0)} MB over ${peaks[0].toFixed(0)} MB`,
          },
          {
            claim: '`nestctl export create` of a person with 2,000 rows, over `nestctl family list`',
            ratio: ratio(family.create, family.list),
            limit: { atMost: 3 },
            behind: `${ms(family.create)} over ${ms(family.list)}`,
          },
        ],
        notes: [
          'Whole processes, with --yes. The package has every row as JSON and as CSV, by where its columns came from, others severed, signed; psql writes one CSV a table. Every fifth log has a note, every fiftieth names another parent.',
        ],
      };
    });
  },
};

const run = async ({ argv: [program = '', ...args], env }: Command) =>
  void (await execute(program, args, env ?? {}));

interface Subject {
  readonly family: string;
  readonly request: string;
}

/** What an officer works with: a console, and persons who have asked and were verified. */
async function openOffice(folder: string, database: TestDatabase) {
  const officer = await database.makeOperator('compliance', 'admin');
  const env = { ...(await consoleEnv(folder, officer)), NESTCTL_HOME: join(folder, 'home') };
  const nestctl = (...words: string[]): Command => ({ argv: [...BIN, ...words], env });
  await run(nestctl('evidence', 'key', 'create', ...WHY));
  return {
    list: nestctl(
      'family',
      'list',
      '--limit',
      '20',
      '--duty',
      'compliance',
      '--email',
      'somebody@example.ca',
      ...WHY,
    ),
    create: ({ request }: Subject, file: string) =>
      nestctl('export', 'create', request, '--file', file, '--duty', 'compliance', ...WHY, '--yes'),
    async subject(bench: Bench, logs: number): Promise<Subject> {
      bench.say(`making a family with ${logs.toLocaleString('en-CA')} usage logs`);
      const family = await makeFamily(database, { name: 'Tremblay', person: 'Marie-Ève Lachance' });
      await makeGuardian(database, { family: family.id, id: family.child }, family.core.id);
      await fill(database, async (connection) => {
        await connection.query(
          `insert into public.usage_logs (family_id, child_id, usage_type, logged_at, quantity_used, context, caregiver_name, was_wet, was_soiled, had_leakage,
             time_since_last_change, notes, created_by, created_at, updated_at)
           select $1, $2, (array['diaper_change', 'wipe_use', 'cream_application', 'overnight_change'])[1 + n % 4], at, 1 + n % 2, (array['home', 'daycare', 'grandparents', null])[1 + n % 4],
             case when n % 3 = 0 then 'Mamie' end, n % 2 = 0, n % 5 = 0, n % 40 = 0, make_interval(mins => 60 + n % 180),
             case when n % 50 = 0 then 'Marie-Ève l’a changée, no ' || n when n % 5 = 0 then 'Peau rouge, crème appliquée à ' || n % 60 || ' min' end, $3, at, at
           from generate_series(1, $4::integer) n, lateral (select now() - n * interval '1 minute' as at) t`,
          [family.id, family.child, family.core.id, logs],
        );
      });
      const asked = [
        '--kind',
        'access',
        '--channel',
        'email',
        '--asks',
        'all you hold',
        '--user',
        family.core.id,
      ];
      const opened = await execute(...words(nestctl('request', 'open', ...asked, ...WHY, '--yes', '--json')));
      const { number } = JSON.parse(opened).result.request;
      await run(nestctl('request', 'verify-identity', number, '--method', 'signed_in', ...WHY, '--yes'));
      return { family: family.id, request: number };
    },
  };
}

const words = ({ argv: [program = '', ...args], env }: Command) => [program, args, env ?? {}] as const;

/** What somebody does who has no more than psql and zip. */
async function copyAndZip(
  folder: string,
  database: TestDatabase,
  family: string,
  zip: string,
): Promise<void> {
  const where: Readonly<Record<string, string>> = {
    users: `id in (select user_id from public.family_members where family_id = '${family}')`,
    families: `id = '${family}'`,
  };
  const copies = TABLES.flatMap((table) => [
    '--command',
    `\\copy (select * from public.${table} where ${where[table] ?? `family_id = '${family}'`}) to '${join(folder, `${table}.csv`)}' csv header`,
  ]);
  await execute('psql', ['--no-psqlrc', '--quiet', ...copies], psqlEnv(database.superuser), folder);
  await execute('zip', ['-6', '-q', zip, ...TABLES.map((table) => `${table}.csv`)], {}, folder);
}
