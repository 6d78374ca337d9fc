import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const root = fileURLToPath(new URL('..', import.meta.url));

/** One project a folder of test/: those that need PostgreSQL share one server, started by the global setup. */
const project = (name: string, options: { readonly database: boolean }) => ({
  test: {
    name,
    root,
    include: [`test/${name}/**/*.test.ts`],
    globalSetup: options.database ? ['test/support/global-setup.ts'] : [],
    testTimeout: 60_000,
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
      project('console', { database: true }),
      project('database', { database: true }),
      project('systems', { database: true }),
    ],
  },
});
