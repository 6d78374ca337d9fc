import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/platform/package-root.js';
import { readSources } from '../support/source-imports.js';

const TOP_LEVEL = [
  ...['package.json', 'tsconfig.json', 'bin', 'src', 'commands', 'sql', 'test', 'README.md'],
  ...['package-lock.json', 'LICENSE', 'CHANGELOG.md'],
];
const SRC = [
  ...['console', 'platform'],
  ...[
    'families',
    'access',
    'audit',
    'privacy',
    'residency',
    'backups',
    'recovery',
    'evidence',
    'maintenance',
  ],
];
const BIN = ['run.js', 'dev.js', 'verify.js'];

const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: packageRoot(),
  encoding: 'utf8',
})
  .split('\n')
  .filter((path) => path !== '');

const below = (folder: string) => tracked.filter((path) => path.startsWith(`${folder}/`));
const commands = readSources('commands');

describe('the layout', () => {
  it('has nothing at the top level but what the design names', () => {
    const names = new Set(tracked.map((path) => path.split('/')[0] ?? ''));
    expect([...names].filter((name) => !name.startsWith('.') && !TOP_LEVEL.includes(name))).toEqual([]);
  });

  it('has console, platform and the domains in src, and no fourth kind of thing', () => {
    expect(readdirSync(join(packageRoot(), 'src')).filter((name) => !SRC.includes(name))).toEqual([]);
  });

  it('has executables of under 25 lines in bin', () => {
    for (const path of below('bin')) {
      expect(BIN).toContain(basename(path));
      expect(readFileSync(join(packageRoot(), path), 'utf8').split('\n').length, path).toBeLessThan(25);
    }
  });

  it('names code in kebab-case and SQL in snake_case', () => {
    const code = ['bin', 'commands', 'src', 'test'].flatMap(below).filter((path) => /\.(ts|js)$/.test(path));
    const sql = below('sql').filter((path) => path.endsWith('.sql'));
    expect(code.filter((path) => !kebab(path))).toEqual([]);
    expect(sql.filter((path) => !path.split('/').every((part) => /^[a-z0-9_]+(\.sql)?$/.test(part)))).toEqual(
      [],
    );
    expect(code.length).toBeGreaterThan(50);
  });
});

describe('commands', () => {
  it('are classes alone: every file there becomes a command', () => {
    for (const { path, text } of commands) expect(text, path).toMatch(/^export default class /m);
  });

  it('are thin: most under 60 lines, none over 150', () => {
    const lengths = commands.map(({ text }) => text.split('\n').length).sort((a, b) => a - b);
    expect(lengths.at(-1)).toBeLessThanOrEqual(150);
    expect(lengths[Math.floor(lengths.length / 2)]).toBeLessThan(60);
  });

  it('hold no SQL, no try and no escape sequence', () => {
    for (const { path, tree, imports, text } of commands) {
      expect(count(tree, ts.isTryStatement), `${path}: try`).toBe(0);
      expect(
        imports.map(({ to }) => to),
        path,
      ).not.toContain('sql-template-tag');
      expect(text, path).not.toMatch(
        /\\x1b|\\u001b|\b(select|insert into|update|delete from)\s+[a-z_.*]+\s+(from|set|where|values)\b/i,
      );
    }
  });
});

function kebab(path: string): boolean {
  return path.split('/').every((part) => /^[a-z0-9]+(-[a-z0-9]+)*(\.test|\.config)?(\.ts|\.js)?$/.test(part));
}

function count(node: ts.Node, matches: (node: ts.Node) => boolean): number {
  let found = matches(node) ? 1 : 0;
  ts.forEachChild(node, (child) => {
    found += count(child, matches);
  });
  return found;
}
