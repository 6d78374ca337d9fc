import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';
import { workers } from './support/workers.js';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Of test/systems: those that wait for a program within a time, or take the machine's own places. */
const ALONE = [
  ...['audit-follow', 'local-interrupted', 'local-recovery', 'local-states', 'local-users', 'object-store'],
].map((name) => `test/systems/${name}.test.ts`);

interface Options {
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly database: boolean;
  /** Its tests start processes, which take their time on a small machine; what fails in CI is tried once more. */
  readonly processes?: boolean;
  /** Its services have the machine to themselves. */
  readonly alone?: boolean;
}

/**
 * One project a folder of test/, but two for test/systems: those that need PostgreSQL share a server a worker, started by the global setup.
 * Models with random cases stand where nothing is tried again, or fail again by their seed.
 */
const project = (name: string, options: Options) => ({
  test: {
    name,
    root,
    include: [...(options.include ?? [`test/${name}/**/*.test.ts`])],
    exclude: [...configDefaults.exclude, ...(options.exclude ?? [])],
    globalSetup: options.database ? ['test/support/global-setup.ts'] : [],
    testTimeout: options.processes === true ? 240_000 : 120_000,
    retry: options.processes === true && process.env.CI !== undefined ? 1 : 0,
    hookTimeout: 180_000,
    maxWorkers: options.alone === true ? 1 : workers(),
  },
});

export default defineConfig({
  test: {
    root,
    allowOnly: false,
    projects: [
      project('unit', { database: false }),
      project('repo', { database: false }),
      project('console', { database: true, processes: true }),
      project('database', { database: true }),
      project('systems', { exclude: ALONE, database: true, processes: true }),
      project('systems-alone', { include: ALONE, database: true, processes: true, alone: true }),
    ],
  },
});
