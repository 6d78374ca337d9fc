import { CONTEXT_NAMES, type CompletedCommand, type CompletedFlag, type Values } from './model.js';

/**
 * A completion script for zsh: as a file `_nestctl` of fpath, or sourced after compinit. It never runs compinit
 * itself: a second one costs every shell its start.
 */
export function zshScript(commands: readonly CompletedCommand[]): string {
  return `#compdef nestctl
# zsh completion for nestctl, made by "nestctl completion zsh".
_nestctl_contexts() {
  local -a names
  names=(\${(f)"$(${CONTEXT_NAMES} "\${NESTCTL_CONFIG:-\${XDG_CONFIG_HOME:-$HOME/.config}/nestctl/contexts.toml}" 2>/dev/null)"})
  compadd -- $names
}

_nestctl() {
  local at="" word i args=0 prev
  local -a offers
  for ((i = 2; i < CURRENT; i++)); do
    word=\${words[i]}
    [[ $word == -- ]] && return
    case "\${at:+$at }$word" in
      (${commands
        .filter(({ path }) => path !== '')
        .map(({ path }) => quoted(path))
        .join('|')})
        at="\${at:+$at }$word" ;;
      (*) [[ $word == -* ]] || args=1; break ;;
    esac
  done
  prev=\${words[CURRENT-1]}
  if [[ \${words[CURRENT]} == --*=* ]]; then
    prev=\${words[CURRENT]%%=*}
    compset -P '--*='
  fi
  case "$at:$prev" in
${commands.flatMap(({ path, flags }) => flags.filter(({ values }) => values !== 'nothing').map(({ name, values }) => `    (${quoted(`${path}:--${name}`)}) ${offer(values)}; return ;;`)).join('\n')}
  esac
  if [[ $PREFIX == -* ]]; then
    case "$at" in
${commands.map(({ path, flags }) => `      (${quoted(path)}) offers=(${flags.map(flagOffer).join(' ')}) ;;`).join('\n')}
    esac
    _describe -o 'flag' offers
    return
  fi
  ((args)) && return
  case "$at" in
${commands.flatMap(nextOf).join('\n')}
  esac
}

if [[ \${funcstack[1]} == _nestctl ]]; then
  _nestctl "$@"
elif (( \${+functions[compdef]} )); then
  compdef _nestctl nestctl
fi
`;
}

function nextOf({ path, next, argument }: CompletedCommand): string[] {
  const words = [
    ...next,
    ...(typeof argument === 'string' ? [] : argument.map((word) => ({ word, about: '' }))),
  ];
  if (words.length > 0) {
    const offers = words.map(({ word, about }) => described(word, about)).join(' ');
    return [`    (${quoted(path)}) offers=(${offers}); _describe 'command' offers ;;`];
  }
  return argument === 'nothing' || argument === 'any' ? [] : [`    (${quoted(path)}) ${offer(argument)} ;;`];
}

function flagOffer({ name, about }: CompletedFlag): string {
  return described(`--${name}`, about);
}

function described(word: string, about: string): string {
  return `'${word.replaceAll(':', '\\:')}${about === '' ? '' : `:${about.replaceAll(':', '\\:')}`}'`;
}

function offer(values: Values): string {
  if (values === 'context') return '_nestctl_contexts';
  if (values === 'file') return '_files';
  return typeof values === 'string' ? ':' : `compadd -- ${values.map((value) => `'${value}'`).join(' ')}`;
}

function quoted(text: string): string {
  return `"${text}"`;
}
