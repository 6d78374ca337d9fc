import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { commandLine, withFlags, withoutFlag } from '../../src/console/command-line.js';
import { nearest } from '../../src/console/suggest.js';

describe('a command line to type', () => {
  it('comes back from a shell as the words it was made from', () => {
    const words = ['family', 'list', '--name', "L'Heureux $(id) `id`", '--reason=a "b" \\ * ?', '', 'é\n'];
    const printed = execFileSync(
      'bash',
      ['-c', `nestctl() { printf '%s\\0' "$@"; }; ${commandLine(words)}`],
      { encoding: 'utf8' },
    );
    expect(printed.split('\0').slice(0, -1)).toEqual(words);
  });

  it('goes on from a cursor in place of the one before, in either spelling', () => {
    for (const before of [['--cursor', 'old'], ['--cursor=old']]) {
      const words = withFlags(withoutFlag(['--limit', '5', ...before, '--', '--cursor'], 'cursor'), [
        '--cursor=new',
      ]);
      expect(words).toEqual(['--limit', '5', '--cursor=new', '--', '--cursor']);
    }
  });

  it('keeps what stands after --', () => {
    expect(withFlags(withoutFlag(['--', '--cursor=x'], 'cursor'), ['--yes'])).toEqual([
      '--yes',
      '--',
      '--cursor=x',
    ]);
  });
});

describe('a suggestion', () => {
  it('is the nearest word, if one is near', () => {
    expect(nearest('famly list', ['family list', 'family show', 'audit query'])).toBe('family list');
    expect(nearest('x', ['family list'])).toBeUndefined();
    expect(nearest('delete', ['select'])).toBeUndefined();
    expect(nearest('anything', [])).toBeUndefined();
  });
});
