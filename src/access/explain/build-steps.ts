import { type Condition, combine } from './condition.js';
import { type Fact, worldOf } from './fact.js';
import type { Clause, Gate, Side } from './gates.js';
import { type MembershipFacts, wantedBy } from './membership.js';
import { membershipFacts, membershipTruth } from './membership-steps.js';
import { phraseOf } from './phrases.js';
import { privilegeSteps } from './privileges.js';
import type { Question } from './question.js';
import { factStep, factsOf, type Step } from './step.js';
import type { Inside } from './take-apart.js';
import { allOf, anyOf, type Truth } from './truth.js';

/** What the database said of the tests. A test without an answer was not evaluated. */
export interface Answers {
  readonly old: ReadonlyMap<string, Answer>;
  readonly new: ReadonlyMap<string, Answer>;
  readonly membership: MembershipFacts | undefined;
  /** What tests hold inside, where that was looked into; the answers to it are among the others. */
  readonly insides?: ReadonlyMap<string, Inside> | undefined;
}

export interface Answer {
  readonly value: Truth;
  /** Why it is unknown. */
  readonly note?: string | undefined;
  /** Set where evaluating it is an error, which the command itself may meet too. */
  readonly broken?: boolean;
}

/** What the database says of each test: its truth, or the code of the error that evaluating it met. */
export function answersTo(tests: readonly string[], said: readonly string[]): Map<string, Answer> {
  const truths: Readonly<Record<string, Answer>> = {
    true: { value: true },
    false: { value: false },
    null: { value: null },
  };
  return new Map(
    said.map((word, at) => [
      tests[at] as string,
      truths[word] ?? {
        value: 'unknown',
        note: `it could not be evaluated (SQLSTATE ${word})`,
        broken: true,
      },
    ]),
  );
}

const PLAIN_COST = 5;
const POLICY_COST = 9;

/** The whole decision as steps, all of which must come to true. */
export function buildSteps(question: Question, answers: Answers): Step[] {
  const { facts, bypass, gates } = question;
  const applying = new Set(
    gates.flatMap(({ permissive, restrictive }) =>
      [...permissive, ...restrictive].map(({ policy }) => policy.name),
    ),
  ).size;
  const security: Step = {
    kind: 'row_security',
    text:
      bypass ??
      `row level security enabled${facts.forced ? ' and forced' : ''}, ${applying} of ${facts.policies.length} policies apply`,
    truth: () => true,
    steps: [],
  };
  return [...privilegeSteps(question), security, ...gates.map((gate) => gateStep(gate, question, answers))];
}

function gateStep(gate: Gate, question: Question, answers: Answers): Step {
  const { permissive, restrictive, command, on } = gate;
  const policies = (clauses: readonly Clause[]) =>
    clauses.map((clause) => policyStep(clause, on, question, answers));
  const some = permissive.length === 0 ? [noPolicy(gate, question)] : policies(permissive);
  const every = policies(restrictive);
  return {
    kind: 'gate',
    text: GATES[on === 'new' && command === 'select' ? 'returned' : command],
    steps: [...some, ...every],
    permissive: some.length,
    truth: (world) =>
      allOf([anyOf(some.map((step) => step.truth(world))), ...every.map((step) => step.truth(world))]),
  };
}

const GATES = {
  select: 'the row may be seen',
  insert: 'the new row may be written',
  update: 'the row may be changed, and to this',
  delete: 'the row may be deleted',
  returned: 'the row as written may be seen',
} as const;

function noPolicy({ command }: Gate, { facts }: Question): Step {
  const upper = command.toUpperCase();
  const fact: Fact = {
    key: `policy:${command}`,
    value: false,
    text: `no permissive policy lets ${facts.role} ${upper} in ${facts.table}: nobody under this role may`,
    changes: [{ to: true, would: `a policy of ${facts.table} let ${facts.role} ${upper}` }],
    cost: POLICY_COST,
  };
  return factStep(fact);
}

function policyStep({ policy, sql }: Clause, on: Side, question: Question, answers: Answers): Step {
  const condition = question.conditions.get(sql) as Condition;
  const whole = conditionStep(condition, on, answers);
  return {
    kind: 'policy',
    text: policy.permissive ? policy.name : `${policy.name} (restrictive)`,
    sql,
    steps: [whole],
    truth: whole.truth,
  };
}

/** `turned`: inside a NOT or CASE, where it may be what is true that stands in the way. */
function conditionStep(condition: Condition, on: Side, answers: Answers, turned = false): Step {
  if (condition.kind === 'test') return testStep(condition, on, answers, turned);
  const { kind, sql } = condition;
  const steps = condition.parts.map((part) =>
    conditionStep(part, on, answers, turned || kind === 'not' || kind === 'case'),
  );
  return {
    kind,
    text: { all: 'all of', any: 'any of', not: 'not', case: 'the first that holds of' }[kind],
    sql,
    steps,
    truth: (world) =>
      combine(
        kind,
        steps.map((step) => step.truth(world)),
      ),
  };
}

function testStep(test: Condition, on: Side, answers: Answers, turned: boolean): Step {
  const answer: Answer = answers[on].get(test.sql) ?? { value: 'unknown', note: 'it depends on the row' };
  const phrase = phraseOf(test);
  const wanted = wantedBy(test);
  if (wanted !== undefined && answers.membership?.family != null) {
    const facts = membershipFacts(answers.membership, wanted);
    const steps = facts.map((fact) =>
      factStep(fact, (value) => membershipTruth([fact], wanted, () => value)),
    );
    const truth: Step['truth'] = (world) =>
      membershipTruth(facts, wanted, (fact) => world.get(fact.key) ?? fact.value);
    // Where the helper says otherwise than its facts, the facts explain nothing, and only its answer counts.
    if (answer.value === 'unknown' || truth(new Map()) === (answer.value === true)) {
      return { kind: 'test', text: phrase.text, sql: test.sql, steps, truth };
    }
  }
  const inside = insideSteps(test, on, answers, turned, answer);
  if (inside?.kind === 'helper')
    return { kind: 'test', text: phrase.text, sql: test.sql, steps: [inside.step], truth: inside.step.truth };
  const is = answer.value;
  const fact: Fact = {
    key: `${on}:${test.sql}`,
    value: is,
    text:
      is === true || is === 'unknown'
        ? phrase.text
        : is === null
          ? `${phrase.text}: neither true nor false`
          : `not so: ${phrase.text}`,
    changes: is === 'unknown' ? [] : changes(is, turned, phrase.would),
    cost: phrase.cost ?? PLAIN_COST,
  };
  return {
    ...factStep(fact, undefined, 'test'),
    sql: test.sql,
    ...(inside?.kind === 'exists' ? { steps: inside.steps } : {}),
    ...noteOf(answer.note ?? (inside?.kind === 'whole' ? inside.why : undefined)),
    ...(answer.broken === true ? { broken: true } : {}),
  };
}

type InsideSteps =
  | { readonly kind: 'helper'; readonly step: Step }
  | { readonly kind: 'exists'; readonly steps: readonly Step[] }
  | { readonly kind: 'whole'; readonly why: string };

/** What a test holds inside, as steps; nothing where they do not come to what the test does. */
function insideSteps(
  test: Condition,
  on: Side,
  answers: Answers,
  turned: boolean,
  answer: Answer,
): InsideSteps | undefined {
  const inside = answers.insides?.get(test.sql);
  if (inside === undefined || inside.kind === 'whole') return inside;
  const whole = { kind: 'whole', why: 'evaluated as a whole' } as const;
  if (inside.kind === 'helper') {
    // Not one call deeper: what was evaluated is the body as it stands.
    const step = conditionStep(inside.condition, on, { ...answers, insides: undefined }, turned);
    const is = step.truth(worldOf(factsOf([step])));
    return is === answer.value && is !== 'unknown' ? { kind: 'helper', step } : whole;
  }
  const parts = inside.asked.map(({ text, sql }): Step => {
    const value = answers[on].get(sql)?.value ?? 'unknown';
    return { kind: 'part', text, sql, steps: [], truth: () => value };
  });
  return parts.at(-1)?.truth(new Map()) === answer.value ? { kind: 'exists', steps: parts } : whole;
}

function noteOf(note: string | undefined): { readonly note?: string } {
  return note === undefined ? {} : { note };
}

/** Inside a NOT or CASE either value may be what is missing; elsewhere only the true one. */
function changes(is: true | false | null, turned: boolean, would: string): Fact['changes'] {
  const could = [
    { to: true, would },
    { to: false, would: `it were not so that ${would}` },
  ];
  return could.filter(({ to }) => to !== is && (to || turned));
}
