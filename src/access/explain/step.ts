import type { Fact, Value, World } from './fact.js';
import { worldOf } from './fact.js';
import type { Truth } from './truth.js';

export type StepKind =
  | 'privilege'
  | 'row_security'
  | 'gate'
  | 'policy'
  | 'all'
  | 'any'
  | 'not'
  | 'case'
  | 'test'
  /** Of what a test asks of other rows: shown, and decided by the test. */
  | 'part'
  | 'fact';

/** A part of a decision while it is being made: what it comes to depends on the world. */
export interface Step {
  readonly kind: StepKind;
  readonly text: string;
  readonly truth: (world: World) => Truth;
  readonly steps: readonly Step[];
  /** The policy's own text. */
  readonly sql?: string;
  /** The fact that the step itself is. */
  readonly fact?: Fact;
  /** In a gate: so many of its first steps are permissive, of which one must be true; of the rest all must. */
  readonly permissive?: number;
  /** Evaluating it is an error, which the command itself may meet too. */
  readonly broken?: boolean;
  /** A remark, such as why something could not be evaluated. */
  readonly note?: string;
}

/** A part of a decision as it was made: plain data, the same shape at every depth. */
export interface ExplainedStep {
  readonly kind: StepKind;
  readonly text: string;
  readonly value: Truth;
  readonly sql: string | null;
  readonly note: string | null;
  /** The stable name of the fact that the step is, such as `membership.expiry`. */
  readonly fact: string | null;
  /** Whether it belongs to the smallest missing fact. */
  readonly missing: boolean;
  readonly steps: readonly ExplainedStep[];
}

/** A step that is one fact. */
export function factStep(
  fact: Fact,
  truth: (value: Value) => Truth = asTruth,
  kind: StepKind = 'fact',
): Step {
  return {
    kind,
    text: fact.text,
    fact,
    steps: [],
    truth: (world) => truth(world.get(fact.key) ?? fact.value),
  };
}

function asTruth(value: Value): Truth {
  return typeof value === 'string' && value !== 'unknown' ? 'unknown' : (value as Truth);
}

/** Every fact below some steps, each once. */
export function factsOf(steps: readonly Step[]): Fact[] {
  const facts = new Map<string, Fact>();
  const visit = (step: Step): void => {
    const { fact } = step;
    const known = fact === undefined ? undefined : facts.get(fact.key);
    if (fact !== undefined && (known?.changes.length ?? -1) < fact.changes.length) facts.set(fact.key, fact);
    step.steps.forEach(visit);
  };
  steps.forEach(visit);
  return [...facts.values()];
}

/** Whether evaluating some step is an error. */
export function anyBroken(steps: readonly Step[]): boolean {
  return steps.some((step) => step.broken === true || anyBroken(step.steps));
}

/** The steps with what they come to, and marked where they are missing. */
export function explained(steps: readonly Step[], missing: ReadonlySet<string>): ExplainedStep[] {
  const world = worldOf(factsOf(steps));
  const freeze = (step: Step): ExplainedStep => ({
    kind: step.kind,
    text: step.text,
    value: step.truth(world),
    sql: step.sql ?? null,
    note: step.note ?? null,
    fact: step.fact?.key ?? null,
    missing: step.fact !== undefined && missing.has(step.fact.key),
    steps: step.steps.map(freeze),
  });
  return steps.map(freeze);
}

/**
 * Facts of which at least one must change before a step can come to `wanted`; empty where it does already. Where one
 * part of an AND fails, only that part need be looked at first: without it nothing else helps.
 */
export function culprits(step: Step, world: World, wanted: boolean): Fact[] {
  if (step.truth(world) === wanted) return [];
  if (step.fact !== undefined) return [step.fact];
  const { kind, steps, permissive = 0 } = step;
  const first = (parts: readonly Step[]) => {
    const failing = parts.find((part) => part.truth(world) !== wanted);
    return failing === undefined ? [] : culprits(failing, world, wanted);
  };
  const each = (parts: readonly Step[]) => unique(parts.flatMap((part) => culprits(part, world, wanted)));
  switch (kind) {
    case 'not':
      return culprits(steps[0] as Step, world, !wanted);
    case 'any':
      return wanted ? each(steps) : first(steps);
    case 'gate': {
      const some = steps.slice(0, permissive);
      return some.some((one) => one.truth(world) === true) ? first(steps.slice(permissive)) : each(some);
    }
    case 'case':
      return factsOf(steps);
    default:
      return wanted ? first(steps) : each(steps);
  }
}

function unique(facts: readonly Fact[]): Fact[] {
  return [...new Map(facts.map((fact) => [fact.key, fact])).values()];
}
