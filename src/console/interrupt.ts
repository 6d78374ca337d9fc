import { EXIT, NestctlError } from '../platform/errors.js';
import { say } from './terminal.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** How long work that watches the signal may take to reach a safe point. */
const GRACE = 10_000;

export interface Interruption {
  readonly signal: AbortSignal;
  /**
   * Waits for work, or for an interruption. Work that watches the signal is given time to stop at a safe point;
   * other work is left, and what it had not committed is undone by the server. A second signal ends at once.
   */
  waitFor<T>(
    work: Promise<T>,
    options: { readonly watched: () => boolean; readonly error: (failure?: unknown) => Error },
  ): Promise<T>;
  readonly happened: () => boolean;
  dispose(): void;
}

/**
 * Ctrl-C, a shutdown's SIGTERM and a closed terminal's SIGHUP are one thing to us: all end with 130, since what
 * they leave behind is the same and a script has one code to look for.
 */
export function listenForInterruption(): Interruption {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort();
  };
  for (const name of SIGNALS) process.on(name, stop);
  return {
    signal: controller.signal,
    happened: () => controller.signal.aborted,
    dispose: () => {
      for (const name of SIGNALS) process.off(name, stop);
    },
    async waitFor(work, { watched, error }) {
      const interrupted = new Promise<never>((_, reject) => {
        controller.signal.addEventListener('abort', () => {
          if (!watched()) return reject(error());
          say('· stopping at a safe point; once more ends at once');
          setTimeout(() => reject(error()), GRACE).unref();
        });
      });
      return await Promise.race([
        work.catch((failure: unknown) => {
          throw controller.signal.aborted ? error(failure) : failure;
        }),
        interrupted,
      ]);
    },
  };
}

/** How far a run has come, for whoever interrupts it. */
export interface Progressed {
  /** What is over and stays. */
  readonly done: readonly string[];
  /** What was being done. */
  readonly now: string | undefined;
  /** Of a write: whether it had begun to change anything. */
  readonly changing: boolean | undefined;
}

/** An interruption that says what was done and what was not. An operation that knows better keeps its own hint. */
export function interruption(progressed?: Progressed, failure?: unknown): NestctlError {
  if (failure instanceof NestctlError && failure.kind === 'interrupted') return failure;
  return new NestctlError('Interrupted.', { kind: 'interrupted', hint: hintOf(progressed) });
}

function hintOf(progressed: Progressed | undefined): string {
  const { done = [], now, changing } = progressed ?? {};
  if (changing === false) return 'Nothing was changed.';
  const parts = [
    ...(done.length > 0 ? [`Done: ${done.slice(-6).join('; ')}.`] : []),
    ...(now === undefined ? [] : [`Not finished: ${now}.`]),
    'What was not committed is undone; the command can be run again.',
  ];
  return parts.join(' ');
}
