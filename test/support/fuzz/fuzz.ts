import { createHash, randomInt } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { withConnection } from '../../../src/platform/database/connection.js';
import { createTestDatabase, type TestDatabase } from '../database.js';
import { operatorConsole } from '../operator-console.js';
import { countRows, makeFamily } from '../small-world.js';
import type { Ended } from './run-lines.js';

/** FUZZ_SEED, else a new one; FUZZ_FROM and FUZZ_RUNS choose lines of it. */
export function fuzzOptions(runs: number): { seed: number; from: number; runs: number } {
  const given = (name: string, instead: number) => Number(process.env[name] ?? instead);
  return {
    seed: given('FUZZ_SEED', randomInt(2 ** 31)),
    from: given('FUZZ_FROM', 0),
    runs: given('FUZZ_RUNS', runs),
  };
}

/** A world that no line may change: a database, and the folders of an operator without any duty. */
export interface FuzzWorld {
  readonly env: Readonly<Record<string, string>>;
  /** Everything that could have been written: equal before and after. */
  state(): Promise<Record<string, unknown>>;
  end(): Promise<void>;
}

export async function makeFuzzWorld(): Promise<FuzzWorld> {
  const database: TestDatabase = await createTestDatabase();
  await makeFamily(database, { name: 'Tremblay' });
  const operator = await database.makeOperator();
  const console = await operatorConsole(database, { operator, owner: false });
  const home = await mkdtemp(join(tmpdir(), 'nestctl-fuzz-'));
  await mkdir(join(home, 'data'));
  const config = console.env.NESTCTL_CONFIG ?? '';
  const env = {
    ...console.env,
    NESTCTL_HOME: join(home, 'data'),
    HOME: home,
    XDG_CONFIG_HOME: join(home, 'config'),
  };
  // What was done so far is counted by the server a little later.
  await sleep(2_000);
  return {
    env,
    state: async () => ({
      rows: await countRows(database),
      // Committed or not: nothing was even tried and undone.
      touched: await withConnection(database.superuser, (connection) =>
        connection.query(
          `select sum(n_tup_ins + n_tup_upd + n_tup_del)::text as touched from pg_stat_user_tables`,
        ),
      ),
      config: await contentOf(join(config, '..')),
      home: await contentOf(home),
    }),
    end: async () => {
      await database.drop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** Every file below a folder with a digest of its content, but for the log, which tells of every run. */
async function contentOf(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder, { recursive: true })).sort();
  const found: [string, string][] = [];
  for (const name of names) {
    const path = join(folder, name);
    // The log tells of every run, and whoever looks at evidence takes its lock.
    if (
      /(^|\/)logs?(\/|$)|\.(log|ndjson)$|^data\/contexts(\/[^/]+(\/signing(\/lock(\/\d+)?)?)?)?$/.test(name)
    )
      continue;
    const isFile = (await stat(path)).isFile();
    found.push([
      name,
      isFile
        ? createHash('sha256')
            .update(await readFile(path))
            .digest('hex')
        : 'folder',
    ]);
  }
  return Object.fromEntries(found);
}

/** The line of a report that says how to run it again. */
export function announce({ seed, from, runs }: { seed: number; from: number; runs: number }): void {
  process.stdout.write(`FUZZ_SEED=${seed} FUZZ_FROM=${from} FUZZ_RUNS=${runs}\n`);
}

/** How many lines ended how: a fuzz that never gets past the parser shows nothing. */
export function tally(ended: readonly Ended[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { judged } of ended) {
    const name = judged.error ?? `exit ${judged.code}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/** The lines that something was wrong with, and how to run each again. */
export function wrongLines(ended: readonly Ended[], seed: number) {
  return ended
    .filter(({ judged }) => judged.problems.length > 0)
    .map(({ number, argv, judged }) => ({
      again: `FUZZ_SEED=${seed} FUZZ_FROM=${number} FUZZ_RUNS=1`,
      argv: JSON.stringify(argv).slice(0, 600),
      code: judged.code,
      problems: judged.problems,
    }));
}
