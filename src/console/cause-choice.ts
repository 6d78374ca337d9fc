import { NestctlError } from '../platform/errors.js';
import { fromList } from './choices.js';
import { commandLine } from './command-line.js';
import { canAsk } from './terminal.js';

interface Cause {
  readonly id: string;
  readonly says: string;
  readonly commands: readonly string[];
}

/** Which of the causes found is to be mended: asked for on a terminal; elsewhere throws `needs_input` naming them. */
export async function chooseCause(
  causes: readonly Cause[],
  { user, json }: { readonly user: string; readonly json: boolean },
): Promise<string> {
  const mendable = causes.filter(({ commands }) => commands.length > 0);
  // With nothing to choose, the first says who can.
  const [first] = mendable.length === 0 ? causes : [];
  if (first !== undefined) return first.id;
  if (json || !canAsk()) {
    throw new NestctlError('--fix needs the cause to be mended, and there is no terminal to ask at.', {
      kind: 'needs_input',
      code: 'cause_missing',
      hint: `Found: ${mendable.map(({ id }) => id).join(', ') || 'none that can be mended'}.`,
      next: commandLine([
        'access',
        'diagnose',
        '--user',
        user,
        ...(mendable[0] === undefined ? [] : ['--fix', mendable[0].id, '--yes']),
      ]),
    });
  }
  return await fromList('Mend which cause?', async () =>
    mendable.map(({ id, says, commands }) => ({
      value: id,
      label: `${id}: ${says}`,
      note: commands.join('\n'),
    })),
  )();
}
