import { NestctlError } from '../platform/errors.js';

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
    options: { readonly watched: () => boolean; readonly error: () => Error },
  ): Promise<T>;
  readonly happened: () => boolean;
  dispose(): void;
}

export function listenForInterruption(): Interruption {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) process.exit(130);
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
          if (watched()) setTimeout(() => reject(error()), GRACE).unref();
          else reject(error());
        });
      });
      return await Promise.race([
        work.catch((failure: unknown) => {
          // One that says itself what was done and what was not says more.
          const told = failure instanceof NestctlError && failure.kind === 'interrupted';
          throw controller.signal.aborted && !told ? error() : failure;
        }),
        interrupted,
      ]);
    },
  };
}
