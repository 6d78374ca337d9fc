import { appendEntry, logFile } from './log-file.js';
import { traceOf } from './trace.js';

export interface Run {
  /** The command id, such as `family:list`; null where none was recognised. */
  readonly command: string | null;
  /** The words typed after it. Only the names of known flags are kept of them. */
  readonly typed: readonly string[];
  /** The flags that the command knows. */
  readonly known: readonly string[];
  readonly version: string;
  readonly request: string | null;
}

/** What is known of a run only while it goes on. */
export interface RunState {
  readonly context: string | undefined;
  readonly duty: string | undefined;
}

/**
 * Leaves one line in the log for a run, however it ends, save by SIGKILL. Nothing in it is personal: no value of
 * a flag or argument, no message of an error.
 */
export class RunLog {
  readonly #run: Run;
  readonly #state: () => RunState;
  readonly #started = new Date();
  #ended = false;
  readonly #atExit = (code: number) => {
    this.end(code);
  };

  constructor(run: Run, state: () => RunState) {
    this.#run = run;
    this.#state = state;
    process.once('exit', this.#atExit);
  }

  /** Milliseconds since the run began. */
  get elapsed(): number {
    return Date.now() - this.#started.getTime();
  }

  /** Writes the line, once; the path of the log, or undefined where it could not be written or is off. */
  end(
    exitCode: number,
    failure?: { readonly code: string; readonly unexpected: unknown },
  ): string | undefined {
    if (this.#ended) return undefined;
    this.#ended = true;
    process.off('exit', this.#atExit);
    const path = pathOrNone();
    if (path === undefined) return undefined;
    const { command, typed, known, version, request } = this.#run;
    const { context, duty } = this.#state();
    const entry = {
      time: this.#started.toISOString(),
      version,
      command,
      flags: flagNames(typed, known),
      context: context ?? null,
      duty: duty ?? null,
      request,
      duration_ms: this.elapsed,
      exit_code: exitCode,
      error: failure?.code ?? null,
      ...(failure?.unexpected === undefined ? {} : { trace: traceOf(failure.unexpected) }),
    };
    return appendEntry(path, entry) ? path : undefined;
  }
}

function pathOrNone(): string | undefined {
  try {
    return logFile();
  } catch {
    return undefined;
  }
}

/** Names of known flags among the words typed, without their values; what stands after `--` is no flag. */
function flagNames(typed: readonly string[], known: readonly string[]): string[] {
  const end = typed.indexOf('--');
  const names = (end === -1 ? typed : typed.slice(0, end))
    .filter((word) => word.startsWith('--'))
    .map((word) => word.slice(2).split('=', 1)[0] ?? '');
  return [...new Set(names)].filter((name) => known.includes(name)).sort();
}
