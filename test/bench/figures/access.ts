import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { withConnection } from '../../../src/platform/database/connection.js';
import { packageRoot } from '../../../src/platform/package-root.js';
import type { TestDatabase } from '../../support/database.js';
import { consoleEnv } from '../support/databases.js';
import { withFamilies } from '../support/families.js';
import type { Figure, Finding } from '../support/figure.js';
import { interleaved, median, ms, ratio } from '../support/measure.js';
import { type Command, needs, processTimes } from '../support/programs.js';

const REASON = ['--reason', 'measuring the answers', '--ticket', 'BENCH-1', '--duty', 'admin'];
const SLOWER = 1.3;

/** What is compared with the list of families, and how many times as long it may take. */
const ANSWERS = [
  {
    name: 'explain',
    atMost: 1.5,
    argv: (at: Place) => ['--user', at.person, '--table', 'children', '--row', at.child],
  },
  { name: 'diagnose', atMost: 2, argv: (at: Place) => ['--user', at.person, '--family', at.family] },
  { name: 'matrix', atMost: 4, argv: (at: Place) => ['--family', at.family] },
  { name: 'lint', atMost: 4, argv: () => [] },
] as const;

/** A family of eight, one of its members and its child. */
interface Place {
  readonly family: string;
  readonly person: string;
  readonly child: string;
}

export const access: Figure = {
  title: 'Answers on access',
  measure: async (bench) => {
    await needs('hyperfine', 'apt-get install -y hyperfine');
    const [few, some, many] = bench.quick ? [1_000, 10_000, 50_000] : [10_000, 100_000, 1_000_000];
    const folder = await bench.folder();
    const there = ANSWERS.filter(({ name }) =>
      existsSync(join(packageRoot(), 'commands', 'access', `${name}.ts`)),
    );
    return await withFamilies(bench, few, (small) =>
      withFamilies(bench, some, (middle) =>
        withFamilies(bench, many, async (large) => {
          const sizes = { small, middle, large };
          const arms: Record<string, () => Promise<number>> = {};
          for (const [size, database] of Object.entries(sizes)) {
            const place = await makePlace(database);
            const env = await consoleEnv(folder, database.operators[0]);
            const arm = (argv: readonly string[]) => {
              const command: Command = {
                argv: [process.execPath, join(packageRoot(), 'bin', 'run.js'), ...argv],
                env,
              };
              return async () => median(await processTimes(folder, command, 3));
            };
            arms[`list ${size}`] = arm(['family', 'list', '--limit', '20', '--duty', 'admin']);
            for (const { name, argv } of there)
              arms[`${name} ${size}`] = arm([
                'access',
                name,
                ...argv(place),
                ...(name === 'lint' ? [] : REASON),
              ]);
          }
          const times = await interleaved(bench.quick ? 3 : 10, arms);
          return {
            findings: there.flatMap((answer) => findingsOn(answer, times, { few, some, many })),
            notes: NOTES,
          };
        }),
      ),
    );
  },
};

const NOTES = ['Whole processes, by hyperfine; as admin in break-glass. The matrix is of a family of eight.'];

function findingsOn(
  { name, atMost }: (typeof ANSWERS)[number],
  times: Readonly<Record<string, readonly number[]>>,
  { few, some, many }: { readonly few: number; readonly some: number; readonly many: number },
): Finding[] {
  const of = (what: string, size: string) => times[`${what} ${size}`] ?? [];
  const count = (families: number) => families.toLocaleString('en-CA');
  return [
    {
      claim: `\`nestctl access ${name}\` over \`nestctl family list --limit 20\` on ${count(some)} families`,
      ratio: ratio(of(name, 'middle'), of('list', 'middle')),
      limit: { atMost },
      behind: `${ms(of(name, 'middle'))} over ${ms(of('list', 'middle'))}`,
    },
    {
      claim: `\`nestctl access ${name}\` on ${count(many)} families over ${count(few)}`,
      ratio: ratio(of(name, 'large'), of(name, 'small')),
      limit: { atMost: SLOWER },
      behind: `${ms(of(name, 'large'))} over ${ms(of(name, 'small'))}`,
    },
  ];
}

/** Makes one family a household of eight with a child. */
async function makePlace(database: TestDatabase): Promise<Place> {
  return await withConnection(database.superuser, async (connection) => {
    await connection.query(`
      insert into public.family_members (family_id, user_id, role)
      select md5('family 7')::uuid, md5('user ' || n)::uuid, (array['extended_family', 'professional', 'institutional'])[1 + n % 3]
      from generate_series(101, 106) n on conflict do nothing`);
    const place = await connection.one<Place>(`
      with born as (
        insert into public.children (family_id, name, date_of_birth) values (md5('family 7')::uuid, 'Léa', '2025-02-03') returning id)
      select md5('family 7')::uuid::text as family, md5('user 101')::uuid::text as person, born.id::text as child from born`);
    await connection.query('vacuum analyze public.family_members, public.children');
    return place;
  });
}
