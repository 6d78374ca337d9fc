import type { PolicyFacts, TableCommand, TableFacts } from './table-facts.js';

/** The row as it is, or as the command would leave it. */
export type Side = 'old' | 'new';

/** A policy's condition as one gate applies it. */
export interface Clause {
  readonly policy: PolicyFacts;
  readonly part: 'using' | 'check';
  readonly sql: string;
}

/**
 * One of the questions that PostgreSQL puts to a command: some permissive clause must be true, and every restrictive
 * one. Without a permissive clause nothing passes.
 */
export interface Gate {
  readonly command: TableCommand;
  readonly on: Side;
  readonly permissive: readonly Clause[];
  readonly restrictive: readonly Clause[];
}

export interface Form {
  readonly command: TableCommand;
  /**
   * Whether the statement reads the table: a WHERE or RETURNING that names its columns. Then the policies for
   * SELECT hold too, for the row as it was and as it becomes.
   */
  readonly reads: boolean;
}

/** The gates of a command, in the order in which PostgreSQL asks (get_row_security_policies of its rewriter). */
export function gatesOf(facts: TableFacts, { command, reads }: Form): Gate[] {
  const seen: Gate[] =
    command === 'select' || (reads && command !== 'insert') ? [gate(facts, 'select', 'old', 'using')] : [];
  const touched: Gate[] =
    command === 'update' || command === 'delete' ? [gate(facts, command, 'old', 'using')] : [];
  const written: Gate[] =
    command === 'insert' || command === 'update' ? [gate(facts, command, 'new', 'check')] : [];
  const returned: Gate[] = written.length > 0 && reads ? [gate(facts, 'select', 'new', 'using')] : [];
  return [...seen, ...touched, ...written, ...returned];
}

function gate(facts: TableFacts, command: TableCommand, on: Side, part: 'using' | 'check'): Gate {
  const clauses = facts.policies
    .filter((policy) => policy.for_role && (policy.command === 'all' || policy.command === command))
    .flatMap((policy) => clause(policy, part));
  return {
    command,
    on,
    permissive: clauses.filter(({ policy }) => policy.permissive),
    restrictive: clauses.filter(({ policy }) => !policy.permissive),
  };
}

/** USING stands in where a WITH CHECK is absent. A policy with neither says nothing. */
function clause(policy: PolicyFacts, part: 'using' | 'check'): Clause[] {
  if (part === 'check' && policy.check !== null) return [{ policy, part, sql: policy.check }];
  return policy.using === null ? [] : [{ policy, part: 'using', sql: policy.using }];
}

/** Why row security does not apply to the role, or undefined where it does. */
export function bypassOf(facts: TableFacts): string | undefined {
  if (!facts.row_security) return 'row level security is off';
  if (facts.superuser) return `${facts.role} is a superuser`;
  if (facts.bypassrls) return `${facts.role} has BYPASSRLS`;
  if (facts.owns && !facts.forced)
    return `${facts.role} owns the table, and row level security is not forced`;
  return undefined;
}
