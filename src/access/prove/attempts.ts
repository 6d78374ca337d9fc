import { FAMILY_TABLES, type FamilyTable } from '../family-tables.js';
import type { Actor, Attempt } from './attempt.js';
import { type Case, describeStanding, neighbour } from './cases.js';
import { type Declaration, PERSON_TABLES, type PersonTable, TABLES, type Table } from './declaration.js';
import type { Draft, HasRight } from './drafting.js';
import { FamilyDrafts } from './family-drafts.js';
import type { Model } from './model.js';
import { OperatorDrafts } from './operator-drafts.js';
import { PersonDrafts } from './person-drafts.js';
import { StrangerDrafts } from './stranger-drafts.js';

const SOME = 12;

/** Every command of every actor of the model. */
export function makeAttempts(
  model: Model,
  declaration: Declaration,
  hasRight: HasRight,
  duties: readonly string[],
  { tables = TABLES, operators = false }: { tables?: readonly Table[]; operators?: boolean } = {},
): Attempt[] {
  const families = new FamilyDrafts(model, declaration, hasRight);
  const people = new PersonDrafts(model, declaration, hasRight);
  const ofCase = (one: Case): Draft[] => {
    const actor: Actor = {
      title: describeStanding(one),
      role: 'authenticated',
      person: one.person,
      registered: true,
      standing: one,
    };
    const next = neighbour(model.cases, one, 1);
    return [
      ...(Object.keys(FAMILY_TABLES) as FamilyTable[])
        .filter((table) => tables.includes(table))
        .flatMap((table) => families.ofFamily(table, actor, one, next)),
      ...(model.owners.includes(one)
        ? (Object.keys(PERSON_TABLES) as PersonTable[]).flatMap((table) =>
            people.ofPerson(table, actor, one.person),
          )
        : [people.select('users', actor, [one.person])]),
      people.profiles(actor, one),
    ];
  };
  const members = model.cases.map(ofCase);
  const all = people.profilesOfAll();
  const strangers = new StrangerDrafts(model, declaration, hasRight).strangers(duties);
  // What is wrong mostly shows for some of the first members.
  const staff = operators ? new OperatorDrafts(model, declaration, hasRight).operators() : [];
  return [...members.slice(0, SOME), all, strangers, staff, ...members.slice(SOME)]
    .flat()
    .filter(({ table }) => tables.includes(table))
    .map((draft, no) => ({ ...draft, no }));
}
