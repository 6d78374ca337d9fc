import { Config } from '@oclif/core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConsoleCommand } from '../../src/console/base-command.js';
import { type Change, type ChangeScreen, runChange } from '../../src/console/change.js';
import { consentFlags, Flags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { text } from '../../src/console/views.js';
import type { Approval } from '../../src/platform/approvals/index.js';
import { packageRoot } from '../../src/platform/package-root.js';

let done: string[] = [];

class Paint extends ConsoleCommand<typeof Paint> {
  static override id = 'fence:paint';
  static override flags = { ...consentFlags, verdict: Flags.string() };

  async perform(): Promise<Outcome> {
    return await this.change({
      plan: async () => ({ fence: 'red' }),
      show: (plan) => text(`The fence will be ${plan.fence}.`),
      question: (plan) => `Paint it ${plan.fence}?`,
      apply: async (plan) => {
        done.push(plan.fence);
        this.warning('wet', 'It is wet.');
        return plan.fence;
      },
      done: (colour) => ({
        result: { colour },
        view: text(`It is ${colour}.`),
        verdict: this.flags.verdict as Outcome['verdict'],
        nextCursor: 'n',
      }),
    });
  }
}

let stdout = '';
let stderr = '';
const config = await Config.load({ root: packageRoot() });

beforeEach(() => {
  done = [];
  stdout = '';
  stderr = '';
  const into = (add: (text: string) => void) => (text: string | Uint8Array) => {
    add(String(text));
    return true;
  };
  vi.spyOn(process.stdout, 'write').mockImplementation(
    into((chunk) => {
      stdout += chunk;
    }),
  );
  vi.spyOn(process.stderr, 'write').mockImplementation(
    into((chunk) => {
      stderr += chunk;
    }),
  );
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

async function paint(...argv: string[]): Promise<number> {
  await Paint.run(argv, config);
  return Number(process.exitCode);
}

describe('a write', () => {
  it('without consent and a terminal is exit 7, names the way, and changes nothing', async () => {
    expect(await paint()).toBe(7);
    expect(done).toEqual([]);
    expect(stdout).toBe('');
    expect(stderr).toContain('next  nestctl fence paint --yes');
    expect(stderr).toContain('The fence will be red.');
    expect(await paint('--json')).toBe(7);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      command: 'fence paint',
      error: { code: 'consent_missing', exitCode: 7, next: 'nestctl fence paint --json --yes' },
    });
    expect(done).toEqual([]);
  });

  it('with --dry-run shows the plan as its result and changes nothing', async () => {
    expect(await paint('--dry-run', '--yes')).toBe(0);
    expect(stdout).toContain('The fence will be red.');
    expect(done).toEqual([]);
    stdout = '';
    await paint('--dry-run', '--json');
    expect(JSON.parse(stdout).result).toEqual({ dry_run: true, plan: { fence: 'red' } });
  });

  it('with --yes is done; warnings are on stderr, or in the envelope', async () => {
    expect(await paint('--yes')).toBe(0);
    expect(done).toEqual(['red']);
    expect(stdout).toBe('It is red.\n');
    expect(stderr).toContain('! It is wet.');
    stdout = '';
    stderr = '';
    await paint('--yes', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      result: { colour: 'red' },
      warnings: [{ code: 'wet', message: 'It is wet.' }],
    });
    expect(stderr).not.toContain('wet');
  });
});

describe('a write that a second operator approves', () => {
  const asked: string[] = [];
  const screen = (dryRun: boolean): ChangeScreen => ({
    dryRun,
    announce: () => undefined,
    show: async () => undefined,
    consent: async (question) => void asked.push(question),
    writing: () => undefined,
    changing: () => undefined,
    context: () => undefined,
  });
  const paintFences = (
    fences: number,
    more: Partial<Change<{ fences: number }, number>> = {},
    dryRun = false,
  ) =>
    runChange(
      {
        plan: async () => ({ fences }),
        show: () => text('fences'),
        nothing: (plan) => plan.fences === 0,
        question: (plan) => `Paint ${plan.fences}?`,
        approval: async () => {
          asked.push('approval');
          return { state: 'granted' } as Approval;
        },
        apply: async (plan) => plan.fences,
        done: (result) => ({ result: { result }, view: text('done') }),
        ...more,
      },
      screen(dryRun),
    );
  beforeEach(() => asked.splice(0));

  it('asks, and says in a dry run that it would', async () => {
    await paintFences(2);
    expect(asked).toEqual(['Paint 2?', 'approval']);
    expect((await paintFences(2, {}, true)).result).toMatchObject({ needs_approval: true });
  });

  it('asks nobody where there is nothing to do', async () => {
    expect((await paintFences(0)).result).toEqual({ result: 0 });
    expect((await paintFences(0, {}, true)).result).toEqual({ dry_run: true, plan: { fences: 0 } });
    expect(asked).toEqual([]);
  });

  it('asks no second operator again where it goes on with what was approved', async () => {
    await paintFences(2, { approved: () => true });
    expect(asked).toEqual(['Paint 2?']);
    expect((await paintFences(2, { approved: () => true }, true)).result).not.toHaveProperty(
      'needs_approval',
    );
  });
});

describe('an outcome', () => {
  it.each([
    ['finding', 3],
    ['pending', 8],
    ['partial', 9],
  ])('%s is exit %i in text and JSON, and no error', async (verdict, exitCode) => {
    expect(await paint('--yes', '--verdict', verdict)).toBe(exitCode);
    stdout = '';
    expect(await paint('--yes', '--verdict', verdict, '--json')).toBe(exitCode);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, meta: { exit_code: exitCode } });
  });

  it('with more to come prints the exact next command line, and the cursor in JSON', async () => {
    stderr = '';
    await paint('--yes');
    expect(stderr).toContain('next  nestctl fence paint --yes --cursor=n');
    stdout = '';
    await paint('--yes', '--json');
    expect(JSON.parse(stdout).meta).toMatchObject({
      next_cursor: 'n',
      next: 'nestctl fence paint --yes --json --cursor=n',
    });
  });
});
