import type { Interfaces } from '@oclif/core';
import type { Hook } from '@oclif/core/hooks';
import { NestctlError } from '../platform/errors.js';
import { commandLine } from './command-line.js';
import { nearest } from './suggest.js';

/** An unknown command is a usage error. What was probably meant is said, and never run. */
const commandNotFound: Hook.CommandNotFound = async ({ id, argv, config }) => {
  throw unknownCommand([...id.split(':'), ...(argv ?? [])], config);
};

export default commandNotFound;

export function unknownCommand(
  typed: readonly string[],
  config: Pick<Interfaces.Config, 'commandIDs' | 'topics'>,
): NestctlError {
  const words = typed.slice(0, typed.findIndex((word) => word.startsWith('-')) >>> 0);
  const known = [...config.commandIDs, ...config.topics.map(({ name }) => name), 'help'].map((name) =>
    name.replaceAll(':', ' '),
  );
  const meant =
    nearest(words.slice(0, 3).join(' '), known) ??
    nearest(words.slice(0, 2).join(' '), known) ??
    nearest(words[0] ?? '', known);
  return new NestctlError(`There is no command "${words.join(' ')}".`, {
    kind: 'usage',
    code: 'unknown_command',
    hint: meant === undefined ? undefined : `Did you mean "${commandLine(meant.split(' '))}"?`,
    next: meant === undefined ? 'nestctl --help' : commandLine([...meant.split(' '), '--help']),
  });
}
