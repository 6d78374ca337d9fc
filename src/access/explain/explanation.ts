import { type Change, smallestChange, type World, worldOf } from './fact.js';
import type { MembershipFacts } from './membership.js';
import type { Mend } from './mend.js';
import type { Question } from './question.js';
import { anyBroken, culprits, type ExplainedStep, explained, factsOf, type Step } from './step.js';
import type { TableCommand } from './table-facts.js';
import { allOf } from './truth.js';

/** `some`: no row was named, and of those that were counted they may for some. */
export type Verdict = 'allowed' | 'denied' | 'some' | 'unknown';

export interface MissingFact {
  /** A stable name, such as `membership.expiry`. */
  readonly fact: string;
  /** How it is. */
  readonly is: string;
  /** How it would have to be, in words that follow "if". */
  readonly would: string;
}

/** Why somebody may or may not do something; plain data, the same shape for every question. */
export interface Explanation {
  readonly verdict: Verdict;
  readonly command: TableCommand;
  readonly table: string;
  readonly role: string;
  /** The person in the claims; null where none was named. */
  readonly person: string | null;
  /** The key asked for; null where no row was. */
  readonly row: Readonly<Record<string, unknown>> | null;
  /** Whether the statement was also run as the person, or the policies were only evaluated. */
  /** The past moment that was asked about; null for now. */
  readonly at: Date | null;
  readonly decided_by: 'evaluation' | 'evaluation and reading' | 'evaluation and trying';
  readonly membership: NonNullable<MembershipFacts['membership']> | null;
  readonly family: { readonly id: string; readonly name: string } | null;
  /** All of these must be true. */
  readonly steps: readonly ExplainedStep[];
  /** Where no row was named: how many rows there are, for how many they may, and what cuts the most. */
  readonly counts: readonly RowCount[];
  /** The smallest set of facts that would turn a denial; empty where allowed, or where none was found. */
  readonly missing: readonly MissingFact[];
  /** What turns a denial: commands, or who may where support may not. */
  readonly mend: readonly Mend[];
  /** What was not looked at: triggers that may change or refuse a row, and the like. */
  readonly notes: readonly string[];
}

/** The rows of one family, or of the person where the table belongs to people. */
export interface RowCount {
  readonly family: { readonly id: string; readonly name: string } | null;
  readonly rows: number;
  /** For how many of them they may. */
  readonly open: number;
  /** The part of a policy that most of the others fail at; null where they may for all. */
  readonly cut: {
    readonly policy: string;
    readonly text: string;
    readonly sql: string;
    readonly holds: number;
  } | null;
}

export interface Decision {
  readonly verdict: Verdict;
  readonly steps: readonly ExplainedStep[];
  readonly changes: readonly Change[];
}

/** What the steps come to together. SQL's null lets nothing pass. */
export function decide(steps: readonly Step[]): Decision {
  const facts = factsOf(steps);
  const together = (world: World) => allOf(steps.map((step) => step.truth(world)));
  const blamed = (world: World) => {
    const failing = steps.find((step) => step.truth(world) !== true);
    return failing === undefined ? [] : culprits(failing, world, true);
  };
  const truth = together(worldOf(facts));
  // In which order conditions are evaluated is PostgreSQL's own affair: one that fails may end a command that others allow.
  const sure = truth === true && !anyBroken(steps);
  const verdict = sure ? 'allowed' : truth === 'unknown' || truth === true ? 'unknown' : 'denied';
  const changes = verdict === 'denied' ? (smallestChange(facts, together, blamed) ?? []) : [];
  return { verdict, changes, steps: explained(steps, new Set(changes.map(({ fact }) => fact.key))) };
}

/** What stands beside the policies and may still change or refuse what they let pass. */
export function notesOn({ facts, asked, bypass }: Question): string[] {
  const before = facts.triggers
    .filter((trigger) => trigger.before && trigger.command === asked.command)
    .map(({ name }) => name);
  const writes = asked.command !== 'select';
  return [
    ...(writes ? ['The policies were evaluated; nothing was written. Constraints were not asked.'] : []),
    ...(writes && before.length > 0
      ? [`Triggers may still change or refuse the row: ${before.join(', ')}.`]
      : []),
    ...(asked.command === 'update' && asked.values === undefined && bypass === undefined
      ? ['Without --values the row is taken to stay as it is.']
      : []),
  ];
}

/** Changes as plain data. */
export function missingFacts(changes: readonly Change[]): MissingFact[] {
  return changes.map(({ fact, would }) => ({ fact: fact.key, is: fact.text, would }));
}

/** As people write it: with its schema where that is not public. */
export function tableName({ schema, table }: Question['facts']): string {
  return schema === 'public' ? table : `${schema}.${table}`;
}
