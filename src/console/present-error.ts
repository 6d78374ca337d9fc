import { NestctlError } from '../platform/errors.js';
import { systemError } from '../platform/system-errors.js';
import { type Paint, paintFor } from './colour.js';
import { safeJson, safeText } from './safe-text.js';
import { usageError } from './usage-error.js';

export interface ErrorScreen {
  readonly json: boolean;
  readonly verbose: boolean;
  /** The command words typed, such as `family list`. */
  readonly command?: string | undefined;
  readonly context?: string | undefined;
}

/**
 * Prints any error for people (stderr) or programs (stdout) and sets the exit code, the same in both. Only the
 * sentence, hint and next command of a NestctlError are shown: another error's message may hold personal data.
 */
export function presentError(error: unknown, screen: ErrorScreen): NestctlError {
  const shown = toNestctlError(error);
  process.exitCode = shown.exitCode;
  if (screen.json) {
    const { code, message, hint, next, exitCode } = shown;
    const body = { code, message, hint: hint ?? null, next: next ?? null, exitCode };
    const envelope = {
      ok: false,
      command: screen.command ?? null,
      context: screen.context ?? null,
      error: body,
    };
    process.stdout.write(`${safeJson(envelope, 2)}\n`);
  } else process.stderr.write(errorText(shown, paintFor(process.stderr)));
  if (screen.verbose) process.stderr.write(traceOf(unexpected(error)));
  return shown;
}

function errorText(error: NestctlError, paint: Paint): string {
  const lines = [`${paint('bad', '✗')} ${safeText(error.message)}`];
  if (error.hint !== undefined) lines.push(`  ${paint('muted', 'hint')}  ${safeText(error.hint)}`);
  if (error.next !== undefined) lines.push(`  ${paint('muted', 'next')}  ${safeText(error.next)}`);
  return `${lines.join('\n')}\n`;
}

function toNestctlError(error: unknown): NestctlError {
  if (error instanceof NestctlError) return error;
  const usage = usageError(error);
  if (usage !== undefined) return usage;
  if (error instanceof Error && error.name === 'ExitPromptError') return interruption();
  const system = systemError(error);
  if (system !== undefined) return system;
  const name = error instanceof Error ? error.name : typeof error;
  return new NestctlError(`nestctl itself failed (${name}).`, {
    kind: 'failure',
    code: 'defect',
    hint: 'This is a defect of nestctl. --verbose shows where; please report that.',
  });
}

export function interruption(): NestctlError {
  return new NestctlError('Interrupted.', {
    kind: 'interrupted',
    hint: 'What was not committed is undone. The command can be run again.',
  });
}

/** What lies below an error that we expected, if anything. */
function unexpected(error: unknown): unknown {
  if (error instanceof NestctlError) return unexpected(error.cause);
  return usageError(error) === undefined ? error : undefined;
}

/** Where an error came from, without its message. */
function traceOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return `${safeText(error.name)}\n${frames.map((line) => `${safeText(line)}\n`).join('')}${traceOf(error.cause)}`;
}
