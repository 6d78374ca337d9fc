import sql from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import type { ChildKey } from './guardian.js';

/** Somebody by the id of their account, or without one by name. */
export type Person = { readonly user: string } | { readonly name: string };

/** `guardian` is the one that lets them act; `over`: its term has passed or it was ended. */
export type GuardianWhy =
  | 'guardian'
  | 'no_guardian'
  | 'not_yet'
  | 'over'
  | 'of_age'
  | 'no_information'
  | 'no_contact'
  | 'no_authority'
  | 'no_decisions';

/** What to heed though they may: `fourteen` is of Quebec, where such a minor may decide too. */
export type GuardianNote = 'joint_decisions' | 'supervised' | 'fourteen';

export interface Standing {
  readonly allowed: boolean;
  readonly why: GuardianWhy;
  /** The record it rests on; null where there is none. */
  readonly guardian: string | null;
  readonly notes: readonly GuardianNote[];
  /** Why, for people. */
  readonly sentence: string;
}

/**
 * Whether somebody may act for a child, and so be given its data, at a moment (now when absent), and why. A membership
 * of the family is no ground, whatever its role. For sessions of compliance with a live grant for the child's family:
 * others are refused with `no_grant` or `duty_not_allowed`, and never told no. Throws `not_found` for a child that is not there.
 */
export async function mayActFor(
  session: Session,
  child: ChildKey,
  person: Person,
  at?: Date,
): Promise<Standing> {
  const [user, name] = 'user' in person ? [person.user, null] : [null, person.name];
  const found = await session.one<Omit<Standing, 'sentence'>>(sql`
    select allowed, why, guardian, notes
    from privacy.may_act_for(${child.family}, ${child.id}, ${user}, ${name}, coalesce(${at ?? null}::timestamptz, clock_timestamp()))`);
  return { ...found, sentence: standingSentence(found) };
}

function standingSentence({ why, notes }: Pick<Standing, 'why' | 'notes'>): string {
  return [WHY[why], ...notes.map((note) => NOTES[note])].join(' ');
}

const WHY: Readonly<Record<GuardianWhy, string>> = {
  guardian: 'A guardian on record.',
  no_guardian:
    'Nobody on record as a guardian of the child; a membership of the family, family_core too, is none.',
  not_yet: 'The record begins later.',
  over: 'The record has ended, or its term has passed.',
  of_age: 'The child has come of age, and asks in person.',
  no_information: 'A court has ordered that no information about the child be given.',
  no_contact: 'A court has ordered that there be no contact with the child.',
  no_authority: 'A court has taken parental authority away.',
  no_decisions: 'Decisions about the child are another guardian’s, by order of a court.',
};

const NOTES: Readonly<Record<GuardianNote, string>> = {
  joint_decisions: 'Decisions are to be made together with another guardian.',
  supervised: 'Parenting time is under supervision.',
  fourteen: 'The minor is 14 or older and may decide too (Quebec P-39.1, s. 4.1).',
};
