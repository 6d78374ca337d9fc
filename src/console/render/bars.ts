import { safeText } from '../safe-text.js';
import type { BarsView } from '../views.js';
import { layOut } from './grid.js';
import type { Page } from './page.js';

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
const LONGEST = 40;
const SHORTEST = 8;

/** A bar chart on its side, to the largest value; the numbers stand beside, so nothing is read off colour alone. */
export function renderBars(view: BarsView, page: Page): string[] {
  const largest = Math.max(0, ...view.bars.map(({ value }) => value));
  const rows = view.bars.map(({ label, value, text }) => [safeText(label), safeText(text ?? String(value))]);
  const beside = layOut(rows.map((row) => [...row, ''])).width;
  const room =
    page.width === undefined ? LONGEST : Math.min(LONGEST, Math.max(SHORTEST, page.width - beside));
  return layOut(
    view.bars.map(({ value }, at) => {
      const [label = '', number = ''] = rows[at] ?? [];
      const length = largest > 0 ? Math.round((Math.max(0, value) / largest) * room * 8) : 0;
      const bar = '█'.repeat(Math.floor(length / 8)) + (EIGHTHS[length % 8] ?? '');
      return [label, number, page.paint('good', bar)];
    }),
    ['left', 'right', 'left'],
  ).lines;
}
