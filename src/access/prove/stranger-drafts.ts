import { randomUUID } from 'node:crypto';
import type { Actor } from './attempt.js';
import type { Case } from './cases.js';
import { isFamilyTable, isPersonTable, PROFILES, TABLES, type Table } from './declaration.js';
import { type Draft, Drafting } from './drafting.js';
import { remove, update } from './statements.js';
import { familyValues, PERSON_VALUES } from './values.js';

/** What those try who are no members, or whose session acts for nobody. */
export class StrangerDrafts extends Drafting {
  /** People and roles to whom membership gives nothing: without a person, without an app's login, without a grant. */
  strangers(duties: readonly string[]): Draft[] {
    const core = this.model.owners[0] as Case;
    const actor = (title: string, role: string, person: string | null, registered: boolean): Actor => ({
      title,
      role,
      person,
      registered,
      standing: undefined,
    });
    const claims = "with a member's claims";
    return [
      actor('nobody', 'authenticated', null, true),
      actor('somebody of no family', 'authenticated', this.model.newcomer, true),
      actor('an unknown person', 'authenticated', randomUUID(), true),
      actor(`anon ${claims}`, 'anon', core.person, true),
      ...duties.map((duty) => actor(`${duty} without a grant, ${claims}`, duty, core.person, true)),
      actor(`a login that is no app's, ${claims}`, 'authenticated', core.person, false),
      actor('the service', 'service_role', null, false),
    ].flatMap((one) => TABLES.flatMap((table) => this.#stranger(table, one, core)));
  }

  #stranger(table: Table, actor: Actor, core: Case): Draft[] {
    const service = actor.role === 'service_role';
    if (table === PROFILES) return [this.select(table, actor, [])];
    const shared = table === 'role_permissions';
    const family = isFamilyTable(table);
    const self = table === 'users' && actor.person === this.model.newcomer ? [this.model.newcomer] : [];
    const all = this.model.rows.filter((row) => row.table === table).map(({ id }) => id);
    const keys = shared ? this.declaration.keys : service ? all : self;
    const select = this.select(table, actor, this.hasRight(actor.role, table, 'select') ? keys : []);
    const row = this.rowsOf(table, family ? core.family : core.person)[0];
    const may = service && !shared;
    const inside = { inside: false, author: false, today: true, self: false };
    const touches =
      row === undefined
        ? []
        : [
            this.touch('update', update(table), actor, row, may, inside),
            this.touch('delete', remove(table), actor, row, may, inside),
          ];
    if (shared || table === 'users') return [select, ...touches];
    const id = randomUUID();
    if (table === 'families') {
      const author = actor.role === 'authenticated' ? { created_by: actor.person } : {};
      const founds = actor.person === this.model.newcomer;
      return [
        select,
        ...touches,
        this.insert(table, actor, { id, name: 'nestctl', ...author }, service || founds, 'a row'),
      ];
    }
    const values = family
      ? {
          family_id: core.family,
          id,
          // The author is no column that every duty may write.
          ...(actor.role === 'authenticated' ? { created_by: actor.person } : {}),
          ...(table === 'family_members'
            ? { user_id: this.model.newcomer, role: 'institutional' }
            : familyValues(table, this.model.child.get(core.family) as string, this.model.day.start)),
        }
      : { user_id: core.person, id, ...(isPersonTable(table) ? PERSON_VALUES[table] : {}) };
    return [select, ...touches, this.insert(table, actor, values, may, 'a row')];
  }
}
