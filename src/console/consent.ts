import { NestctlError } from '../platform/errors.js';
import { askText, askYesNo, canAsk } from './terminal.js';

export interface ConsentScreen {
  /** Under --json nobody is asked. */
  readonly json: boolean;
  /** The command line that needs no asking: this one with more flags. */
  readonly again: (flags: readonly string[]) => string;
}

/** Throws `needs_input` unless --yes was given or the person at the terminal says yes. */
export async function askConsent(
  question: string,
  screen: ConsentScreen & { readonly yes: boolean },
): Promise<void> {
  if (screen.yes) return;
  if (screen.json || !canAsk()) {
    throw new NestctlError('This needs your consent, and there is no terminal to ask at.', {
      kind: 'needs_input',
      code: 'consent_missing',
      hint: 'Look with --dry-run first, then add --yes.',
      next: screen.again(['--yes']),
    });
  }
  if (await askYesNo(question)) return;
  throw new NestctlError('Nothing was changed.', { kind: 'needs_input', code: 'declined' });
}

/** Why something is written, from the person at the terminal; elsewhere throws `needs_input`. */
export async function askReason(screen: ConsentScreen): Promise<string> {
  if (!screen.json && canAsk()) return await askText('Why? (kept in the audit log)');
  throw new NestctlError('This needs a reason, and there is no terminal to ask at.', {
    kind: 'needs_input',
    code: 'reason_missing',
    hint: 'Add --reason, or set NESTCTL_REASON.',
    next: `${screen.again([])} --reason '…'`,
  });
}
