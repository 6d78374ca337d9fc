import { filterError } from './filter-error.js';

export interface Token {
  readonly kind: 'word' | 'text' | 'symbol' | 'end';
  /** What was written; of a text what it says, without its quotes. */
  readonly value: string;
  /** Where it begins in the filter. */
  readonly at: number;
}

const SPACE = /\s+/y;
const SYMBOL = /<>|<=|>=|!=|!~|[=<>~(),]/y;
/** Whatever needs no quotes: names, numbers, ids, times, logins. */
const WORD = /[\p{L}\p{N}_@./:+*#-]+/uy;
const QUOTED = /"((?:[^"\\]|\\.|"")*)"|'((?:[^'\\]|\\.|'')*)'/suy;

/** The tokens of a filter, with an `end` behind them. Throws `invalid_filter`. */
export function tokensOf(filter: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(filter) ?? undefined;
  };
  while (at < filter.length) {
    const began = at;
    const found = take(SPACE) ?? take(SYMBOL) ?? take(WORD) ?? take(QUOTED);
    if (found === undefined) throw unreadable(filter, at);
    at += found[0].length;
    const [whole, double, single] = found;
    const quoted = double ?? single;
    if (quoted !== undefined) {
      tokens.push({ kind: 'text', value: unquoted(quoted, double === undefined ? "'" : '"'), at: began });
    } else if (whole.trim() !== '') {
      tokens.push({ kind: /^[=<>!~(),]/.test(whole) ? 'symbol' : 'word', value: whole, at: began });
    }
  }
  tokens.push({ kind: 'end', value: '', at: filter.length });
  return tokens;
}

/** A quote within its own kind is doubled or stands behind a backslash, which takes the next character as it is. */
function unquoted(inner: string, quote: string): string {
  return inner.replaceAll(quote + quote, quote).replace(/\\(.)/gsu, '$1');
}

function unreadable(filter: string, at: number): Error {
  const char = String.fromCodePoint(filter.codePointAt(at) ?? 0);
  if (char === '"' || char === "'") {
    return filterError(filter, at, 'this quote has no end.', { hint: `Close it with ${char}.` });
  }
  return filterError(filter, at, `${JSON.stringify(char)} has no meaning here.`, {
    hint: 'Put text with spaces or signs into quotes: new.notes ~ "night shift".',
  });
}
