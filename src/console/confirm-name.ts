import { NestctlError } from '../platform/errors.js';
import { askText, canAsk, say } from './terminal.js';

export interface NameConfirmation {
  /** What must be typed. */
  readonly name: string;
  /** What is about to happen to it. */
  readonly warning: string;
  /** The value of --confirm. */
  readonly given: string | undefined;
  readonly json: boolean;
  /** The command line that needs no asking. */
  readonly next: string;
}

/** Consent for what cannot be undone: the name, typed or given by --confirm. Throws `needs_input` without it. */
export async function confirmName(options: NameConfirmation): Promise<void> {
  const { name, given } = options;
  if (given === undefined && (options.json || !canAsk())) {
    throw new NestctlError(
      `${options.warning} This needs "${name}" as consent, and there is no terminal to ask at.`,
      {
        kind: 'needs_input',
        code: 'consent_missing',
        hint: `Look with --dry-run first, then add --confirm ${name}.`,
        next: options.next,
      },
    );
  }
  if (given === undefined) say(`! ${options.warning}`);
  const typed = given ?? (await askText(`Type ${name} to go on:`));
  if (typed === name) return;
  throw new NestctlError(`"${typed}" is not "${name}". Nothing was changed.`, {
    kind: given === undefined ? 'needs_input' : 'usage',
    code: given === undefined ? 'declined' : 'wrong_confirmation',
  });
}
