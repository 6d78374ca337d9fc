import { NestctlError } from '../platform/errors.js';
import { askText, canAsk } from './terminal.js';

/** Flags that a command cannot do without, asked for on a terminal; elsewhere throws `needs_input` naming them. */
export async function askForMissing<Name extends string>(
  given: Readonly<Record<Name, string | undefined>>,
  screen: { readonly json: boolean },
): Promise<Record<Name, string>> {
  const entries = Object.entries(given) as [Name, string | undefined][];
  const missing = entries.filter(([, value]) => value === undefined).map(([name]) => `--${name}`);
  if (missing.length > 0 && (screen.json || !canAsk())) {
    throw new NestctlError(`This needs ${missing.join(', ')}, and there is no terminal to ask at.`, {
      kind: 'needs_input',
      code: 'flag_missing',
    });
  }
  const answers: [Name, string][] = [];
  for (const [name, value] of entries) answers.push([name, value ?? (await askText(`${name}:`))]);
  return Object.fromEntries(answers) as Record<Name, string>;
}
