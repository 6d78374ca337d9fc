import { randomUUID } from 'node:crypto';
import type { TableCommand } from '../explain/table-facts.js';
import type { Actor } from './attempt.js';
import type { Case } from './cases.js';
import { PERSON_TABLES, type PersonTable, PROFILES } from './declaration.js';
import { type Draft, Drafting } from './drafting.js';
import { counts, mayTouch } from './expected.js';
import type { ModelRow } from './model.js';
import { remove, update } from './statements.js';
import { PERSON_VALUES } from './values.js';

/** What somebody tries on rows of their own and of another. */
export class PersonDrafts extends Drafting {
  /** The profiles that a member sees: of those whose membership counts, in a family that they may read. */
  profiles(actor: Actor, one: Case): Draft {
    const relation = { inside: true, author: false, today: true, self: false };
    const reads = mayTouch(this.declaration, one, 'families', 'select', relation);
    return this.select(PROFILES, actor, reads ? [this.model.elder, one.person] : []);
  }

  /** Those that somebody sees who is in every family. */
  profilesOfAll(): Draft[] {
    const { cases, elder } = this.model;
    const actor: Actor = {
      title: 'the core member of every family',
      role: 'authenticated',
      person: elder,
      registered: true,
      standing: undefined,
    };
    return [this.select(PROFILES, actor, [elder, ...cases.filter(counts).map(({ person }) => person)])];
  }

  ofPerson(table: PersonTable, actor: Actor, person: string): Draft[] {
    const commands = PERSON_TABLES[table] as readonly TableCommand[];
    const { elder, owners } = this.model;
    const other = table === 'users' ? elder : (owners.find((one) => one.person !== person) as Case).person;
    const rows = [...this.rowsOf(table, person), ...this.rowsOf(table, other)];
    const moved = this.rowsOf(table, person)[0] as ModelRow;
    return [
      this.select(
        table,
        actor,
        this.rowsOf(table, person).map(({ id }) => id),
      ),
      ...rows.flatMap((row) =>
        (['update', 'delete'] as const).map((command) => {
          const may = commands.includes(command) && row.owner === person;
          const relation = { inside: row.owner === person, author: false, today: true, self: false };
          return this.touch(
            command,
            command === 'update' ? update(table) : remove(table),
            actor,
            row,
            may,
            relation,
          );
        }),
      ),
      ...(table !== 'users' && commands.includes('update')
        ? [
            {
              ...this.touch('update', update(table, `user_id = '${other}'`), actor, moved, false),
              expected: 'refused' as const,
              about: 'of the person to another one',
            },
          ]
        : []),
      ...[person, other].map((owner) => {
        const id = randomUUID();
        const values =
          table === 'users'
            ? { id, email: `${id}@prove.invalid` }
            : { user_id: owner, id, ...PERSON_VALUES[table] };
        const may = commands.includes('insert') && owner === person;
        return this.insert(
          table,
          actor,
          values,
          may,
          owner === person ? 'a row of their own' : "somebody else's row",
        );
      }),
    ];
  }
}
