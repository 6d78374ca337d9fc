import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runConsole } from '../support/console.js';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

const folder = mkdtempSync(join(tmpdir(), 'nestctl-completion-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const script = (shell: Shell) => join(folder, shell === 'zsh' ? '_nestctl' : `nestctl.${shell}`);
const config = join(folder, 'contexts.toml');
// No nestctl is on this PATH: whatever is offered was not asked of one.
const env = { PATH: '/usr/bin:/bin', HOME: folder, NESTCTL_CONFIG: config, TERM: 'dumb' };

beforeAll(async () => {
  writeFileSync(
    config,
    `[contexts.production]\nkind = "server"\n[contexts.production.owner]\nuser = "o"\n[contexts."with.dot"]\n[contexts.local-second]\n`,
  );
  writeFileSync(join(folder, 'record.html'), '');
  mkdirSync(join(folder, 'rec folder'));
  writeFileSync(
    join(folder, '.zshrc'),
    `PS1='READY>'; fpath=(${folder} $fpath); autoload -Uz compinit; compinit -u -d ${folder}/zcompdump\nunsetopt beep prompt_cr prompt_sp; LISTMAX=0; zstyle ':completion:*' verbose no\n`,
  );
  for (const shell of SHELLS) {
    const { code, stdout, stderr } = await runConsole(['completion', shell]);
    expect([code, stderr]).toEqual([0, '']);
    writeFileSync(script(shell), stdout);
  }
});

/** What a shell offers after a command line, whose last word is being typed. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal draws with
const ESCAPES = /\u001b(\[[0-9;?]*[A-Za-z]|[=>])|[\u0000\u0007\u0008]/g;

const OFFERS: Record<Shell, (line: string) => Promise<string[]>> = {
  bash: async (line) => {
    // As readline breaks words: `=` stands alone.
    const words = line.split(' ').flatMap((word) => word.split(/(?==)|(?<==)/));
    const quoted = words.map((word) => `'${word}'`).join(' ');
    return lines(
      'bash',
      '--norc',
      '-c',
      `. '${script('bash')}'; COMP_WORDS=(${quoted}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _nestctl; printf '%s\\n' "\${COMPREPLY[@]}"`,
    );
  },
  zsh: async (line) => {
    const child = spawn(
      'script',
      ['--quiet', '--return', '--command', 'stty cols 150; exec zsh -i', '/dev/null'],
      {
        env: { ...env, ZDOTDIR: folder, TERM: 'vt100' },
        cwd: folder,
        stdio: 'pipe',
      },
    );
    let screen = '';
    let typed = false;
    child.stdout.on('data', (chunk: Buffer) => {
      screen += chunk.toString('utf8');
      if (typed || !screen.includes('READY>')) return;
      typed = true;
      // Ctrl-D lists what there is; then away with the line.
      setTimeout(() => child.stdin.write(`${line}\u0004`), 300);
      setTimeout(() => child.stdin.write('\u0015exit\r'), 2_000);
    });
    await once(child, 'close');
    const [, listed = ''] = screen.split(line);
    const bare = listed.split('\u001b[A', 1)[0]?.replace(ESCAPES, ' ') ?? '';
    return bare.split(/\s+/).filter((word) => word !== '' && word !== 'exit');
  },
  fish: async (line) =>
    lines('fish', '--no-config', '-c', `source '${script('fish')}'; complete -C '${line}'`).map(
      (text) => text.split('\t')[0] ?? '',
    ),
};

function lines(program: string, ...args: string[]): string[] {
  const { status, stdout, stderr } = spawnSync(program, args, {
    env,
    cwd: folder,
    encoding: 'utf8',
    timeout: 20_000,
  });
  expect([program, status, stderr]).toEqual([program, 0, '']);
  return stdout
    .split('\n')
    .map((text) => text.trim())
    .filter((text) => text !== '');
}

describe.each(SHELLS)('%s', (shell) => {
  const offers = async (line: string) => [
    ...new Set((await OFFERS[shell](line)).map((word) => word.replace(/^--format=/, ''))),
  ];

  it('takes the script as it is', () => {
    execFileSync(shell, ['-n', script(shell)], { env });
  });

  it('offers nouns, then the verbs of one, and no word that is none', async () => {
    expect(await offers('nestctl fam')).toEqual(['family']);
    const verbs = await offers('nestctl context ');
    expect(verbs).toEqual(expect.arrayContaining(['add', 'check', 'list', 'remove', 'show', 'use']));
    expect(verbs).not.toContain('context');
    expect(await offers('nestctl evidence key ro')).toEqual(['rotate']);
  });

  it('offers the flags of a command, and of no other', async () => {
    const flags = await offers('nestctl family list --');
    expect(flags).toEqual(expect.arrayContaining(['--name', '--email', '--duty', '--json', '--help']));
    expect(flags).not.toContain('--break-glass');
    expect(await offers('nestctl access open --break')).toEqual(['--break-glass']);
  });

  it('offers the choices of a flag, also after an equals sign', async () => {
    expect((await offers('nestctl family list --duty ')).sort()).toEqual([
      'admin',
      'auditor',
      'compliance',
      'sre',
      'support',
    ]);
    expect(await offers('nestctl family list --duty co')).toEqual(['compliance']);
    expect(await offers('nestctl doctor --format=js')).toContain('json');
  });

  it('offers context names from the file, as argument and as value, and never a section of one', async () => {
    for (const line of ['nestctl context use ', 'nestctl doctor --context ']) {
      expect((await offers(line)).sort()).toEqual(['local-second', 'production', 'with.dot']);
    }
    expect(await offers('nestctl context add ')).not.toContain('production');
  });

  it('offers choices of an argument, help topics, and files where a file is meant', async () => {
    expect(await offers('nestctl completion f')).toEqual(['fish']);
    expect(await offers('nestctl help exit')).toEqual(['exit-codes']);
    expect(await offers('nestctl evidence show keys/1 --html reco')).toContain('record.html');
  });
});

it('never runs compinit, nor any program when a shell starts', async () => {
  for (const shell of SHELLS) {
    const { stdout } = await runConsole(['completion', shell]);
    expect(stdout).not.toMatch(/^\s*(autoload|compinit)/m);
  }
});

it('exits 7 without a shell named, and says which there are', async () => {
  const { code, stderr } = await runConsole(['completion']);
  expect(code).toBe(7);
  expect(stderr).toContain('bash, zsh, fish');
  const wrong = await runConsole(['completion', 'bsh']);
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('Did you mean bash?')]);
});
