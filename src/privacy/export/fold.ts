/** A text as it is compared, and for each unit of it where it began in the original, with the end of that as its last. */
export interface Folded {
  readonly text: string;
  readonly offsets: readonly number[] | undefined;
}

/** Case, accents, widths and characters that nobody sees are aside: "MARIE\u00ad-E\u0301VE" is "marie-eve". */
export function fold(original: string): Folded {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII folds to itself
  if (/^[\x00-\x7f]*$/.test(original)) return { text: original.toLowerCase(), offsets: undefined };
  let text = '';
  const offsets: number[] = [];
  let at = 0;
  for (const character of original) {
    const folded = foldCharacter(character);
    for (let unit = 0; unit < folded.length; unit += 1) offsets.push(at);
    text += folded;
    at += character.length;
  }
  offsets.push(at);
  return { text, offsets };
}

/** Of the characters that were met: there are few in the texts of one language, and each takes its time. */
const characters = new Map<string, string>();
const MOST_CHARACTERS = 10_000;

function foldCharacter(character: string): string {
  const known = characters.get(character);
  if (known !== undefined) return known;
  const folded = character
    .normalize('NFKD')
    .replace(/[\p{M}\p{Cf}]/gu, '')
    .toLowerCase()
    .normalize('NFKD')
    .replace(/\p{M}/gu, '');
  if (characters.size < MOST_CHARACTERS) characters.set(character, folded);
  return folded;
}

/** Where a stretch of the folded text stands in the original, with what nobody sees behind its last character. */
export function unfold({ offsets }: Folded, from: number, to: number): [from: number, to: number] {
  return offsets === undefined ? [from, to] : [offsets[from] as number, offsets[to] as number];
}

export interface Word {
  readonly text: string;
  readonly from: number;
  readonly to: number;
}

/** Runs of letters, and runs of digits, of a folded text. */
export function wordsOf(folded: string): Word[] {
  return [...folded.matchAll(/\p{L}+|\p{N}+/gu)].map(({ 0: text, index }) => ({
    text,
    from: index,
    to: index + text.length,
  }));
}

/** Scripts that set no blanks between words, or put prefixes to them: a name there is looked for anywhere. */
export const UNSPACED =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}\p{sc=Arabic}\p{sc=Hebrew}]/u;
