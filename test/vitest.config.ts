import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { workers } from './support/workers.js';

const root = fileURLToPath(new URL('..', import.meta.url));

interface Options {
  readonly database: boolean;
  /** Its tests start processes, which take their time on a small machine; what fails in CI is tried once more. */
  readonly processes?: boolean;
  /** Its services have the machine to themselves. */
  readonly alone?: boolean;
}

/**
 * One project a folder of test/: those that need PostgreSQL share a server a worker, started by the global setup.
 * Models with random cases stand where nothing is tried again, or fail again by their seed.
 */
const project = (name: string, options: Options) => ({
  test: {
    name,
    root,
    include: [`test/${name}/**/*.test.ts`],
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
      project('systems', { database: true, processes: true, alone: true }),
    ],
  },
});
