import { describe, expect, it } from 'vitest';
import { type Import, loadedWith, readSources } from '../support/source-imports.js';

/** From the bottom; arrows only run down. What stands on one floor does not see its neighbours. */
const FLOORS: readonly (readonly string[])[] = [
  ['platform'],
  ['evidence'],
  ['audit', 'backups', 'families'],
  ['privacy', 'residency', 'access'],
  ['recovery'],
  ['maintenance'],
];
const PEOPLE = ['@oclif/core', 'inquirer', 'cli-table3', 'fastest-levenshtein'];
/** All that may be loaded before a command runs. */
const LIGHT = ['@oclif/core', 'fastest-levenshtein'];

/** Beside the domain's index, which would load what no auditor has to read. */
const VERIFIER = 'src/evidence/verify-standalone.ts';

const sources = readSources('bin', 'commands', 'src');
const byPath = new Map(sources.map((source) => [source.path, source]));
const imports = sources.flatMap((source) => source.imports);

const domainOf = (path: string) => /^src\/([^/]+)\//.exec(path)?.[1];
const floorOf = (path: string) => FLOORS.findIndex((floor) => floor.includes(domainOf(path) ?? ''));
const isOurs = (path: string) => /^(bin|commands|src)\//.test(path);
const isDomain = (path: string) => floorOf(path) > 0;
const shown = ({ from, to }: Import) => `${from} → ${to}`;

describe('arrows', () => {
  it('lead to files that exist', () => {
    expect(imports.filter(({ to }) => isOurs(to) && !byPath.has(to)).map(shown)).toEqual([]);
    expect(imports.length).toBeGreaterThan(100);
  });

  it('run down the floors, never to a neighbour or up', () => {
    const wrong = imports.filter(
      ({ from, to }) =>
        floorOf(from) >= 0 &&
        isOurs(to) &&
        domainOf(from) !== domainOf(to) &&
        !(floorOf(to) >= 0 && floorOf(to) < floorOf(from)),
    );
    expect(wrong.map(shown)).toEqual([]);
  });

  it('reach a domain through its index only', () => {
    const wrong = imports.filter(
      ({ from, to }) =>
        isDomain(to) && domainOf(from) !== domainOf(to) && !to.endsWith('/index.ts') && to !== VERIFIER,
    );
    expect(wrong.map(shown)).toEqual([]);
  });

  it('never lead from a domain or the platform to what talks to people', () => {
    const wrong = imports.filter(
      ({ from, to }) => floorOf(from) >= 0 && (PEOPLE.includes(to) || domainOf(to) === 'console'),
    );
    expect(wrong.map(shown)).toEqual([]);
  });

  it('never lead to a command, nor from the console to a domain', () => {
    expect(imports.filter(({ to }) => to.startsWith('commands/')).map(shown)).toEqual([]);
    expect(imports.filter(({ from, to }) => domainOf(from) === 'console' && isDomain(to)).map(shown)).toEqual(
      [],
    );
  });

  it('lead from bin to the console alone, and from the stand-alone verifier to what it verifies with', () => {
    const wrong = imports.filter(
      ({ from, to }) =>
        from.startsWith('bin/') &&
        isOurs(to) &&
        (from === 'bin/verify.js' ? to !== VERIFIER : domainOf(to) !== 'console'),
    );
    expect(wrong.map(shown)).toEqual([]);
    expect(imports.filter(({ to }) => to === VERIFIER && isOurs(to)).map(({ from }) => from)).toEqual([
      'bin/verify.js',
    ]);
  });

  it('make no circle of files that load each other', () => {
    const circles = sources.map(({ path }) => path).filter((path) => loadedWith(path, byPath).has(path));
    expect(circles).toEqual([]);
  });
});

describe('start-up', () => {
  it.each([
    ...sources.map(({ path }) => path).filter((path) => path.startsWith('commands/')),
    'src/console/start.ts',
  ])('%s loads nothing heavy before it runs', (path) => {
    const heavy = [...loadedWith(path, byPath)].filter(
      (to) => !isOurs(to) && !to.startsWith('node:') && !LIGHT.includes(to),
    );
    expect(heavy).toEqual([]);
  });

  it('loads no package at all to decide colour and refuse broken text', () => {
    const packages = [...loadedWith('src/console/start.ts', byPath)].filter(
      (to) => !isOurs(to) && !to.startsWith('node:'),
    );
    expect(packages).toEqual([]);
  });
});
