import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';
import { workers } from './support/workers.js';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Of test/systems: many cases on databases and processes of their own, which take nothing from each other. */
const SIDE_BY_SIDE = [
  ...['access-lint', 'access-versions', 'audit-attacker', 'audit-versions', 'bad-input', 'diagnose'],
  ...[
    'every-command',
    'explain',
    'explain-at',
    'export-planting',
    'family-moves',
    'fuzz',
    'isolation-versions',
    'migrations',
  ],
  ...['operators', 'prove', 'receipts', 'secrets'],
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
      project('systems', { exclude: SIDE_BY_SIDE, database: true, processes: true, alone: true }),
      project('systems-side-by-side', { include: SIDE_BY_SIDE, database: true, processes: true }),
    ],
  },
});
