import type { TableView } from '../views.js';
import { type Printed, printCell } from './cell.js';
import { chooseColumns } from './columns.js';
import { layOut } from './grid.js';
import type { Page } from './page.js';

/** Rows under headings. Piped they are whole; on a narrow terminal columns go from the right, never cells. */
export function renderTable(view: TableView, page: Page): string[] {
  const shown = chooseColumns(view, page.columns);
  if (view.rows.length === 0) return [page.paint('muted', view.empty)];
  const cells = view.rows.map((row) => row.map((cell) => printCell(cell, page.zone)));
  const hidden: string[] = [];
  for (;;) {
    const grid = draw(view, cells, shown, page);
    if (page.width === undefined || grid.width <= page.width) {
      if (hidden.length > 0)
        page.note(`not shown for want of width: ${hidden.reverse().join(', ')} (see --columns)`);
      return grid.lines;
    }
    const last = shown.findLastIndex((at, place) => place > 0 && view.columns[at]?.keep === false);
    // What was asked for by name is never left out.
    if (last === -1 || page.columns !== undefined)
      return drawRecords(view, cells, chooseColumns(view, page.columns), page);
    const [dropped = 0] = shown.splice(last, 1);
    hidden.push(view.columns[dropped]?.name ?? '');
  }
}

function draw(view: TableView, rows: readonly (readonly Printed[])[], shown: readonly number[], page: Page) {
  const head = shown.map((at) => page.paint('muted', (view.columns[at]?.name ?? '').toUpperCase()));
  const body = rows.map((row) => shown.map((at) => page.paint(row[at]?.tone, row[at]?.text ?? '')));
  return layOut(
    [head, ...body],
    shown.map((at) => view.columns[at]?.align ?? 'left'),
  );
}

/** One block a row, for a terminal too narrow for even the columns that must be seen. */
function drawRecords(
  view: TableView,
  rows: readonly (readonly Printed[])[],
  shown: readonly number[],
  page: Page,
) {
  return rows.flatMap((row, index) => [
    ...(index > 0 ? [''] : []),
    ...layOut(
      shown.map((at) => [
        page.paint('muted', view.columns[at]?.name ?? ''),
        page.paint(row[at]?.tone, row[at]?.text ?? ''),
      ]),
    ).lines,
  ]);
}
