/**
 * What could move the cursor, recolour the terminal, reorder or hide text: C0, DEL and C1 controls, bidi marks
 * and overrides, zero-width characters, line separators, interlinear annotations, tags, lone surrogates.
 * The zero-width joiner and non-joiner stay: emoji and several scripts need them, and they change no order.
 */
const UNSAFE =
  /[\p{Cc}\p{Cs}\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e0fff}]/gu;

/** Text from data, fit for a terminal: every unsafe character is made visible, on one line. */
export function safeText(text: string): string {
  return text.replace(UNSAFE, picture);
}

/** Text from data for a file that may be opened anywhere: lines, tabs and marks of direction stay as they are. */
export function withoutControls(text: string): string {
  return text.replace(/(?![\t\r\n])[\p{Cc}\p{Cs}]/gu, picture);
}

function picture(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  if (code === 0x7f) return '\u2421';
  return `\u2039U+${code.toString(16).toUpperCase().padStart(4, '0')}\u203a`;
}

/** JSON for a terminal or a pipe: the same data, with everything unsafe written as an escape. */
export function safeJson(value: unknown, indent?: number): string {
  const plain = (_: string, item: unknown) => (typeof item === 'bigint' ? item.toString() : item);
  // Line breaks are the indentation's own; inside strings JSON has escaped them.
  return JSON.stringify(value, plain, indent).replace(UNSAFE, (char) =>
    char === '\n'
      ? char
      : [...Array(char.length).keys()].map((at) => escapeUnit(char.charCodeAt(at))).join(''),
  );
}

function escapeUnit(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`;
}

/** Lines of JSON, or of text, with everything unsafe in them made visible; line ends stay. */
export function safeLines(text: string, kind: 'text' | 'json'): string {
  const harmless = (char: string) =>
    kind === 'text'
      ? picture(char)
      : [...Array(char.length).keys()].map((at) => escapeUnit(char.charCodeAt(at))).join('');
  return text.replace(UNSAFE, (char) =>
    char === '\n' || (char === '\r' && kind === 'text') ? char : harmless(char),
  );
}
