import type { MembershipFacts } from '../explain/membership.js';
import { day, membershipFacts, membershipTruth } from '../explain/membership-steps.js';
import { type Expectation, permissionOf, phraseOf } from './expectation.js';
import type { KnownFamily } from './facts.js';
import { permitting, type Wanted } from './permitting.js';
import type { Step } from './step.js';

/** What is expected, and whether it was named or goes without saying. */
export interface Wish {
  readonly named: boolean;
  readonly expectations: readonly Expectation[];
}

/** A fact of a membership, its family or its account that bars what is expected, and the step that mends it. */
export interface Blocker {
  readonly kind:
    | 'account'
    | 'archive'
    | 'membership'
    | 'status'
    | 'expiry'
    | 'permission_denied'
    | 'role_too_low';
  /** As explain words it. */
  readonly text: string;
  /** Null where it is no step's: an account to be deleted, a membership that is not there or only invited. */
  readonly step: Step | null;
}

/** Rows that will do: where nothing is named, whatever the role gives; institutions expect their day. */
const ANY_ROWS = ['all', 'own', 'today', 'today_own', 'self'];
const DAYS = 365;

/** Whatever stands between a person and what is expected in a family, in the order in which it is mended. */
export function blockersOf(known: KnownFamily, user: Named, wish: Wish): Blocker[] {
  const facts = new Map<string, string>();
  const lacking: (Wanted & { readonly expectation: Expectation })[] = [];
  for (const expectation of wish.expectations) {
    if (!expected(known, expectation, wish.named)) continue;
    const wanted = { permission: permissionOf(expectation), scopes: scopesFor(expectation, wish.named) };
    for (const fact of membershipFacts(known, wanted)) {
      if (membershipTruth([fact], wanted, ({ value }) => value) === true) continue;
      if (fact.key.startsWith('permission:')) lacking.push({ ...wanted, expectation });
      else facts.set(fact.key, fact.text);
    }
  }
  const found = (key: string, kind: Blocker['kind'], step: Step | null): Blocker[] => {
    const text = facts.get(key);
    return text === undefined ? [] : [{ kind, text, step }];
  };
  const family = known.family.id;
  const restore = { does: 'family restore', family } as const;
  const archived = found('family.archive', 'archive', restore);
  return [
    ...found(
      'account',
      'account',
      known.account === 'suspended' ? { does: 'user reinstate', user: user.id } : null,
    ),
    ...(archived.length > 0 ? archived : found('family.archive.write', 'archive', restore)),
    ...found('membership', 'membership', null),
    ...found(
      'membership.status',
      'status',
      known.membership?.status === 'invited' ? null : { does: 'member reinstate', family, user: user.name },
    ),
    ...found('membership.expiry', 'expiry', { does: 'member extend', family, user: user.name, days: DAYS }),
    ...permissionBlockers(known, user, lacking),
  ];
}

export interface Named {
  readonly id: string;
  /** As commands name them. */
  readonly name: string;
}

/** What goes without saying is expected only where the role gives it. */
function expected(
  { membership, scopes }: MembershipFacts,
  expectation: Expectation,
  named: boolean,
): boolean {
  if (named || membership == null) return true;
  return scopes?.[permissionOf(expectation)]?.of_role != null;
}

/** The limit to a day is told apart where nothing else bars: it is how institutions are meant to see. */
function scopesFor({ command }: Expectation, named: boolean): readonly string[] {
  if (!named) return ANY_ROWS;
  return command === 'insert' ? ANY_ROWS : ['all', 'today', 'today_own'];
}

function permissionBlockers(
  known: KnownFamily,
  user: Named,
  lacking: readonly (Wanted & { readonly expectation: Expectation })[],
): Blocker[] {
  const { membership, scopes } = known;
  if (membership == null || lacking.length === 0) return [];
  const step = {
    does: 'member set-permissions',
    family: known.family.id,
    user: user.name,
    ...permitting(membership, scopes, lacking),
  } as const;
  return lacking.map(({ expectation, permission }) => {
    const denied = scopes?.[permission]?.denied === true;
    const kind = denied ? 'permission_denied' : 'role_too_low';
    const which = scopes?.[permission]?.scope == null ? 'not' : 'only for rows of their own';
    return {
      kind,
      step,
      text: denied
        ? `${permission} is denied to this member: they cannot ${phraseOf(expectation)}`
        : `role ${membership.role} gives ${permission} ${which}: they cannot ${phraseOf(expectation)}`,
    };
  });
}

/** The steps of blockers, each once; null where one has none. */
export function stepsOf(blockers: readonly Blocker[]): Step[] | null {
  const steps = blockers.map(({ step }) => step);
  if (steps.some((step) => step === null)) return null;
  return [...new Map(steps.map((step) => [JSON.stringify(step), step as Step])).values()];
}

/** `2026-11-01, 23 days ago`. */
export function sinceWhen(at: string, now: string): string {
  const days = Math.floor((Date.parse(now) - Date.parse(at)) / 86_400_000);
  const ago = days === 0 ? 'less than a day ago' : days === 1 ? 'a day ago' : `${days} days ago`;
  return days < 0 ? day(at) : `${day(at)}, ${ago}`;
}
