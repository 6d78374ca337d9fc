/** Contrast of text is at least 7:1, of lines and bars 3:1; nothing is told by colour alone. */
export const STYLE = `
:root { color-scheme: light; --ink: #1b1f24; --soft: #4a525c; --line: #767e88; --fill: #1f5f99; --paper: #fff; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 2rem 1.5rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; overflow-wrap: anywhere; }
header { border-bottom: 3px solid var(--ink); margin-bottom: 1.5rem; padding-bottom: 1rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.3rem; line-height: 1.3; margin: 2rem 0 .75rem; }
header p { color: var(--soft); margin: 0; }
footer { border-top: 1px solid var(--line); color: var(--soft); margin-top: 2.5rem; padding-top: 1rem; }
dl { display: grid; grid-template-columns: minmax(9rem, max-content) 1fr; gap: .35rem 1.5rem; margin: 0 0 1rem; }
dt { color: var(--soft); }
dd { margin: 0; }
table { border-collapse: collapse; margin: 0 0 1rem; width: 100%; }
caption { font-weight: 600; padding: .25rem 0 .5rem; text-align: left; }
th, td { border-bottom: 1px solid var(--line); min-width: 5ch; padding: .4rem .75rem .4rem 0; text-align: left; vertical-align: top; }
@media (min-width: 40rem) { th, td { min-width: 8ch; } }
thead th { border-bottom: 2px solid var(--ink); }
tbody th { font-weight: 500; }
.number { font-variant-numeric: tabular-nums; overflow-wrap: normal; padding-left: .75rem; text-align: right; }
.verdict { border: 2px solid; border-left-width: .6rem; border-radius: .25rem; font-weight: 600; margin: 0 0 1rem; padding: .6rem 1rem; }
.good { background: #eefaf1; border-color: #186a3b; }
.bad { background: #fdf0ef; border-color: #a3201a; }
.unknown { background: #fdf8e7; border-color: #7a5900; }
figure { margin: 0 0 1rem; }
figcaption { font-weight: 600; padding-bottom: .5rem; }
svg { display: block; height: auto; max-width: 100%; }
svg text { fill: var(--ink); font: 13px system-ui, "DejaVu Sans", sans-serif; }
.bar { fill: var(--fill); }
.curve { fill: none; stroke: var(--fill); stroke-width: 2.5; }
.axis { stroke: var(--line); stroke-width: 1; }
pre { background: #f3f5f7; border: 1px solid var(--line); border-radius: .25rem; margin: 0 0 1rem; padding: .75rem 1rem;
  white-space: pre-wrap; }
code, pre { font: .9rem/1.5 ui-monospace, "DejaVu Sans Mono", monospace; }
.label { font-weight: 600; margin: 0 0 .35rem; }
@media (max-width: 30rem) {
  body { padding: 1.25rem 1rem; }
  dl { grid-template-columns: minmax(7rem, max-content) 1fr; gap: .35rem 1rem; }
  table { font-size: .875rem; }
  th, td { padding-right: .35rem; }
  .number { padding-left: .35rem; }
  thead .number { overflow-wrap: anywhere; }
}
@media print {
  @page { margin: 18mm; }
  body { font-size: 10pt; max-width: none; padding: 0; }
  h2, caption, figcaption, .label { break-after: avoid; }
  th, td { min-width: 8ch; }
  p { orphans: 3; widows: 3; }
  tr, figure, .verdict { break-inside: avoid; }
  thead { display: table-header-group; }
  * { print-color-adjust: exact; }
}
`;
