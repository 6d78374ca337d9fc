import { type Field, fieldNamed, fieldNames, VALUE_PREFIXES } from './fields.js';
import { filterError } from './filter-error.js';
import { type Token, tokensOf } from './tokens.js';

/** What a comparison looks at: a field of the event, or the values of a column before, after or both. */
export type Subject =
  | { readonly field: Field }
  | { readonly column: string; readonly images: readonly ('before' | 'after')[] };

export type Operator = '=' | '!=' | '<' | '<=' | '>' | '>=' | '~' | '!~' | 'has';

export type Expression =
  | { readonly op: 'and' | 'or'; readonly sides: readonly Expression[] }
  | { readonly op: 'not'; readonly side: Expression }
  | { readonly op: 'null'; readonly subject: Subject; readonly at: number; readonly not: boolean }
  | {
      readonly op: Operator;
      readonly subject: Subject;
      readonly at: number;
      /** Any of them; after "!=" and "!~" none. */
      readonly values: readonly Token[];
    };

export interface Filter {
  readonly text: string;
  readonly root: Expression;
}

const COMPARISONS = ['=', '!=', '<>', '<', '<=', '>', '>=', '~', '!~'];
const LONGEST = 4_000;
const DEEPEST = 50;

/**
 * A filter as a tree:
 *
 *     filter      = and { "or" and }
 *     and         = not { "and" not }
 *     not         = "not" not | "(" filter ")" | comparison
 *     comparison  = field ( "=" "!=" "<>" "<" "<=" ">" ">=" "~" "!~" ) value
 *                 | field [ "not" ] "in" "(" value { "," value } ")"
 *                 | field "has" value | field "is" [ "not" ] "null"
 *
 * `~` is: contains, in whatever case. Throws `invalid_filter`.
 */
export function parseFilter(text: string): Filter {
  if (text.length > LONGEST) {
    throw filterError(text.slice(0, 40), 0, `this is longer than ${LONGEST} characters.`);
  }
  const parser = new Parser(text);
  return { text, root: parser.whole() };
}

class Parser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokensOf(text);
  }

  whole(): Expression {
    const root = this.#either();
    const { kind, at, value } = this.#token;
    if (kind === 'end') return root;
    throw this.#error(
      at,
      value === ')' ? 'this bracket was never opened.' : '"and" or "or" is missing here.',
    );
  }

  #either(): Expression {
    if (++this.#depth > DEEPEST) throw this.#error(this.#token.at, 'this is nested too deeply.');
    const sides = [this.#both()];
    while (this.#word('or')) sides.push(this.#both());
    this.#depth--;
    return sides.length === 1 ? (sides[0] as Expression) : { op: 'or', sides };
  }

  #both(): Expression {
    const sides = [this.#negated()];
    while (this.#word('and')) sides.push(this.#negated());
    return sides.length === 1 ? (sides[0] as Expression) : { op: 'and', sides };
  }

  #negated(): Expression {
    let times = 0;
    while (this.#word('not')) times++;
    const inner = this.#single();
    return times % 2 === 0 ? inner : { op: 'not', side: inner };
  }

  #single(): Expression {
    const { at } = this.#token;
    if (!this.#symbol('(')) return this.#comparison();
    const inner = this.#either();
    if (!this.#symbol(')')) throw this.#error(at, 'this bracket is never closed.');
    return inner;
  }

  #comparison(): Expression {
    const { at } = this.#token;
    const subject = this.#subject();
    if (this.#word('is')) {
      const not = this.#word('not');
      if (!this.#word('null')) throw this.#error(this.#token.at, '"null" is missing here.');
      return { op: 'null', subject, at, not };
    }
    if (this.#word('has')) return { op: 'has', subject, at, values: [this.#value()] };
    const negated = this.#word('not');
    if (this.#word('in')) return { op: negated ? '!=' : '=', subject, at, values: this.#list() };
    const sign = this.#token;
    if (negated || sign.kind !== 'symbol' || !COMPARISONS.includes(sign.value)) {
      throw this.#error(
        sign.at,
        'a comparison is missing here.',
        'There are = != < <= > >= ~ !~ in has "is null".',
      );
    }
    this.#next++;
    const op = (sign.value === '<>' ? '!=' : sign.value) as Operator;
    return { op, subject, at, values: [this.#value()] };
  }

  #subject(): Subject {
    const { kind, value, at } = this.#token;
    if (kind !== 'word')
      throw this.#error(at, kind === 'end' ? 'it ends too soon.' : 'a field is missing here.');
    this.#next++;
    const [prefix = '', ...rest] = value.split('.');
    const images = VALUE_PREFIXES[prefix.toLowerCase()];
    if (images !== undefined && rest.length === 1 && rest[0] !== '')
      return { images, column: rest[0] as string };
    const field = fieldNamed(value);
    if (field !== undefined) return { field };
    throw filterError(this.#text, at, `"${value}" is no field.`, {
      mistaken: { name: value, among: fieldNames() },
      hint: 'See: nestctl help filter',
    });
  }

  #list(): Token[] {
    const { at } = this.#token;
    if (!this.#symbol('(')) throw this.#error(at, 'a list in brackets is missing here: in (update, delete).');
    const values = [this.#value()];
    while (this.#symbol(',')) values.push(this.#value());
    if (!this.#symbol(')'))
      throw this.#error(this.#token.at, 'a comma or a closing bracket is missing here.');
    return values;
  }

  #value(): Token {
    const token = this.#token;
    if (token.kind !== 'word' && token.kind !== 'text') {
      throw this.#error(
        token.at,
        token.kind === 'end' ? 'it ends too soon: a value is missing.' : 'a value is missing here.',
      );
    }
    this.#next++;
    return token;
  }

  get #token(): Token {
    return this.#tokens[this.#next] as Token;
  }

  #word(word: string): boolean {
    const { kind, value } = this.#token;
    const found = kind === 'word' && value.toLowerCase() === word;
    if (found) this.#next++;
    return found;
  }

  #symbol(symbol: string): boolean {
    const { kind, value } = this.#token;
    const found = kind === 'symbol' && value === symbol;
    if (found) this.#next++;
    return found;
  }

  #error(at: number, message: string, hint?: string): Error {
    return filterError(this.#text, at, message, hint === undefined ? {} : { hint });
  }
}
