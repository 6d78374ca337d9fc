import type { StatementRun } from '../platform/database/connection.js';

const LONGEST = 72;

/** A statement on one line: its beginning, up to the first thing quoted, which could be a value; time and rows. */
export function describeStatement({ text, duration, rows }: StatementRun): string {
  const [beforeQuote = ''] = text.split(/['$]{1}(?!\d)/, 1);
  const line = beforeQuote.replace(/\s+/g, ' ').trim();
  const shown = line.length > LONGEST ? `${line.slice(0, LONGEST - 1)}…` : line;
  const result = rows === null ? 'failed' : `${rows} rows`;
  return `${shown || 'statement'}: ${duration.toFixed(1)} ms, ${result}`;
}
