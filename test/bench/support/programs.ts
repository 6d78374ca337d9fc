import { execFile, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ConnectionTarget } from '../../../src/platform/database/target.js';
import { peakMemory } from '../../support/peak-memory.js';

const run = promisify(execFile);

/** Runs a program; throws with what it said where it fails. */
export async function execute(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  cwd?: string,
): Promise<string> {
  const { stdout } = await run(program, args, { cwd, env: { ...process.env, ...env }, maxBuffer: 2 ** 28 });
  return stdout;
}

/** Throws where a program that a figure compares with is not installed. */
export async function needs(program: string, hint: string): Promise<void> {
  await execute(program, ['--version']).catch(() => {
    throw new Error(`${program} is not installed: ${hint}`);
  });
}

export interface Command {
  readonly argv: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** Milliseconds that each of so many runs of a whole process took, by hyperfine, without a shell. */
export async function processTimes(
  folder: string,
  { argv, env = {} }: Command,
  runs: number,
  warmUps = 1,
): Promise<number[]> {
  const file = join(folder, 'hyperfine.json');
  const quoted = argv.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  const options = [
    '-N',
    '--style',
    'none',
    '--warmup',
    String(warmUps),
    '--runs',
    String(runs),
    '--export-json',
    file,
  ];
  await execute('hyperfine', [...options, quoted], env);
  const { results } = JSON.parse(await readFile(file, 'utf8')) as { results: { times: number[] }[] };
  return (results[0]?.times ?? []).map((seconds) => seconds * 1000);
}

/** How psql is told where to connect. */
export function psqlEnv(target: ConnectionTarget): NodeJS.ProcessEnv {
  return {
    PGHOST: target.host,
    PGPORT: String(target.port),
    PGDATABASE: target.database,
    PGUSER: target.user,
    PGPASSWORD: target.password as string,
  };
}

/** The most memory that a process ever had, megabytes, as the kernel counted it; throws where it fails. */
export async function megabytes({ argv, env }: Command): Promise<number> {
  const [program = '', ...args] = argv;
  const child = spawn(program, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const { code, peak } = await peakMemory(child);
  if (code !== 0) throw new Error(`${args.slice(1, 3).join(' ')} ended with ${code}`);
  return (peak * 1024 * 1024) / 1_000_000;
}
