import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packageRoot } from '../../src/platform/package-root.js';
import { finished } from '../support/console.js';
import { commandLineOf, isUnfit, manifestCommands } from '../support/fuzz/command-lines.js';
import {
  announce,
  type FuzzWorld,
  fuzzOptions,
  makeFuzzWorld,
  tally,
  wrongLines,
} from '../support/fuzz/fuzz.js';
import { judgeRun } from '../support/fuzz/judge.js';
import { type Ended, runLines } from '../support/fuzz/run-lines.js';
import { inTurns } from '../support/operator-console.js';

/** Linux takes no longer word than this, and no more than about 2 MB of them. */
const LONGEST_WORD = 128 * 1024 - 1;
const BIN = join(packageRoot(), 'bin', 'run.js');

const options = fuzzOptions(10_000);
const commands = manifestCommands();

let world: FuzzWorld;
beforeAll(async () => {
  world = await makeFuzzWorld();
});
afterAll(() => world?.end());

/** Ids of commands that a line got further in than to its flags. */
function reachedBy(ended: readonly Ended[]): ReadonlySet<string> {
  const lines = new Set(
    ended.filter(({ judged }) => judged.code !== 2).map(({ argv }) => `${argv.slice(0, 3).join(' ')} `),
  );
  const words = (id: string) => `${id.replaceAll(':', ' ')} `;
  return new Set(
    commands.map(({ id }) => id).filter((id) => [...lines].some((line) => line.startsWith(words(id)))),
  );
}

test('10,000 generated command lines give no stack, no hang, no undocumented exit code, and write nothing', async () => {
  const { seed, from, runs } = options;
  announce(options);
  const before = await world.state();
  const lines = function* () {
    for (let number = from; number < from + runs; number += 1) {
      yield { number, argv: commandLineOf(seed, number, commands) };
    }
  };
  const ended = await runLines(lines(), { env: world.env });
  process.stdout.write(`${JSON.stringify(tally(ended))}\n`);
  expect(wrongLines(ended, seed)).toEqual([]);
  expect(ended).toHaveLength(runs);
  expect(await world.state()).toEqual(before);
  if (runs < 10_000) return;
  // They reach every command, and get further than its flags; where chance left one out, it is tried by itself.
  const reached = reachedBy(ended);
  for (const command of commands.filter((one) => !isUnfit(one) && !reached.has(one.id))) {
    const more = Array.from({ length: 500 }, (_, at) => ({
      number: from + runs + at,
      argv: commandLineOf(seed, from + runs + at, [command]),
    }));
    const tried = await runLines(more, { env: world.env });
    expect(wrongLines(tried, seed)).toEqual([]);
    expect([...reachedBy(tried)]).toContain(command.id);
  }
  expect(await world.state()).toEqual(before);
}, 3_600_000);

describe('as real processes', () => {
  const run = async (argv: readonly string[]) => {
    const child = spawn(process.execPath, [BIN, ...argv], {
      env: { PATH: process.env.PATH ?? '', ...world.env },
      cwd: '/proc',
      stdio: 'pipe',
    });
    child.stdin.on('error', () => undefined).end();
    const killer = setTimeout(() => child.kill('SIGKILL'), 60_000);
    const { code, stdout, stderr } = await finished(child);
    clearTimeout(killer);
    return judgeRun(argv, { code, stdout, stderr });
  };

  test('150 of them end as they do in one process', async () => {
    const { seed } = options;
    announce(options);
    const before = await world.state();
    const all = Array.from({ length: 150 }, (_, at) => ({
      number: at,
      argv: commandLineOf(seed, at, commands),
    }));
    // The rest cannot be typed: no process ever gets them.
    const lines = all.filter(({ argv }) =>
      argv.every((word) => !word.includes('\0') && Buffer.byteLength(word) < LONGEST_WORD),
    );
    expect(lines.length).toBeGreaterThan(120);
    const ended: Ended[] = [];
    await inTurns(
      lines,
      async ({ number, argv }) => {
        ended.push({ number, argv, judged: await run(argv) });
      },
      2,
    );
    expect(wrongLines(ended, seed)).toEqual([]);
    const inOne = await runLines(lines, { env: world.env });
    const codes = (list: readonly Ended[]) =>
      Object.fromEntries(list.map(({ number, judged }) => [number, judged.code]));
    expect(codes(ended)).toEqual(codes(inOne));
    expect(await world.state()).toEqual(before);
  }, 900_000);

  test('a megabyte of words is refused as a line of words is, and one word is as long as Linux lets it', async () => {
    const words = Array.from({ length: 16_384 }, (_, at) => `word-${at}-${'x'.repeat(50)}`);
    expect(Buffer.byteLength(words.join(' '))).toBeGreaterThan(1_000_000);
    const flags = words.map((word) => `--${word}`);
    const name = 'x'.repeat(LONGEST_WORD - 10);
    for (const argv of [
      words,
      ['family', 'list', ...words],
      ['family', 'list', '--json', ...flags],
      ['family', 'list', `--name=${name}`],
      ['family', 'show', name, '--json'],
      ['evidence', 'show', name],
      ['context', 'show', name, '--json'],
      [name],
    ]) {
      const { code, problems } = await run(argv);
      expect([argv.length, problems, [2, 4, 5].includes(code ?? -1)]).toEqual([argv.length, [], true]);
    }
    expect(() => spawn(process.execPath, [BIN, 'x'.repeat(LONGEST_WORD + 1)])).toThrow(/E2BIG/);
  }, 300_000);
});
