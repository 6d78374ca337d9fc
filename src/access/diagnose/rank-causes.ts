import { CAUSES, type Cause, type CauseKind, type CauseWithoutId } from './cause.js';
import { commandOf, type Step } from './step.js';

/** As likely as each other: which changed last decides. */
const MEMBERSHIP: readonly CauseKind[] = [
  'membership_suspended',
  'membership_removed',
  'family_archived',
  'access_expired',
  'permission_denied',
];
const FINAL: readonly CauseKind[] = ['pending_deletion', 'consent_withdrawn'];
const OF_ACCOUNT: readonly CauseKind[] = ['account_suspended', 'email_unverified'];

/** The causes of one family, in their order, or of the account. */
export type CauseGroup = readonly CauseWithoutId[];

/**
 * All causes in one list, the likeliest first: what bars everywhere, then what bars a member, the latest change before
 * the earlier ones, then what keeps somebody from being one. No cause keeps steps that would not help by themselves.
 */
export function rankCauses(groups: readonly CauseGroup[], healthy: boolean): Cause[] {
  const ordered = groups
    .filter((group) => group.length > 0)
    .sort((one, other) => weightOf(one) - weightOf(other) || latest(other) - latest(one));
  const ranked = ordered.flat();
  const barred = ranked.some(({ kind }) => FINAL.includes(kind));
  const family = ranked.find((one) => one.family !== null && !OF_ACCOUNT.includes(one.kind));
  const helping = ranked.map((one) => {
    if (barred && !FINAL.includes(one.kind)) return later(one);
    return !healthy && family !== undefined && OF_ACCOUNT.includes(one.kind) ? together(one, family) : one;
  });
  return named(helping);
}

function weightOf(group: CauseGroup): number {
  return Math.min(
    ...group.map(({ kind }) =>
      CAUSES.indexOf(MEMBERSHIP.includes(kind) ? (MEMBERSHIP[0] as CauseKind) : kind),
    ),
  );
}

function latest(group: CauseGroup): number {
  return Math.max(0, ...group.map(({ since }) => (since === null ? 0 : Date.parse(since))));
}

function later(one: CauseWithoutId): CauseWithoutId {
  return { ...one, steps: [], who: 'support, once compliance has decided', afterwards: null, caution: null };
}

/** An account let in again sees nothing where its only family bars it too. */
function together(account: CauseWithoutId, family: CauseWithoutId): CauseWithoutId {
  if (family.steps.length === 0) return { ...account, steps: [], who: account.who ?? family.who };
  const steps = [...account.steps, ...family.steps];
  return {
    ...account,
    family: family.family,
    evidence: [...account.evidence, ...family.evidence],
    steps: [...new Map(steps.map((step: Step) => [JSON.stringify(step), step])).values()],
    afterwards: joined(account.afterwards, family.afterwards),
    caution: joined(account.caution, family.caution),
  };
}

function joined(one: string | null, other: string | null): string | null {
  return one === null || other === null || one === other ? (one ?? other) : `${one}; ${other}`;
}

function named(causes: readonly CauseWithoutId[]): Cause[] {
  const known = new Set<string>();
  return causes.map((one) => {
    const several = causes.filter(({ kind }) => kind === one.kind).length > 1;
    let id: string = several && one.family !== null ? `${one.kind}:${one.family.id.slice(0, 8)}` : one.kind;
    for (let at = 2; known.has(id); at++) id = `${one.kind}:${at}`;
    known.add(id);
    return { id, ...one, commands: one.steps.map(commandOf) };
  });
}
