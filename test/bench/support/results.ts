import { type Figure, type Finding, holds, type Report } from './figure.js';

export interface Measured {
  readonly figure: Figure;
  readonly report: Report;
}

export function findingLine(finding: Finding): string {
  const { limit } = finding;
  const bound = 'atMost' in limit ? `at most ${limit.atMost}` : `at least ${limit.atLeast}`;
  return `${holds(finding) ? '✓' : '✗'} ${finding.claim}: ${finding.ratio.toFixed(2)} × (${bound} ×); ${finding.behind}`;
}

/** RESULTS.md: one table a figure. */
export function renderResults(
  measured: readonly Measured[],
  about: { readonly date: string; readonly machine: string },
): string {
  const sections = measured.map(({ figure, report }) => {
    const rows = report.findings.map((finding) => {
      const { limit, claim, ratio, behind } = finding;
      const bound = 'atMost' in limit ? `≤ ${limit.atMost}` : `≥ ${limit.atLeast}`;
      return `| ${claim} | ${bound} | **${ratio.toFixed(2)}** ${holds(finding) ? '✓' : '✗'} | ${behind} |`;
    });
    const table = [
      '| ratio | promised | measured | behind it (medians) |',
      '|---|---|---|---|',
      ...rows,
    ].join('\n');
    return [`## ${figure.title}`, table, ...report.notes.map((note) => `- ${note}`)]
      .join('\n\n')
      .replaceAll('\n\n- ', '\n- ')
      .replace('|\n- ', '|\n\n- ');
  });
  return `# Results of \`npm run bench\`

Measured on ${about.date}: ${about.machine}.

Ratios are medians over rounds of one run, both sides of a ratio taken in turn; absolute times say little on a shared
machine. The server runs with fsync, full_page_writes, synchronous_commit and autovacuum off, so that what is
compared is work and not a disk.

${sections.join('\n\n')}
`;
}
