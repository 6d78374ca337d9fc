import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * One project a folder of test/: those that need PostgreSQL share one server, started by the global setup. Those that
 * start processes take their time on a small machine, and in CI what fails is tried once more before it counts; models
 * with random cases stand in the other projects, or fail again by their seed.
 */
const project = (name: string, options: { readonly database: boolean; readonly processes?: boolean }) => ({
  test: {
    name,
    root,
    include: [`test/${name}/**/*.test.ts`],
    globalSetup: options.database ? ['test/support/global-setup.ts'] : [],
    testTimeout: options.processes === true ? 240_000 : 120_000,
    retry: options.processes === true && process.env.CI !== undefined ? 1 : 0,
    hookTimeout: 180_000,
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
      project('systems', { database: true, processes: true }),
    ],
  },
});
