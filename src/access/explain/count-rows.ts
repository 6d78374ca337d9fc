import sql from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import type { Condition } from './condition.js';
import type { RowCount } from './explanation.js';
import type { Clause, Gate } from './gates.js';
import { phraseOf } from './phrases.js';
import type { Question } from './question.js';

/** Families counted at most: somebody who is in more is an institution, and is asked about one with --family. */
const FAMILIES = 10;

interface Counted {
  readonly rows: number;
  readonly open: number;
  /** Of the conditions asked about, in their order. */
  readonly holds: readonly number[];
}

/** How many rows of the table there are in a family, or in each that is open, and for how many the person may. */
export async function countRows(
  session: Session,
  id: string,
  question: Question,
  { person, family }: { readonly person: string; readonly family: string | undefined },
): Promise<RowCount[]> {
  const conditions = [
    ...new Set(
      rowGates(question)
        .flatMap(({ permissive, restrictive }) => [...permissive, ...restrictive])
        .flatMap(({ sql: text }) => partsOf(question.conditions.get(text))),
    ),
  ];
  const families = await session.query<{ id: string; name: string; of_families: boolean }>(sql`
    select f.id, f.name, true as of_families from public.families f
    where case when ${family ?? null}::uuid is null
      then f.id in (select m.family_id from public.family_members m where m.user_id = ${person}) else f.id = ${family ?? null} end
    order by f.name, f.id limit ${FAMILIES}`);
  const scopes = ofFamilies(question) ? families : [undefined];
  const counts: RowCount[] = [];
  for (const scope of scopes) {
    const { counted } = await session.transaction(
      () =>
        session.one<{ counted: Counted }>(
          sql`select ops.explain_counts(${id}, ${scope?.id ?? null}, ${conditions}) as counted`,
        ),
      { readOnly: true },
    );
    const { rows, open, holds } = counted;
    const held = new Map(conditions.map((condition, at) => [condition, holds[at] ?? 0]));
    counts.push({
      family: scope === undefined ? null : { id: scope.id, name: scope.name },
      rows,
      open,
      cut: open === rows ? null : cutOf(question, held),
    });
  }
  return counts;
}

/** What counts come to together; undefined where there was nothing to count. */
export function verdictOf(counts: readonly RowCount[]): 'allowed' | 'denied' | 'some' | undefined {
  const [rows, open] = [sum(counts.map((count) => count.rows)), sum(counts.map((count) => count.open))];
  if (rows === 0) return undefined;
  return open === 0 ? 'denied' : open === rows ? 'allowed' : 'some';
}

/** The gates that are asked of rows that are there. */
function rowGates({ gates }: Question): Gate[] {
  return gates.filter(({ on }) => on === 'old');
}

function ofFamilies({ facts }: Question): boolean {
  return facts.table === 'families' || facts.columns.some(({ name }) => name === 'family_id');
}

function partsOf(condition: Condition | undefined): string[] {
  return condition === undefined ? [] : [condition.sql, ...condition.parts.flatMap(partsOf)];
}

/**
 * Down from what most rows fail at: of permissive policies the one that lets the most through, of a restrictive one,
 * an AND the part that lets the fewest, of an OR the one that lets the most.
 */
function cutOf(question: Question, held: ReadonlyMap<string, number>): RowCount['cut'] {
  const holds = ({ sql: text }: Clause) => held.get(question.conditions.get(text)?.sql ?? '') ?? 0;
  const sorted = (clauses: readonly Clause[]) => clauses.toSorted((one, other) => holds(one) - holds(other));
  // Of permissive ones the widest stands for all.
  const asked = rowGates(question).flatMap(({ permissive, restrictive }) => [
    ...sorted(permissive).slice(-1),
    ...restrictive,
  ]);
  const [clause] = sorted(asked);
  const condition = clause === undefined ? undefined : question.conditions.get(clause.sql);
  if (clause === undefined || condition === undefined) return null;
  const test = narrowest(condition, held);
  return {
    policy: clause.policy.name,
    text: phraseOf(test).text,
    sql: test.sql,
    holds: held.get(test.sql) ?? 0,
  };
}

function narrowest(condition: Condition, held: ReadonlyMap<string, number>): Condition {
  if (condition.kind !== 'all' && condition.kind !== 'any') return condition;
  const parts = condition.parts.toSorted(
    (one, other) => (held.get(one.sql) ?? 0) - (held.get(other.sql) ?? 0),
  );
  const next = condition.kind === 'all' ? parts[0] : parts.at(-1);
  return next === undefined ? condition : narrowest(next, held);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
