import { formatInstant } from '../platform/zone.js';
import { type Mark, type TreeNode, text, tree, type View } from './views.js';

interface Step {
  readonly kind: string;
  readonly text: string;
  readonly value: boolean | null | 'unknown';
  readonly note: string | null;
  readonly fact: string | null;
  readonly missing: boolean;
  readonly steps: readonly Step[];
}

interface Count {
  readonly family: { readonly id: string; readonly name: string } | null;
  readonly rows: number;
  readonly open: number;
  readonly cut: { readonly policy: string; readonly text: string; readonly holds: number } | null;
}

/** What is shown of an explanation. */
interface Explanation {
  readonly verdict: 'allowed' | 'denied' | 'some' | 'unknown';
  readonly at: Date | null;
  readonly counts: readonly Count[];
  readonly command: string;
  readonly table: string;
  readonly role: string;
  readonly row: Readonly<Record<string, unknown>> | null;
  readonly membership: {
    readonly role: string;
    readonly status: string;
    readonly joined_at: string | null;
  } | null;
  readonly family: { readonly id: string; readonly name: string } | null;
  readonly steps: readonly Step[];
  readonly missing: readonly { readonly would: string }[];
  readonly mend: readonly { readonly command: string | null; readonly who: string | null }[];
  readonly notes: readonly string[];
}

/** Whether somebody may, the steps of it as a tree, what is missing and what mends it. */
export function explanationViews(named: string, explanation: Explanation, zone = 'UTC'): View[] {
  const { verdict, command, table, row, steps, missing, mend, notes, at, counts } = explanation;
  const gates = steps.filter(({ kind }) => kind === 'gate').length;
  const verb = (at === null ? NOW : THEN)[verdict];
  const which = row === null ? '' : ` ${Object.values(row).at(-1)}`;
  return [
    text(
      `${named} ${verb} ${command.toUpperCase()} ${table}${which}${at === null ? '' : ` at ${formatInstant(at, zone)}`}`,
      { mark: MARKS[verdict] },
    ),
    tree({
      text: circumstances(explanation),
      children: steps.flatMap((step) => topNodes(step, gates === 1)),
    }),
    ...counts.flatMap((count) => countViews(count, command, table)),
    ...(missing.length === 0
      ? []
      : [
          text(
            `would ${at === null ? 'be' : 'have been'} ${command === 'select' ? 'visible' : 'allowed'} if ${missing.map(({ would }) => would).join(', and ')}`,
          ),
        ]),
    ...mend.flatMap(({ command, who }) =>
      command === null ? (who === null ? [] : [text(`mend: ${who}`)]) : [text(`mend: ${command}`)],
    ),
    ...notes.map((note) => text(note, { tone: 'muted' })),
  ];
}

const MARKS = { allowed: 'good', denied: 'bad', some: 'warn', unknown: 'unknown' } as const;
const NOW = { allowed: 'can', denied: 'cannot', some: 'can for some rows', unknown: 'can perhaps' };
const THEN = { allowed: 'could', denied: 'could not', some: 'could for some rows', unknown: 'could perhaps' };
const DOES: Readonly<Record<string, string>> = { select: 'sees', update: 'may change', delete: 'may delete' };

function countViews({ family, rows, open, cut }: Count, command: string, table: string): View[] {
  const where = family === null ? 'of their own' : `of the family ${family.name} ${family.id}`;
  return [
    text(`${DOES[command] ?? command} ${open} of ${rows} rows of ${table} ${where}`),
    ...(cut === null
      ? []
      : [text(`most are cut by ${cut.policy}: ${cut.text} holds for ${cut.holds} of ${rows}`)]),
  ];
}

/** Whose row it is and what the person is to them. */
function circumstances({ membership, family, role, table }: Explanation): string {
  if (family === null) return `role ${role} · table ${table}`;
  const facts =
    membership == null
      ? 'no member'
      : `role ${membership.role} · ${membership.status}${membership.joined_at === null ? '' : ` since ${membership.joined_at.slice(0, 10)}`}`;
  return `family ${family.name} ${family.id} · ${facts}`;
}

function markOf(step: Step): Mark {
  if (step.value === 'unknown') return 'unknown';
  return step.value === true ? 'good' : 'bad';
}

function node(step: Step, children: readonly TreeNode[] = [], label = step.text): TreeNode {
  const note = step.missing ? 'the smallest missing fact' : (step.note ?? undefined);
  return {
    text: label,
    mark: markOf(step),
    ...(note === undefined ? {} : { note }),
    ...(children.length === 0 ? {} : { children }),
  };
}

/** `only`: there is one gate, which goes without saying. */
function topNodes(step: Step, only: boolean): TreeNode[] {
  switch (step.kind) {
    case 'privilege':
      // Of the schema only where it is lacking.
      return step.fact === 'privilege:schema' && step.value === true
        ? []
        : [node(step, [], `grant  ${step.text}`)];
    case 'row_security':
      return [node(step, [], `RLS    ${step.text}`)];
    case 'gate':
      return only ? step.steps.map(policyNode) : [node(step, step.steps.map(policyNode))];
    default:
      return [policyNode(step)];
  }
}

function policyNode(step: Step): TreeNode {
  return step.kind === 'policy' ? node(step, conditionNodes(step)) : node(step);
}

/**
 * What a policy asks, as short as it can be said: where the membership alone decides, its facts in a list; else the
 * conditions as they nest.
 */
function conditionNodes(policy: Step): TreeNode[] {
  const all = stepsBelow(policy);
  const missing = all.filter((step) => step.missing);
  const byMembership =
    missing.length > 0 ? missing.every((step) => step.kind === 'fact') : policy.value === true;
  const facts = all.filter((step) => step.kind === 'fact');
  if (
    facts.length > 0 &&
    byMembership &&
    (missing.length > 0 || all.every((step) => step.kind !== 'test' || step.steps.length > 0))
  ) {
    return factList(facts);
  }
  return policy.steps.flatMap(nested);
}

function nested(step: Step): TreeNode[] {
  if (step.kind === 'fact' || step.steps.length === 0) return [node(step)];
  if (step.kind !== 'test') return [node(step, step.steps.flatMap(nested))];
  // Inside of a helper, or of what is asked of other rows: down to the first that fails.
  if (step.steps.every(({ kind }) => kind !== 'fact'))
    return [node(step, step.value === true ? [] : partNodes(step.steps))];
  return [node(step, step.value === true ? [] : factList(step.steps.filter((fact) => fact.value !== true)))];
}

function partNodes(steps: readonly Step[]): TreeNode[] {
  const failing = steps.findIndex(({ kind, value }) => kind === 'part' && value !== true);
  return (failing === -1 ? steps : steps.slice(0, failing + 1)).flatMap(nested);
}

/** Each fact once; one that holds for some condition stands as holding. */
function factList(facts: readonly Step[]): TreeNode[] {
  const shown = new Map<string, Step>();
  for (const fact of facts) {
    const before = shown.get(fact.text);
    if (before === undefined || (before.value !== true && !before.missing && fact.value === true))
      shown.set(fact.text, fact);
  }
  const listed = [...shown.values()].reverse();
  const failing = listed.some((fact) => fact.value !== true);
  // Beside what fails, only what the role gives says something.
  return listed
    .filter((fact) => !failing || fact.value !== true || isPermission(fact))
    .map((fact) => node(fact));
}

function isPermission({ fact }: Step): boolean {
  return fact?.startsWith('permission:') === true;
}

function stepsBelow(step: Step): Step[] {
  return step.steps.flatMap((one) => [one, ...stepsBelow(one)]);
}
