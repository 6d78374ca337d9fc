import { CONTEXT_NAMES, type CompletedCommand, type Values } from './model.js';

/** A completion script for bash 3.2 or later; it needs nothing but bash and sed. */
export function bashScript(commands: readonly CompletedCommand[]): string {
  return `# bash completion for nestctl, made by "nestctl completion bash".
_nestctl_contexts() {
  ${CONTEXT_NAMES} "\${NESTCTL_CONFIG:-\${XDG_CONFIG_HOME:-$HOME/.config}/nestctl/contexts.toml}" 2>/dev/null
}

_nestctl_offer() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen -W "$1" -- "$2"))
}

_nestctl() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" at="" word i args=0
  COMPREPLY=()
  # "--flag=value" is three words to bash.
  if [[ $cur == = ]]; then cur=""
  elif [[ $prev == = ]]; then prev="\${COMP_WORDS[COMP_CWORD-2]}"
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    [[ $word == -- ]] && return
    case "\${at:+$at }$word" in
${places(commands)}
      *) [[ $word == -* ]] || args=1; break ;;
    esac
  done
  case "$at:$prev" in
${flagValues(commands)}
    *) ;;
  esac
  if [[ $cur == -* ]]; then
    case "$at" in
${commands.map(({ path, flags }) => `      ${quoted(path)}) _nestctl_offer ${lines(flags.map(({ name }) => `--${name}`))} "$cur" ;;`).join('\n')}
    esac
    return
  fi
  ((args)) && return
  case "$at" in
${commands.flatMap(nextOf).join('\n')}
  esac
}

complete -F _nestctl nestctl
`;
}

function places(commands: readonly CompletedCommand[]): string {
  const known = commands.filter(({ path }) => path !== '').map(({ path }) => quoted(path));
  return `      ${known.join(' | ')})\n        at="\${at:+$at }$word" ;;`;
}

function flagValues(commands: readonly CompletedCommand[]): string {
  return commands
    .flatMap(({ path, flags }) =>
      flags
        .filter(({ values }) => values !== 'nothing')
        .map(({ name, values }) => `    ${quoted(`${path}:--${name}`)}) ${offer(values)}; return ;;`),
    )
    .join('\n');
}

function nextOf({ path, next, argument }: CompletedCommand): string[] {
  if (next.length > 0)
    return [
      `    ${quoted(path)}) _nestctl_offer ${lines([...next.map(({ word }) => word), ...listed(argument)])} "$cur" ;;`,
    ];
  return argument === 'nothing' || argument === 'any' ? [] : [`    ${quoted(path)}) ${offer(argument)} ;;`];
}

function listed(values: Values): readonly string[] {
  return typeof values === 'string' ? [] : values;
}

function offer(values: Values): string {
  if (values === 'context') return '_nestctl_offer "$(_nestctl_contexts)" "$cur"';
  if (values === 'file')
    return 'compopt -o filenames 2>/dev/null; local IFS=$\'\\n\'; COMPREPLY=($(compgen -f -- "$cur"))';
  return typeof values === 'string' ? ':' : `_nestctl_offer ${lines(values)} "$cur"`;
}

function lines(words: readonly string[]): string {
  return `$'${words.join('\\n')}'`;
}

function quoted(text: string): string {
  return `"${text}"`;
}
