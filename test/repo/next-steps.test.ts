import { expect, it } from 'vitest';
import { manifestCommands } from '../support/manifest.js';
import { readSources } from '../support/source-imports.js';

/** What an error, a finding or a result tells to type next, up to where it is put together at run time. */
const NEXT = /\bnext: ['"`](nestctl [^'"`$]+)/g;

const flagsOf = new Map(manifestCommands().map(({ id, flags }) => [id, flags]));
const steps = readSources('commands', 'src').flatMap(({ path, text }) =>
  [...text.matchAll(NEXT)].map(([, step = '']) => ({
    path,
    step,
  })),
);

/** The command that the words begin with, the longest there is; a topic is answered with its help. */
function commandOf(words: readonly string[]): string | undefined {
  const ids = words.map((_, at) => words.slice(0, at + 1).join(':'));
  return (
    ids.findLast((id) => flagsOf.has(id)) ??
    ids.slice(0, 1).find((topic) => [...flagsOf.keys()].some((id) => id.startsWith(`${topic}:`)))
  );
}

it('what is told to be typed next is a command with flags that it has', () => {
  expect(steps.length).toBeGreaterThan(100);
  const wrong = steps.filter(({ step }) => {
    const [, ...words] = step.trim().split(/\s+/);
    if (words.length === 0 || words[0]?.startsWith('-')) return false;
    const id = commandOf(words.filter((word) => /^[a-z-]+$/.test(word) && !word.startsWith('-')));
    const known = { ...(id === undefined ? {} : flagsOf.get(id)), help: true };
    const flags = words.flatMap((word) => /^--([a-z-]+)/.exec(word)?.[1] ?? []);
    return id === undefined || flags.some((flag) => !(flag in known));
  });
  expect(wrong.map(({ path, step }) => `${path}: ${step}`)).toEqual([]);
});
