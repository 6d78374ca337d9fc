import { CONTEXT_NAMES, type CompletedCommand, type Values } from './model.js';

/** A completion script for fish 3 or later. */
export function fishScript(commands: readonly CompletedCommand[]): string {
  return `# fish completion for nestctl, made by "nestctl completion fish".
function __nestctl_contexts
    set -l file $NESTCTL_CONFIG
    if test -z "$file"
        set -l folder $XDG_CONFIG_HOME
        test -z "$folder"; and set folder $HOME/.config
        set file $folder/nestctl/contexts.toml
    end
    ${CONTEXT_NAMES} $file 2>/dev/null
end

# The words of the command so far, such as "family list"; a further word, an argument, makes it none.
function __nestctl_at
    set -l words (commandline -opc)
    set -l at
    for word in $words[2..-1]
        string match -q -- '-*' $word; and break
        set -a at $word
    end
    test "$at" = "$argv[1]"
end

# The same, with or without arguments after it.
function __nestctl_in
    set -l words (commandline -opc)
    set -l at (string split ' ' -- $argv[1])
    test "$words[2..$(math (count $at) + 1)]" = "$argv[1]"
end

complete -c nestctl -f
${commands.flatMap(linesOf).join('\n')}
`;
}

function linesOf({ path, next, flags, argument }: CompletedCommand): string[] {
  const here = `complete -c nestctl -n '__nestctl_at "${path}"'`;
  const within = path === '' ? here : `complete -c nestctl -n '__nestctl_in "${path}"'`;
  // A noun that is no command of its own takes no flag but --help.
  return [
    ...next.map(({ word, about }) => `${here} -a '${word}' -d '${about}'`),
    ...argumentOf(argument).map((more) => `${here} ${more}`),
    ...(next.length > 0 ? [] : flags).map(
      ({ name, char, about, values }) =>
        `${within} -l '${name}'${char === undefined ? '' : ` -s '${char}'`} -d '${about}'${taking(values)}`,
    ),
  ];
}

function argumentOf(values: Values): string[] {
  if (values === 'context') return [`-a '(__nestctl_contexts)'`];
  return typeof values === 'string' ? [] : [`-a '${values.join(' ')}'`];
}

function taking(values: Values): string {
  switch (values) {
    case 'nothing':
      return '';
    case 'any':
      return ' -x';
    case 'file':
      return ' -rF';
    case 'context':
      return ` -xa '(__nestctl_contexts)'`;
    default:
      return ` -xa '${values.join(' ')}'`;
  }
}
