import { safeText } from '../safe-text.js';
import type { DetailsView, TextView, View } from '../views.js';
import { renderBars } from './bars.js';
import { printCell, printMark } from './cell.js';
import { layOut } from './grid.js';
import type { Page } from './page.js';
import { renderTable } from './table.js';
import { renderTree } from './tree.js';

/** Views as the text of a screen, one after the other. */
export function render(view: View | readonly View[], page: Page): string {
  const views = Array.isArray(view) ? (view as readonly View[]) : [view as View];
  return views.flatMap((each) => lines(each, page).map((line) => `${line}\n`)).join('');
}

function lines(view: View, page: Page): string[] {
  switch (view.kind) {
    case 'table':
      return renderTable(view, page);
    case 'details':
      return renderDetails(view, page);
    case 'tree':
      return renderTree(view, page);
    case 'bars':
      return renderBars(view, page);
    case 'heading':
      return ['', page.paint('strong', safeText(view.text))];
    case 'text':
      return [renderText(view, page)];
  }
}

function renderDetails(view: DetailsView, page: Page): string[] {
  return layOut(
    view.entries.map(([label, cell]) => {
      const { text, tone } = printCell(cell, page.zone);
      return [page.paint('muted', safeText(label)), page.paint(tone, text)];
    }),
  ).lines;
}

function renderText(view: TextView, page: Page): string {
  const line = page.paint(view.tone, safeText(view.text));
  if (view.mark === undefined) return line;
  const mark = printMark(view.mark);
  return `${page.paint(mark.tone, mark.text)} ${line}`;
}
