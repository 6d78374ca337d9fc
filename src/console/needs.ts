import type { Command } from '@oclif/core/command';
import type { Ask } from './choices.js';
import type { Needed } from './missing.js';

type Definition = {
  readonly required?: boolean;
  readonly description?: string | undefined;
  readonly options?: readonly string[];
  readonly parse?: (input: string, context: object, definition: object) => Promise<unknown>;
};

/**
 * The arguments and flags of a command as oclif is to parse them, none of them required, and what may be asked
 * for in its place: the required ones, and those that the command has choices for.
 */
export function needsOf(
  command: Pick<typeof Command, 'args' | 'flags'>,
  choices: Readonly<Record<string, Ask>> = {},
) {
  const args = Object.entries(command.args ?? {}) as [string, Definition][];
  const flags = Object.entries(command.flags ?? {}) as [string, Definition][];
  const need =
    (written: (name: string) => string) =>
    ([name, definition]: [string, Definition]): Needed[] => {
      const { required = false, description, options, parse } = definition;
      if (!required && choices[name] === undefined) return [];
      return [
        {
          name,
          written: written(name),
          description,
          options,
          required,
          parse: async (input) => (parse === undefined ? input : await parse(input, {}, definition)),
          ask: choices[name],
        },
      ];
    };
  return {
    args: Object.fromEntries(
      args.map(([name, arg]) => [name, { ...arg, required: false, ignoreStdin: true }]),
    ) as (typeof command)['args'],
    flags: Object.fromEntries(
      flags.map(([name, flag]) => [name, { ...flag, required: false }]),
    ) as (typeof command)['flags'],
    needed: [
      ...args.flatMap(need((name) => name.toUpperCase())),
      ...flags.flatMap(need((name) => `--${name}`)),
    ],
  };
}
