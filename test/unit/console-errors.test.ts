import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { presentError } from '../../src/console/present-error.js';
import { EXIT, NestctlError } from '../../src/platform/errors.js';

let stdout = '';
let stderr = '';

beforeEach(() => {
  stdout = '';
  stderr = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    stdout += text;
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr += text;
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

const PERSONAL = 'Jean Tremblay';
const SCREENS = [
  { json: false, verbose: false },
  { json: true, verbose: false },
  { json: false, verbose: true },
  { json: true, verbose: true },
];

describe('a defect of our own', () => {
  it('never shows its message, which may hold personal data, only where it happened', () => {
    const defect = parsing(`"${PERSONAL}`);
    for (const screen of SCREENS) presentError(defect, screen);
    presentError(new Error('outer', { cause: defect }), { json: false, verbose: true });
    expect(stdout + stderr).not.toContain(PERSONAL);
    expect(stderr).toContain('SyntaxError');
    expect(stderr).toContain('console-errors.test');
  });

  it('is exit 1, the same in both forms', () => {
    for (const screen of SCREENS) {
      presentError(new TypeError('x'), screen);
      expect(process.exitCode).toBe(1);
    }
    expect(JSON.parse(stdout.slice(0, stdout.indexOf('}\n}') + 3))).toMatchObject({
      error: { code: 'defect', exitCode: 1 },
    });
  });
});

describe('an expected error', () => {
  it('has the exit code of its kind in both forms', () => {
    for (const kind of Object.keys(EXIT).filter((name) => name !== 'done') as Exclude<
      keyof typeof EXIT,
      'done'
    >[]) {
      stdout = '';
      presentError(new NestctlError('m', { kind }), { json: true, verbose: false });
      expect(process.exitCode).toBe(EXIT[kind]);
      expect(JSON.parse(stdout).error).toEqual({
        code: kind,
        message: 'm',
        hint: null,
        next: null,
        exitCode: EXIT[kind],
      });
    }
  });

  it('shows nothing of its cause but where it came from', () => {
    presentError(new NestctlError('m', { kind: 'failure', cause: parsing(PERSONAL) }), {
      json: false,
      verbose: true,
    });
    expect(stderr).toContain('✗ m');
    expect(stderr).not.toContain(PERSONAL);
  });

  it('of the system names call and path, no more', () => {
    const error = Object.assign(new Error(`ENOSPC: ${PERSONAL}`), {
      code: 'ENOSPC',
      syscall: 'write',
      path: '/x',
    });
    expect(presentError(error, { json: false, verbose: false }).message).toBe(
      '/x does not fit: the disk is full (ENOSPC).',
    );
  });
});

function parsing(text: string): Error {
  try {
    return JSON.parse(text) as Error;
  } catch (error) {
    return error as Error;
  }
}
