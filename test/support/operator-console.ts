import { dirname } from 'node:path';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import { type ConsoleOptions, contextFile, type Finished, runConsole } from './console.js';
import type { TestDatabase } from './database.js';
import { checkReceipt } from './receipts.js';

// biome-ignore lint/suspicious/noExplicitAny: tests state the shape they expect
type Json = any;

/** The console as one operator runs it against a test database. */
export interface OperatorConsole {
  readonly env: Readonly<Record<string, string>>;
  run(args: readonly string[], options?: ConsoleOptions): Promise<Finished>;
  /**
   * With --json: the one document of stdout and the exit code, which are checked to agree, as the receipt is with the
   * audit log.
   */
  json(args: readonly string[], options?: ConsoleOptions): Promise<{ code: number; body: Json }>;
}

export interface OperatorConsoleOptions {
  readonly operator?: ConnectionTarget;
  /** Without it the context has no owner connection. */
  readonly owner?: boolean;
  /** Replaces what the context says, for servers that are down and passwords that are wrong. */
  readonly port?: number;
  readonly password?: string;
}

/** A context file for a test database; camille.roy's unless another operator is named. Times are in UTC. */
export async function operatorConsole(
  database: TestDatabase,
  options: OperatorConsoleOptions = {},
): Promise<OperatorConsole> {
  const operator = options.operator ?? database.operators[0];
  const line = (target: ConnectionTarget) =>
    `*:*:*:${target.user}:${options.password ?? (target.password as string)}`;
  const passfile = await contextFile(`${line(operator)}\n${line(database.owner)}\n`);
  const { path, env: where } = await contextFile(
    [
      'current = "test"',
      '[contexts.test]',
      'kind = "server"',
      `host = "${operator.host}"`,
      `port = ${options.port ?? operator.port}`,
      `database = "${operator.database}"`,
      `user = "${operator.user}"`,
      `passfile = "${passfile.path}"`,
      ...(options.owner === false ? [] : ['[contexts.test.owner]', `user = "${database.owner.user}"`]),
    ].join('\n'),
  );
  const env = { ...where, NESTCTL_HOME: dirname(path), TZ: 'UTC' };
  const run = (args: readonly string[], more: ConsoleOptions = {}) =>
    runConsole(args, { ...more, env: { ...env, ...more.env } });
  return {
    env,
    run,
    async json(args, more) {
      const { code, stdout, stderr } = await run([...args, '--json'], more);
      const body = parseOnly(stdout, stderr);
      const said = body.ok ? body.meta.exit_code : body.error.exitCode;
      if (said !== code) throw new Error(`exit code ${code}, but the envelope says ${said}`);
      await checkReceipt(database, args.join(' '), body.meta);
      return { code: code ?? -1, body };
    },
  };
}

function parseOnly(stdout: string, stderr: string): Json {
  try {
    return JSON.parse(stdout);
  } catch {
    throw new Error(`stdout is not one JSON document:\n${stdout}\n${stderr}`);
  }
}

/** Work for a few processes at a time: two cores gain nothing from more, and starve. */
export async function inTurns<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
  lanes = 4,
): Promise<void> {
  const queue = [...items];
  const lane = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
