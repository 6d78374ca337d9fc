import type { Outcome } from './outcome.js';
import {
  type Column,
  type Mark,
  type TableView,
  type TextView,
  type TreeNode,
  type TreeView,
  table,
  text,
  toned,
  tree,
} from './views.js';

interface Finding {
  readonly name: string;
  readonly level: 'ok' | 'info' | 'unknown' | 'warning' | 'error';
  readonly object: string | null;
  readonly detail: string;
  readonly remedy: string | null;
}

const MARKS: Readonly<Record<Finding['level'], Mark>> = {
  ok: 'good',
  info: 'none',
  unknown: 'unknown',
  warning: 'warn',
  error: 'bad',
};
const WORST_FIRST: readonly Finding['level'][] = ['error', 'warning', 'unknown', 'info'];

const TONES = { ok: 'good', info: 'muted', unknown: 'unknown', warning: 'warn', error: 'bad' } as const;

export const FINDING_COLUMNS: readonly Column<Finding>[] = [
  { name: 'check', value: ({ name }) => name },
  { name: 'level', value: ({ level }) => toned(TONES[level], level), keep: true },
  { name: 'object', value: ({ object }) => object },
  { name: 'detail', value: ({ detail }) => detail },
  { name: 'remedy', value: ({ remedy }) => remedy },
];

/** One row a finding, in the order of the checks. */
export function findingTable(findings: readonly Finding[]): TableView {
  return table(findings, FINDING_COLUMNS, 'Nothing was checked.');
}

/** What a check found: the worst first, each with what mends it; what is right folded into one line a check. */
export function findingTree(findings: readonly Finding[]): TreeView {
  const open = WORST_FIRST.flatMap((level) => findings.filter((one) => one.level === level));
  const right = findings.filter(({ level }) => level === 'ok');
  const names = [...new Set(right.map(({ name }) => name))];
  return tree(
    ...open.map(
      ({ name, level, object, detail, remedy }): TreeNode => ({
        text: object === null ? `${name}: ${detail}` : `${name}: ${object}: ${detail}`,
        mark: MARKS[level],
        ...(remedy === null ? {} : { children: [{ text: `mend: ${remedy}` }] }),
      }),
    ),
    ...names.map(
      (name): TreeNode => ({
        text: `${name}: ${folded(right.filter((one) => one.name === name))}`,
        mark: MARKS.ok,
      }),
    ),
  );
}

/** What findings come to: the verdict of the check, a line that says it, and the first command that mends something. */
export function summarise(findings: readonly Finding[]): {
  readonly verdict: Outcome['verdict'];
  readonly line: TextView;
  readonly next: string | undefined;
} {
  const wrong = findings.filter(({ level }) => level === 'error' || level === 'warning');
  const unknown = findings.filter(({ level }) => level === 'unknown').length;
  const couldNot = unknown === 0 ? '' : ` ${unknown} could not be checked.`;
  const next = wrong.find(({ remedy }) => remedy?.startsWith('nestctl '))?.remedy ?? undefined;
  if (wrong.length > 0) {
    const things = wrong.length === 1 ? 'thing is' : 'things are';
    return {
      verdict: 'finding',
      line: text(`${wrong.length} ${things} wrong.${couldNot}`, { mark: 'bad' }),
      next,
    };
  }
  if (unknown > 0) {
    return {
      verdict: 'partial',
      line: text(`Nothing wrong was found, but${couldNot}`, { mark: 'unknown' }),
      next,
    };
  }
  return { verdict: undefined, line: text('All is well.', { mark: 'good' }), next };
}

function folded(group: readonly Finding[]): string {
  const details = [...new Set(group.map(({ detail }) => detail))];
  return details
    .map((detail) => {
      const objects = group.flatMap((one) =>
        one.detail === detail && one.object !== null ? [one.object] : [],
      );
      return objects.length === 0 ? detail : `${objects.join(', ')}: ${detail}`;
    })
    .join('; ');
}
