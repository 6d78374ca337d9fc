import { safeJson, safeText, withoutControls } from '../safe-text.js';
import type { Raw, TableView } from '../views.js';
import { chooseColumns } from './columns.js';
import { withoutFormula } from './formula.js';

/** One JSON object a row and a line, with the names of the columns as keys. Nothing is lost. */
export function renderNdjson(view: TableView, columns: readonly string[] | undefined): string {
  const shown = chooseColumns(view, columns, 'all');
  return view.raw
    .map((row) => Object.fromEntries(shown.map((at) => [view.columns[at]?.name, row[at] ?? null])))
    .map((row) => `${safeJson(row)}\n`)
    .join('');
}

/**
 * RFC 4180: a header, CRLF, quotes where they are needed. Made for spreadsheets: formulas are disarmed and control
 * characters but for tabs and line ends shown as pictures, so whoever needs every byte takes JSON. On a terminal a
 * row is a line, and nothing reorders it.
 */
export async function renderCsv(
  view: TableView,
  columns: readonly string[] | undefined,
  { onTerminal }: { readonly onTerminal: boolean },
): Promise<string> {
  const { stringify } = await import('csv-stringify/sync');
  const shown = chooseColumns(view, columns, 'all');
  const head = shown.map((at) => view.columns[at]?.name ?? '');
  const body = view.raw.map((row) =>
    shown.map((at) => csvCell(row[at], onTerminal ? safeText : withoutControls)),
  );
  return stringify([head, ...body], { record_delimiter: 'windows' });
}

function csvCell(value: Raw, harmless: (text: string) => string): string {
  if (value === null || value === undefined) return '';
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'string') return withoutFormula(harmless(value));
  if (typeof value === 'object') return safeJson(value);
  return String(value);
}
