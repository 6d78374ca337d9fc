import { fold, UNSPACED, unfold, wordsOf } from './fold.js';
import { aliasOf, type People } from './people.js';

/** What replaced others in one value. */
export interface Severed {
  readonly text: string;
  /** Aliases, as often as they were put in. */
  readonly aliases: readonly string[];
}

interface Span {
  readonly from: number;
  readonly to: number;
  readonly alias: string;
}

/** A name looked for word by word. */
interface Term {
  readonly words: readonly string[];
  readonly alias: string;
}

/** Words of names that are words of the language too. */
const PARTICLES = new Set(
  'de du des la le les da do dos das di del della van von der den ten ter el al bin ben ibn abu st ste saint sainte mc mac and et the of dr mr mrs ms mme mlle me mom dad'.split(
    ' ',
  ),
);
const ADDRESS = /[^\s@<>()",;:'`]+@[^\s@<>()",;:'`]+\.[\p{L}]{2,}/gu;
const NUMBER = /\+?\(?\d[\d .()\-/]{5,30}\d/g;
const ID = /(?<![0-9a-f])[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}(?![0-9a-f])/g;
/** What every id, and every number, has in it. */
const PART_OF_ID = '[0-9a-f]{8}-?[0-9a-f]{4}';
const PART_OF_NUMBER = '\\d[\\d .()\\-/]{5}';
/** Between the words of a name stands no more than this: blanks, a hyphen, the dot and the at of an address. */
const APART = 3;

/**
 * Puts aliases in the place of other people (PIPEDA s. 9(1)): their names, whole or word by word, whatever case and
 * accents they are written with; their addresses, numbers and ids; and any address that is not the person's own.
 */
export class Severer {
  readonly #people: People;
  readonly #terms = new Map<string, Term[]>();
  readonly #literals: { readonly text: string; readonly alias: string }[] = [];
  readonly #numbers = new Map<string, string>();
  /** By their ids as PostgreSQL prints them, and without hyphens. */
  readonly #ids = new Map<string, string>();
  readonly #own: ReadonlySet<string>;
  readonly #strangers = new Map<string, string>();
  /** A folded text that it does not match names nobody, nor does any part of that text; most are told so at once. */
  readonly #suspect: RegExp;

  constructor(people: People) {
    this.#people = people;
    const own = people.self.spellings.map(({ text }) => fold(text.trim()).text);
    this.#own = new Set(own);
    const ownWords = new Set(own.flatMap((text) => wordsOf(text).map((word) => word.text)));
    for (const { alias, id, spellings } of people.others) {
      if (id !== undefined) this.#ids.set(plainId(id), alias).set(id, alias);
      for (const { text, names } of spellings) {
        if (names === 'phone') this.#number(text, alias);
        else this.#name(fold(text.trim()).text, alias, names === 'name' ? ownWords : undefined);
      }
    }
    for (const terms of this.#terms.values()) terms.sort((a, b) => b.words.length - a.words.length);
    this.#literals.sort((a, b) => b.text.length - a.text.length);
    this.#suspect = new RegExp(
      [
        ...[...this.#terms.keys(), ...this.#literals.map(({ text }) => text)].map(escaped),
        ...(this.#ids.size > 0 ? [PART_OF_ID] : []),
        ...(this.#numbers.size > 0 ? [PART_OF_NUMBER] : []),
        '@',
      ].join('|'),
    );
  }

  /** What stands for each of the others, found or not. */
  get aliases(): readonly string[] {
    return [...this.#people.others.map(({ alias }) => alias), ...this.#strangers.values()];
  }

  /** An id of somebody, as PostgreSQL prints it: the person's own stays, anybody else's goes. */
  id(value: string): Severed {
    if (value === this.#people.self.id) return { text: value, aliases: [] };
    const alias = this.#ids.get(value) ?? this.#stranger(value);
    return { text: alias, aliases: [alias] };
  }

  /** An id of whatever: it goes where it is one of the others'. */
  anyId(value: string): Severed {
    const alias = this.#ids.get(value);
    return alias === undefined ? { text: value, aliases: [] } : { text: alias, aliases: [alias] };
  }

  text(value: string): Severed {
    const folded = fold(value);
    if (!this.#suspect.test(folded.text)) return { text: value, aliases: [] };
    const spans = this.#find(folded.text);
    if (spans.length === 0) return { text: value, aliases: [] };
    let text = '';
    let done = 0;
    for (const span of spans) {
      const [from, to] = unfold(folded, span.from, span.to);
      text += value.slice(done, from) + span.alias;
      done = to;
    }
    return { text: text + value.slice(done), aliases: spans.map(({ alias }) => alias) };
  }

  /** JSON as text: its strings, names of fields among them, and numbers that are somebody's telephone. */
  json(value: string): Severed {
    // Where nothing is escaped, its strings are parts of it.
    if (!value.includes('\\') && !this.#suspect.test(fold(value).text)) return { text: value, aliases: [] };
    const aliases: string[] = [];
    const text = value.replace(/"(?:[^"\\]|\\.)*"|\d{10,15}/g, (token) => {
      const inner = token.startsWith('"') ? (JSON.parse(token) as string) : token;
      const severed = this.text(inner);
      if (severed.aliases.length === 0) return token;
      aliases.push(...severed.aliases);
      return JSON.stringify(severed.text);
    });
    return { text, aliases };
  }

  #find(text: string): Span[] {
    const ids = [...text.matchAll(ID)].map(({ 0: found, index }) => ({
      found,
      from: index,
      to: index + found.length,
    }));
    // Letters within an id spell nobody.
    const words = wordsOf(text).filter(
      (word) => !ids.some(({ from, to }) => from <= word.from && word.to <= to),
    );
    const spans: Span[] = ids.flatMap(({ found, from, to }) => {
      const alias = this.#ids.get(plainId(found));
      return alias === undefined ? [] : [{ from, to, alias }];
    });
    words.forEach(({ text: first, from }, at) => {
      const term = this.#terms.get(first)?.find(({ words: sought }) =>
        sought.every((word, n) => {
          const [here, before] = [words[at + n], words[at + n - 1]];
          return here?.text === word && (n === 0 || here.from - (before?.to ?? 0) <= APART);
        }),
      );
      if (term === undefined) return;
      const last = words[at + term.words.length - 1];
      spans.push({ from, to: last?.to ?? from, alias: term.alias });
    });
    for (const { text: literal, alias } of this.#literals) {
      for (let at = text.indexOf(literal); at >= 0; at = text.indexOf(literal, at + literal.length))
        spans.push({ from: at, to: at + literal.length, alias });
    }
    for (const { 0: found, index } of text.matchAll(NUMBER)) {
      const alias = this.#numbers.get(plainNumber(found));
      if (alias !== undefined) spans.push({ from: index, to: index + found.length, alias });
    }
    for (const { 0: found, index } of text.includes('@') ? text.matchAll(ADDRESS) : []) {
      if (this.#own.has(found)) continue;
      const within = spans.find(({ from, to }) => from <= index && to >= index + found.length);
      const alias = within?.alias ?? this.#wholeAddress(found) ?? this.#stranger(found);
      spans.push({ from: index, to: index + found.length, alias });
    }
    return apart(spans);
  }

  #wholeAddress(found: string): string | undefined {
    const words = wordsOf(found).map((word) => word.text);
    return this.#terms
      .get(words[0] ?? '')
      ?.find(
        (term) => term.words.length === words.length && term.words.every((word, at) => word === words[at]),
      )?.alias;
  }

  #name(text: string, alias: string, ownWords: ReadonlySet<string> | undefined): void {
    if (text.length < 2 || this.#own.has(text)) return;
    const words = wordsOf(text).map((word) => word.text);
    if (UNSPACED.test(text) || words.length === 0) this.#literals.push({ text, alias });
    if (words.length > 0) this.#term({ words, alias });
    if (ownWords === undefined) return;
    for (const word of words) {
      if (word.length > 1 && /\p{L}/u.test(word) && !PARTICLES.has(word) && !ownWords.has(word))
        this.#term({ words: [word], alias });
    }
  }

  #term(term: Term): void {
    const first = term.words[0] as string;
    const terms = this.#terms.get(first) ?? [];
    const same = terms.findIndex(({ words }) => words.join(' ') === term.words.join(' '));
    const there = terms[same];
    if (there === undefined) terms.push(term);
    // Two share it, and nobody can say which of them is meant.
    else if (!there.alias.split(' / ').includes(term.alias))
      terms[same] = { words: there.words, alias: `${there.alias} / ${term.alias}` };
    this.#terms.set(first, terms);
  }

  #number(text: string, alias: string): void {
    const plain = plainNumber(text);
    if (plain.length >= 7 && !this.#own.has(fold(text.trim()).text)) this.#numbers.set(plain, alias);
  }

  #stranger(who: string): string {
    const there = this.#strangers.get(who);
    if (there !== undefined) return there;
    const known = this.#people.others.filter(({ alias }) => /^Person(ne)? \d+$/.test(alias)).length;
    const alias = aliasOf('person', known + this.#strangers.size + 1, this.#people.language);
    this.#strangers.set(who, alias);
    return alias;
  }
}

/** The longest of those that begin first; none overlaps. */
function apart(spans: readonly Span[]): Span[] {
  const kept: Span[] = [];
  for (const span of [...spans].sort((a, b) => a.from - b.from || b.to - a.to)) {
    const last = kept.at(-1);
    if (last === undefined || span.from >= last.to) kept.push(span);
    else if (span.to > last.to) kept[kept.length - 1] = { ...last, to: span.to };
  }
  return kept;
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');

const plainId = (id: string) => id.replaceAll('-', '').toLowerCase();

/** Ten digits, as numbers are in North America; others whole. */
function plainNumber(text: string): string {
  const digits = fold(text).text.replace(/\D/g, '');
  return digits.length === 11 && digits.startsWith('1') ? digits.slice(1) : digits;
}
