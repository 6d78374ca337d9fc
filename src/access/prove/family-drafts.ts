import { randomUUID } from 'node:crypto';
import type { TableCommand } from '../explain/table-facts.js';
import { FAMILY_TABLES, type FamilyTable } from '../family-tables.js';
import type { Actor } from './attempt.js';
import { type Case, isFull } from './cases.js';
import { type Draft, Drafting } from './drafting.js';
import { mayTouch, type RowRelation } from './expected.js';
import type { ModelRow } from './model.js';
import { remove, update } from './statements.js';
import { familyValues } from './values.js';

/** What a member tries on a table of their family, and on that of another one. */
export class FamilyDrafts extends Drafting {
  ofFamily(table: FamilyTable, actor: Actor, one: Case, next: Case): Draft[] {
    const may = (command: TableCommand, row: RowRelation) =>
      mayTouch(this.declaration, one, table, command, row);
    const inside = this.rowsOf(table, one.family);
    const full = isFull(one, FAMILY_TABLES[table]);
    const outside = this.rowsOf(table, next.family).filter(({ author }) => author !== next.person);
    const tried = full ? [...inside, ...outside.filter(({ today }) => today)] : inside.slice(0, 1);
    const seen = inside.filter((row) => may('select', this.relation(row, one)));
    return [
      this.select(
        table,
        actor,
        seen.map(({ id }) => id),
      ),
      ...tried.flatMap((row) => {
        const relation = this.relation(row, one);
        return [
          this.touch('update', update(table), actor, row, may('update', relation), relation),
          this.touch('delete', remove(table), actor, row, may('delete', relation), relation),
        ];
      }),
      ...(full ? this.#moves(table, actor, one, next, inside) : []),
      ...this.#inserts(table, actor, one, next).slice(0, full ? undefined : 1),
    ];
  }

  /** Changes that would take a row to another owner, author or day. */
  #moves(table: FamilyTable, actor: Actor, one: Case, next: Case, rows: readonly ModelRow[]): Draft[] {
    if (table === 'families' || !this.hasRight(actor.role, table, 'update')) return [];
    const may = (relation: RowRelation) => mayTouch(this.declaration, one, table, 'update', relation);
    const moved = (row: ModelRow, set: string, after: Partial<RowRelation>, about: string): Draft => {
      const before = this.relation(row, one);
      const state = !may(before) ? 'ok:0' : may({ ...before, ...after }) ? 'ok:1' : 'refused';
      return {
        ...this.touch('update', update(table, set), actor, row, false, before),
        expected: state,
        about,
      };
    };
    const fixed = (row: ModelRow, set: string, about: string): Draft => {
      const state = may(this.relation(row, one)) ? 'refused' : 'ok:0';
      return { ...moved(row, set, {}, about), expected: state };
    };
    const mine = rows.find(({ author, today }) => author === one.person && today) ?? (rows[0] as ModelRow);
    const other = this.model.day.start - 3_600_000;
    return [
      fixed(mine, `family_id = '${next.family}'`, 'of the family to another one'),
      fixed(mine, `created_by = '${next.person}'`, 'of the author to another one'),
      ...(table !== 'usage_logs'
        ? []
        : rows
            .filter(({ today, author }) => today && (author === one.person || author === this.model.elder))
            .map((row) =>
              moved(
                row,
                `logged_at = '${new Date(other).toISOString()}'`,
                { today: false },
                'of the event to another day',
              ),
            )),
    ];
  }

  #inserts(table: FamilyTable, actor: Actor, one: Case, next: Case): Draft[] {
    const { day, child, elder, newcomer, now } = this.model;
    const made = (
      family: string,
      author: string | null,
      at: number,
      today: boolean,
      about: string,
    ): Draft => {
      const id = randomUUID();
      const values =
        table === 'families'
          ? { id, name: 'nestctl access prove', created_by: author }
          : {
              family_id: family,
              id,
              created_by: author,
              ...(table === 'family_members'
                ? {
                    user_id: newcomer,
                    role: 'institutional',
                    granted_permissions: [],
                    denied_permissions: this.declaration.permissions,
                  }
                : familyValues(table, child.get(family) as string, at)),
              ...(table === 'family_invitations' ? { denied_permissions: this.declaration.permissions } : {}),
            };
      const relation = { inside: family === one.family, author: author === one.person, today, self: false };
      const may = mayTouch(this.declaration, one, table, 'insert', relation);
      return this.insert(table, actor, values, may, about);
    };
    const times: readonly (readonly [number, boolean, string])[] =
      table === 'usage_logs'
        ? [
            [day.start, true, 'of today'],
            [day.start - 1, false, 'of yesterday'],
            [day.end, false, 'of tomorrow'],
          ]
        : [[now, true, '']];
    return [
      ...times.map(([at, today, when]) =>
        made(one.family, one.person, at, today, `a row of their own ${when}`.trim()),
      ),
      made(one.family, elder, times[0]?.[0] ?? now, true, "a row in somebody else's name"),
      made(one.family, null, times[0]?.[0] ?? now, true, "a row in nobody's name"),
      ...(table === 'families'
        ? []
        : [made(next.family, one.person, times[0]?.[0] ?? now, true, 'a row of another family')]),
    ];
  }
}
