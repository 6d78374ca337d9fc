import type { Kind } from './package-tables.js';

/** A value of a column as PostgreSQL prints it, in JSON. Numbers keep every digit they have. */
export function jsonCell(kind: Kind, text: string): string {
  switch (kind) {
    case 'boolean':
    case 'integer':
    case 'array':
    case 'json':
      return text;
    case 'number':
      // NaN and the infinities are no numbers of JSON.
      return /\d/.test(text) ? text : JSON.stringify(text);
    case 'time':
    case 'date':
    case 'interval':
    case 'uuid':
      // Nothing in them, nor in an alias, needs to be escaped.
      return `"${text}"`;
    default:
      return JSON.stringify(text);
  }
}

/** The same in CSV (RFC 4180): NULL is an empty cell, the empty text "". */
export function csvCell(kind: Kind, text: string | null): string {
  if (text === null) return '';
  switch (kind) {
    case 'boolean':
    case 'integer':
    case 'number':
    case 'time':
    case 'date':
      return text;
    case 'uuid':
      return `"${text}"`;
    default: {
      const guarded = guardFormula(text);
      return `"${guarded.includes('"') ? guarded.replaceAll('"', '""') : guarded}"`;
    }
  }
}

const FORMULA = /[=+\-@＝＋－＠]/;
/** Anywhere that a cell might begin; most texts have none, and are told so at once. */
const STARTS = /(?:^|[;|\t\r\n])[\s'"‘’“”`´]*[=+\-@＝＋－＠]/;
const IGNORED = /[\s'"‘’“”`´]/;
const BREAKS = /[;|\t\r\n]/;
const PLAIN_NUMBER = /^[+-]?(\d+([.,]\d+)?|[.,]\d+)$/;

/**
 * An apostrophe before what a spreadsheet would run, at the beginning or behind what some of them break cells at. To
 * read a cell back, take it off again: `unguardFormula` is its inverse for every text.
 */
export function guardFormula(text: string): string {
  if (!STARTS.test(text) || PLAIN_NUMBER.test(text)) return text;
  const at = starts(text);
  let guarded = '';
  let done = 0;
  for (const start of at) {
    guarded += `${text.slice(done, start)}'`;
    done = start;
  }
  return guarded + text.slice(done);
}

export function unguardFormula(text: string): string {
  let plain = '';
  let done = 0;
  for (const start of starts(text)) {
    if (text[start] !== "'") continue;
    plain += text.slice(done, start);
    done = start + 1;
  }
  return plain + text.slice(done);
}

/** Where a cell might begin, and a formula does but for what spreadsheets overlook. In time that grows with the text alone. */
function starts(text: string): number[] {
  const found: number[] = [];
  let formula = false;
  for (let at = text.length - 1; at >= 0; at -= 1) {
    const unit = text[at] as string;
    formula = FORMULA.test(unit) || (formula && IGNORED.test(unit));
    if (formula && (at === 0 || BREAKS.test(text[at - 1] as string))) found.push(at);
  }
  return found.reverse();
}
