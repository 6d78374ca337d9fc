import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { packageRoot } from '../../src/platform/package-root.js';
import { runConsole } from '../support/console.js';

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

const DIST = `${join(packageRoot(), 'dist')}/`;

const ours = (modules: readonly string[]) => modules.filter((path) => path.startsWith(DIST));

/** Of our files, in bytes: any library that only a command needs (pg, zod, a prompt) is several times what is allowed. */
const weight = (modules: readonly string[]) =>
  ours(modules).reduce((sum, path) => sum + statSync(path).size, 0);

test('--version loads oclif and 16 kB of ours', async () => {
  const modules = await modulesOf('--version');
  expect(ours(modules)).toContain(`${DIST}src/console/start.js`);
  expect(weight(modules)).toBeLessThanOrEqual(16_000);
  expect(modules.some((path) => path.includes('/@oclif/core/'))).toBe(true);
  expect(modules.length).toBeLessThanOrEqual(115);
});

test.each([['--help'], ['family', 'list', '--help'], ['access', '--help'], ['help', 'exit-codes']])(
  'help loads oclif and 40 kB of ours, and no command: %s %s %s',
  async (...args) => {
    const modules = await modulesOf(...args.filter((word) => word !== undefined));
    expect(ours(modules).filter((path) => path.startsWith(`${DIST}commands/`))).toEqual([]);
    expect(weight(modules)).toBeLessThanOrEqual(40_000);
    expect(modules.length).toBeLessThanOrEqual(125);
  },
);

test('a command is joined with what it loads, libraries too', async () => {
  const modules = await modulesOf('context', 'list');
  expect(ours(modules)).toContain(`${DIST}commands/context/list.js`);
  expect(weight(modules)).toBeGreaterThan(100_000);
  expect(ours(modules).length).toBeLessThanOrEqual(60);
  expect(
    modules.filter((path) => /node_modules\/(?!@oclif\/)(zod|smol-toml|inquirer|pg)\//.test(path)),
  ).toEqual([]);
});
