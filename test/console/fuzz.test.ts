import { afterAll, beforeAll, expect, test } from 'vitest';
import { commandLineOf, manifestCommands } from '../support/fuzz/command-lines.js';
import { announce, type FuzzWorld, fuzzOptions, makeFuzzWorld, wrongLines } from '../support/fuzz/fuzz.js';
import { runLines } from '../support/fuzz/run-lines.js';

let world: FuzzWorld;
beforeAll(async () => {
  world = await makeFuzzWorld();
});
afterAll(() => world?.end());

test('300 generated command lines give no stack, no hang, no undocumented exit code, and write nothing', async () => {
  const { seed, from, runs } = fuzzOptions(300);
  announce({ seed, from, runs });
  const commands = manifestCommands();
  const before = await world.state();
  const lines = Array.from({ length: runs }, (_, at) => ({
    number: from + at,
    argv: commandLineOf(seed, from + at, commands),
  }));
  const ended = await runLines(lines, { env: world.env });
  expect(wrongLines(ended, seed)).toEqual([]);
  expect(ended).toHaveLength(runs);
  expect(await world.state()).toEqual(before);
}, 600_000);
