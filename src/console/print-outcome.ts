import { EXIT } from '../platform/errors.js';
import { paintFor } from './colour.js';
import type { Outcome, Warning } from './outcome.js';
import { safeJson, safeText } from './safe-text.js';
import { draw } from './terminal.js';

export interface OutcomeScreen {
  readonly as: 'envelope' | 'json' | 'text';
  readonly command: string;
  readonly context: string | undefined;
  readonly warnings: readonly Warning[];
  /** Facts about this run: request, duty, version, who answered. */
  readonly meta: Readonly<Record<string, string | number | undefined>>;
  /** The command line that shows the page after this cursor. */
  readonly nextPage: (cursor: string) => string;
  readonly zone: string;
  readonly columns: readonly string[] | undefined;
}

/** Prints what a command handed back, and sets the exit code first: a reader may close the pipe half way. */
export async function printOutcome(outcome: Outcome, screen: OutcomeScreen): Promise<void> {
  const exitCode = EXIT[outcome.verdict ?? 'done'];
  process.exitCode = exitCode;
  const next = outcome.nextCursor === undefined ? outcome.next : screen.nextPage(outcome.nextCursor);
  if (screen.as === 'text') {
    await draw(outcome.view, process.stdout, screen);
    if (next !== undefined)
      process.stderr.write(`${paintFor(process.stderr)('muted', 'next')}  ${safeText(next)}\n`);
    return;
  }
  const envelope = {
    ok: true,
    command: screen.command,
    context: screen.context ?? null,
    result: outcome.result,
    warnings: screen.warnings,
    meta: {
      ...screen.meta,
      exit_code: exitCode,
      next: next ?? null,
      next_cursor: outcome.nextCursor ?? null,
    },
  };
  process.stdout.write(`${safeJson(screen.as === 'json' ? outcome.result : envelope, 2)}\n`);
}
