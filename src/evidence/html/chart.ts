import { type Markup, markup } from './escape.js';
import type { ChartBlock } from './report.js';
import { type Reader, writeValue } from './words.js';

const WIDTH = 720;

/**
 * A chart as inline SVG. What it shows is in the table that goes with it; a screen reader is told so by the names
 * of extremes, and is not walked through shapes.
 */
export function drawChart(chart: ChartBlock, id: string, reader: Reader): Markup {
  const drawn = chart.kind === 'bars' ? drawBars(chart, reader) : drawLine(chart, reader);
  return markup`<svg role="img" aria-labelledby="${id}-title ${id}-summary" viewBox="0 0 ${WIDTH} ${drawn.height}" width="${WIDTH}" height="${drawn.height}"><title id="${id}-title">${chart.caption[reader.language]}</title><desc id="${id}-summary">${summary(chart, reader)}</desc>${drawn.shapes}</svg>`;
}

function drawBars({ points }: ChartBlock, reader: Reader): { shapes: Markup[]; height: number } {
  const row = 30;
  const left = 200;
  const widest = WIDTH - left - 90;
  const most = Math.max(...points.map(({ value }) => value), 0);
  const shapes = points.map(({ label, value }, at) => {
    const width = most > 0 ? Math.max(0, (value / most) * widest) : 0;
    const y = at * row;
    return markup`<text x="${left - 10}" y="${y + 20}" text-anchor="end">${shortened(label)}</text><rect class="bar" x="${left}" y="${y + 5}" width="${width.toFixed(1)}" height="${row - 10}"/><text x="${(left + width + 8).toFixed(1)}" y="${y + 20}">${writeValue(value, reader)}</text>`;
  });
  return { shapes, height: Math.max(1, points.length) * row };
}

function drawLine({ points }: ChartBlock, reader: Reader): { shapes: Markup[]; height: number } {
  const height = 240;
  const [left, right, top, bottom] = [80, WIDTH - 40, 20, 190];
  const values = points.map(({ value }) => value);
  const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
  const x = (at: number) => (points.length < 2 ? left : left + ((right - left) * at) / (points.length - 1));
  const y = (value: number) =>
    high === low ? bottom : bottom - ((bottom - top) * (value - low)) / (high - low);
  const path = points.map(({ value }, at) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
  const [first, last] = [points[0], points.at(-1)];
  return {
    height,
    shapes: [
      markup`<line class="axis" x1="${left}" y1="${bottom}" x2="${right}" y2="${bottom}"/><line class="axis" x1="${left}" y1="${top}" x2="${left}" y2="${bottom}"/>`,
      markup`<text x="${left - 8}" y="${top + 5}" text-anchor="end">${writeValue(high, reader)}</text><text x="${left - 8}" y="${bottom + 5}" text-anchor="end">${writeValue(low, reader)}</text>`,
      markup`<polyline class="curve" points="${path}"/>`,
      ...points.map(
        ({ value }, at) =>
          markup`<circle class="bar" cx="${x(at).toFixed(1)}" cy="${y(value).toFixed(1)}" r="3.5"/>`,
      ),
      markup`<text x="${left}" y="${bottom + 25}">${shortened(first?.label ?? '')}</text>`,
      ...(points.length < 2
        ? []
        : [
            markup`<text x="${right}" y="${bottom + 25}" text-anchor="end">${shortened(last?.label ?? '')}</text>`,
          ]),
    ],
  };
}

function summary({ points, unit, axis }: ChartBlock, reader: Reader): string {
  const { language } = reader;
  const sorted = [...points].sort((a, b) => a.value - b.value);
  const [least, most] = [sorted[0], sorted.at(-1)];
  const count = writeValue(points.length, reader);
  const head = `${axis[language]}, ${unit[language]}: ${count}.`;
  if (least === undefined || most === undefined) return head;
  const extremes = `${shortened(least.label)} ${writeValue(least.value, reader)}, ${shortened(most.label)} ${writeValue(most.value, reader)}`;
  return language === 'fr'
    ? `${head} Minimum et maximum : ${extremes}. Le tableau suivant donne toutes les valeurs.`
    : `${head} Least and most: ${extremes}. The table that follows has all values.`;
}

function shortened(label: string): string {
  const characters = [...label];
  return characters.length > 24 ? `${characters.slice(0, 23).join('')}…` : label;
}
