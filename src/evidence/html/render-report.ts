import { createHash } from 'node:crypto';
import { drawChart } from './chart.js';
import { type Markup, markup, Markup as Raw } from './escape.js';
import type { Block, ChartBlock, Report, Section, TableBlock, Value, Words } from './report.js';
import { STYLE } from './style.js';
import { OURS, type Reader, writeValue } from './words.js';

/**
 * One HTML page, complete in itself: it asks for nothing from anywhere, runs nothing, and its own policy would let a
 * browser do neither.
 */
export function renderReport(report: Report, reader: Reader): string {
  const { language } = reader;
  const say = (words: Words) => words[language];
  const hash = createHash('sha256').update(STYLE).digest('base64');
  const policy = `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
  const page = markup`<!doctype html>
<html lang="${language}-CA">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="nestctl">
<title>${say(report.title)}</title>
<style>${new Raw(STYLE)}</style>
</head>
<body>
<header>
<h1>${say(report.title)}</h1>
${report.lead === undefined ? undefined : markup`<p>${say(report.lead)}</p>`}
</header>
<main>
${report.sections.map((section, at) => renderSection(section, `s${at + 1}`, reader))}</main>
<footer>
<p>${say(report.foot ?? OURS.report)}</p>
</footer>
</body>
</html>
`;
  return page.toString();
}

function renderSection({ heading, blocks }: Section, id: string, reader: Reader): Markup {
  return markup`<section aria-labelledby="${id}">
<h2 id="${id}">${heading[reader.language]}</h2>
${blocks.map((block, at) => markup`${renderBlock(block, `${id}-${at + 1}`, reader)}\n`)}</section>
`;
}

function renderBlock(block: Block, id: string, reader: Reader): Markup {
  const say = (words: Words) => words[reader.language];
  switch (block.kind) {
    case 'text':
      return markup`<p>${say(block.text)}</p>`;
    case 'verdict':
      // The word goes before the text: colour alone tells nothing.
      return markup`<p class="verdict ${block.verdict}">${say(OURS[block.verdict])}${reader.language === 'fr' ? '\u00a0' : ''}: ${say(block.text)}</p>`;
    case 'facts':
      return markup`<dl>${block.facts.map(
        ([label, value]) => markup`<dt>${say(label)}</dt><dd>${renderValue(value, reader)}</dd>\n`,
      )}</dl>`;
    case 'table':
      return renderTable(block, reader);
    case 'code':
      return markup`<p class="label" id="${id}">${say(block.label)}</p><pre aria-labelledby="${id}" role="group">${block.text}</pre>`;
    default:
      return renderChart(block, id, reader);
  }
}

function renderTable({ caption, columns, rows, empty }: TableBlock, reader: Reader): Markup {
  const say = (words: Words) => words[reader.language];
  if (rows.length === 0) return markup`<p class="label">${say(caption)}</p><p>${say(empty)}</p>`;
  const tone = (at: number) => (columns[at]?.align === 'right' ? markup` class="number"` : undefined);
  return markup`<table>
<caption>${say(caption)}</caption>
<thead><tr>${columns.map(({ heading }, at) => markup`<th scope="col"${tone(at)}>${say(heading)}</th>`)}</tr></thead>
<tbody>
${rows.map(
  (cells) =>
    markup`<tr>${cells.map((cell, at) =>
      at === 0
        ? markup`<th scope="row"${tone(at)}>${renderValue(cell, reader)}</th>`
        : markup`<td${tone(at)}>${renderValue(cell, reader)}</td>`,
    )}</tr>\n`,
)}</tbody>
</table>`;
}

function renderChart(chart: ChartBlock, id: string, reader: Reader): Markup {
  const { caption, axis, unit, points } = chart;
  return markup`<figure>
<figcaption>${caption[reader.language]}</figcaption>
${drawChart(chart, id, reader)}
</figure>
${renderTable(
  {
    kind: 'table',
    caption: { en: `${caption.en}: the values`, fr: `${caption.fr}\u00a0: les valeurs` },
    columns: [{ heading: axis }, { heading: unit, align: 'right' }],
    rows: points.map(({ label, value }) => [label, value]),
    empty: OURS.none,
  },
  reader,
)}`;
}

/** Data stands in isolation: what is written from right to left cannot reorder what is around it. */
function renderValue(value: Value, reader: Reader): Markup {
  const text = writeValue(value, reader);
  if (value instanceof Date) return markup`<time datetime="${value.toISOString()}">${text}</time>`;
  return typeof value === 'string' ? markup`<bdi>${text}</bdi>` : markup`${text}`;
}
