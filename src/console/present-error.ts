import { NestctlError } from '../platform/errors.js';
import { systemError } from '../platform/system-errors.js';
import { type Paint, paintFor } from './colour.js';
import { inContext } from './command-line.js';
import { interruption } from './interrupt.js';
import type { Receipts } from './receipts.js';
import { safeJson, safeText } from './safe-text.js';
import { nearest } from './suggest.js';
import { say } from './terminal.js';
import { traceOf } from './trace.js';
import { usageError } from './usage-error.js';

export interface ErrorScreen {
  readonly json: boolean;
  readonly verbose: boolean;
  /** The command words typed, such as `family list`. */
  readonly command?: string | undefined;
  readonly context?: string | undefined;
  /** The value of --context, which a next command needs too. */
  readonly contextFlag?: string | undefined;
  /** The whole command line, to run again. It repeats what was typed, so it is for the person who typed it only. */
  readonly again?: string | undefined;
  readonly request?: string | undefined;
  /** What was committed before it failed. */
  readonly written?: Pick<Receipts, 'events' | 'lines'> | undefined;
  /** Notes the end of the run in the log; the path of the log, or undefined where it could not be written. */
  readonly log?: ((error: NestctlError, unexpected: unknown) => string | undefined) | undefined;
}

/** What may well go away by itself: there the same command again is the way on. */
const PASSING = new Set([
  ...['interrupted', 'lock_timeout', 'deadlock', 'serialization', 'in_use', 'statement_timeout'],
  ...['connection_lost', 'server_starting', 'too_many_connections', 'server_unreachable', 'config_busy'],
  ...['store_failing', 'store_unreachable', 'store_down', 'run_lock_taken', 'seed_running'],
]);

/**
 * Prints any error for people (stderr) or programs (stdout) and sets the exit code, the same in both. Only the
 * sentence, hint and next command of a NestctlError are shown: another error's message may hold personal data.
 */
export function presentError(error: unknown, screen: ErrorScreen): NestctlError {
  const explained = explain(error);
  process.exitCode = explained.exitCode;
  const log = screen.log?.(explained, unexpected(error));
  const shown = explained.code === 'defect' ? defect(explained.message, log) : explained;
  const hint = hintOf(shown);
  const next = inContext(shown.next, screen.contextFlag);
  const { events, lines = [] } = screen.written ?? {};
  if (screen.json) {
    const { code, message, exitCode } = shown;
    const body = { code, message, hint: hint ?? null, next: next ?? null, exitCode };
    const envelope = {
      ok: false,
      command: screen.command ?? null,
      context: screen.context ?? null,
      error: body,
      ...(events === undefined ? {} : { meta: { request: screen.request, events } }),
    };
    process.stdout.write(`${safeJson(envelope, 2)}\n`);
  } else {
    const again = PASSING.has(shown.code) ? screen.again : undefined;
    process.stderr.write(errorText(shown, hint, next ?? again, paintFor(process.stderr)));
    for (const line of lines) say(line);
  }
  if (screen.verbose) {
    for (const line of traceOf(unexpected(error))) process.stderr.write(`    ${safeText(line)}\n`);
  }
  return shown;
}

/** With what was probably meant before it, which is never done. */
function hintOf({ hint, mistaken }: NestctlError): string | undefined {
  const meant = mistaken === undefined ? undefined : nearest(mistaken.name, mistaken.among);
  return meant === undefined ? hint : [`Did you mean ${meant}?`, hint].filter(Boolean).join(' ');
}

function errorText(
  { message, excerpt }: NestctlError,
  hint: string | undefined,
  next: string | undefined,
  paint: Paint,
): string {
  const lines = [`${paint('bad', '✗')} ${safeText(message)}`];
  if (excerpt !== undefined) lines.push(...pointAt(excerpt, paint));
  if (hint !== undefined) lines.push(`  ${paint('muted', 'hint')}  ${safeText(hint)}`);
  if (next !== undefined) lines.push(`  ${paint('muted', 'next')}  ${safeText(next)}`);
  return `${lines.join('\n')}\n`;
}

/** The text around a fault on one line, and a caret below it. */
function pointAt({ text, at }: { readonly text: string; readonly at: number }, paint: Paint): string[] {
  const from = at > 50 ? at - 40 : 0;
  const head = `${from > 0 ? '…' : ''}${safeText(text.slice(from, at))}`;
  const tail = `${safeText(text.slice(at, at + 30))}${text.length > at + 30 ? '…' : ''}`;
  return [`    ${head}${tail}`, `    ${' '.repeat([...head].length)}${paint('bad', '^')}`];
}

/** Any error as one of ours. */
function explain(error: unknown): NestctlError {
  if (error instanceof NestctlError) return error;
  const usage = usageError(error);
  if (usage !== undefined) return usage;
  if (error instanceof Error && error.name === 'ExitPromptError') return interruption();
  const system = systemError(error);
  if (system !== undefined) return system;
  const name = error instanceof Error && /^[A-Za-z]\w{0,60}$/.test(error.name) ? error.name : typeof error;
  return defect(`nestctl itself failed (${name}).`, undefined);
}

function defect(message: string, log: string | undefined): NestctlError {
  return new NestctlError(message, {
    kind: 'failure',
    code: 'defect',
    hint:
      log === undefined
        ? 'This is a defect of nestctl. --verbose shows where; please report that.'
        : `This is a defect of nestctl. Where it happened is the last line of ${log}, which holds no personal data: please report that.`,
  });
}

/** What lies below an error that we expected, if anything. */
function unexpected(error: unknown): unknown {
  if (error instanceof NestctlError) return unexpected(error.cause);
  return usageError(error) === undefined ? error : undefined;
}
