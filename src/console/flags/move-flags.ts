import * as Flags from '@oclif/core/flags';
import { consentFlags, staffFlags } from './sets.js';
import { parseUuid, textFlag } from './values.js';

interface Choice<C extends string> {
  readonly table: string | null;
  readonly key: string | null;
  readonly choice: C;
}

function oneOf<C extends string>(choices: readonly C[], input: string | undefined): C {
  const choice = choices.find((one) => one === input);
  if (choice === undefined) throw new Error(`"${input ?? ''}" is none of ${choices.join(', ')}`);
  return choice;
}

function parseChoice<C extends string>(choices: readonly C[], input: string): Choice<C> {
  const [, what, key, chosen] = /^([a-z_][a-z0-9_.]*)(?::([^=\s]+))?=(.*)$/.exec(input) ?? [];
  if (what === undefined)
    throw new Error(
      `"${input}" is no decision: write inventory_items=${choices[0]}, inventory_items:ID=… or all=…`,
    );
  const choice = oneOf(choices, chosen);
  return what === 'all' ? { table: null, key: null, choice } : { table: what, key: key ?? null, choice };
}

/** `inventory_items=stay`, `inventory_items:ID=move` or `all=copy`. */
const sharedFlag = Flags.custom<Choice<'stay' | 'move' | 'copy'>>({
  helpValue: 'TABLE[:ID]=stay|move|copy',
  parse: async (input) => parseChoice(['stay', 'move', 'copy'], input),
});

const conflictFlag = Flags.custom<Choice<'keep' | 'swap'>>({
  helpValue: 'TABLE[:ID]=keep|swap',
  parse: async (input) => parseChoice(['keep', 'swap'], input),
});

/** `dad@example.ca=move` */
export const memberChoiceFlag = Flags.custom<{
  readonly who: string;
  readonly choice: 'stay' | 'move' | 'copy';
}>({
  helpValue: 'E-MAIL|ID=stay|move|copy',
  parse: async (input) => {
    const at = input.lastIndexOf('=');
    const who = at === -1 ? input : input.slice(0, at);
    if (!/^[^@\s]+@[^@\s]+$/.test(who)) parseUuid(who);
    return { who, choice: oneOf(['stay', 'move', 'copy'], at === -1 ? undefined : input.slice(at + 1)) };
  },
});

/** For every command that moves rows between families: severe, so a name is typed and --yes does not do. */
export const moveFlags = {
  ...staffFlags,
  'dry-run': consentFlags['dry-run'],
  conflict: conflictFlag({
    description:
      'of two rows that cannot both be in one family: keep the one there, or let them change places',
    multiple: true,
    multipleNonGreedy: true,
    helpGroup: 'WRITE',
  }),
  confirm: textFlag({
    description: 'consent: the name that is asked for',
    helpValue: 'NAME',
    helpGroup: 'WRITE',
  }),
};

export const sharedFlags = {
  shared: sharedFlag({
    description: 'what becomes of rows that belong to no child alone: of all, of a table, or of one row',
    multiple: true,
    multipleNonGreedy: true,
    helpGroup: 'WRITE',
  }),
};
