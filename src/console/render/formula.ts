/** What a spreadsheet takes for the beginning of a formula, also in the full width of East Asian keyboards. */
const TRIGGER = '=+\\-@＝＋－＠';
/** What it skips before one: blanks, quotes and invisible characters; bounded, so that long runs of them cost little. */
const SKIPPED = '[\\s\\p{Zs}\\p{Cf}"\'‘’“”`´]{0,1000}';
/** A cell begins at its start, and where a spreadsheet of another country sees the end of one. */
const BEGINNING = new RegExp(`(?<=^|[;|\\t\\r\\n])(?=${SKIPPED}[${TRIGGER}])|^(?=[\\t\\r])`, 'gu');
const NUMBER = /^[+-]?(\d+([.,]\d+)?|[.,]\d+)$/;

/**
 * Text that no spreadsheet runs: an apostrophe stands before whatever it would take for a formula. Plain numbers,
 * such as -5 or +15145550123, stay as they are.
 */
export function withoutFormula(text: string): string {
  return NUMBER.test(text) ? text : text.replace(BEGINNING, "'");
}
