import type { TableView } from '../views.js';

/** Places of the columns to show: those named, in that order, else those that are not extra, or all. */
export function chooseColumns(
  view: TableView,
  wanted: readonly string[] | undefined,
  otherwise: 'usual' | 'all' = 'usual',
): number[] {
  const names = view.columns.map(({ name }) => name);
  // The flag has refused names that the command does not know.
  if (wanted !== undefined) return wanted.map((name) => names.indexOf(name)).filter((at) => at !== -1);
  return [...names.keys()].filter((at) => otherwise === 'all' || view.columns[at]?.extra === false);
}
