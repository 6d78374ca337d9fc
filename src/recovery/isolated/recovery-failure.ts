import { NestctlError } from '../../platform/errors.js';

interface Known {
  readonly says: RegExp;
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly next?: string;
}

/** What PostgreSQL 15 to 18 write where a recovery cannot go on; the first that fits is told. */
const KNOWN: readonly Known[] = [
  {
    says: /recovery ended before configured recovery target was reached/,
    code: 'target_not_reached',
    message: 'The log ended before the target was reached',
    hint: 'The target is later than what was archived, or never was: aim at an earlier one, or at --latest.',
    next: 'nestctl restore target --latest',
  },
  {
    says: /requested recovery stop point is before consistent recovery point/,
    code: 'target_before_backup',
    message: 'The target lies before the end of the backup',
    hint: 'Aim at a moment after the end of a backup.',
    next: 'nestctl backup list',
  },
  {
    says: /could not locate (required checkpoint record|a valid checkpoint record)|invalid checkpoint record/,
    code: 'log_missing',
    message: 'The first file of the log that the backup needs is missing or damaged',
    hint: 'This backup cannot be restored from: take an older one.',
    next: 'nestctl backup check',
  },
  {
    says: /No space left on device/,
    code: 'disk_full',
    message: 'The disk is full',
    hint: 'Make room and run it again: nothing of this one is left but its log.',
  },
  {
    says: /invalid (record length|resource manager|magic number|contrecord)|incorrect (resource manager data checksum|prev-link)|unexpected pageaddr/,
    code: 'log_damaged',
    message: 'A file of the log is damaged',
    hint: 'Only what came before it can be reached.',
    next: 'nestctl backup check',
  },
  {
    says: /recovery aborted because of insufficient parameter settings/,
    code: 'settings_too_low',
    message: 'The server came with settings lower than the log needs',
    hint: 'Its log names them.',
  },
];

/** Why a server that was to recover has ended, as its log tells. */
export function recoveryFailure(log: string, path: string): NestctlError {
  const known = KNOWN.find(({ says }) => says.test(log));
  const last = [...log.matchAll(/last completed transaction was at log time (.*)/g)].at(-1)?.[1];
  const fatal = [...log.matchAll(/(?:FATAL|PANIC): {2}(.*)/g)].at(-1)?.[1];
  const reached = last === undefined ? '' : `; the last transaction in it ended at ${last}`;
  return new NestctlError(
    known === undefined
      ? `The restored server did not start: ${fatal ?? 'it ended without a word'}.`
      : `${known.message}${reached}.`,
    {
      kind: known === undefined ? 'failure' : 'conflict',
      code: known?.code ?? 'recovery_failed',
      hint: `${known?.hint ?? ''} Its log: ${path}.`.trim(),
      next: known?.next,
    },
  );
}
