import type { TableCommand } from '../explain/table-facts.js';
import type { Actor, Attempt } from './attempt.js';
import type { Case } from './cases.js';
import type { Declaration, Table } from './declaration.js';
import type { RowRelation } from './expected.js';
import type { Model, ModelRow } from './model.js';
import { insertInto } from './statements.js';
import type { Values } from './values.js';

/** Whether a role has a right on a table or a column of it, as the catalogue said before anything was weakened. */
export type HasRight = (role: string, table: Table, command: TableCommand) => boolean;

/** An attempt that has no number yet. */
export type Draft = Omit<Attempt, 'no'>;

/** What attempts are made from. */
export class Drafting {
  readonly #rows = new Map<string, ModelRow[]>();

  constructor(
    readonly model: Model,
    readonly declaration: Declaration,
    readonly hasRight: HasRight,
  ) {
    for (const row of model.rows) {
      const place = `${row.table}/${row.owner}`;
      const rows = this.#rows.get(place);
      if (rows === undefined) this.#rows.set(place, [row]);
      else rows.push(row);
    }
  }

  rowsOf(table: Table, owner: string): readonly ModelRow[] {
    return this.#rows.get(`${table}/${owner}`) ?? [];
  }

  relation(row: ModelRow, one: Case): RowRelation {
    return {
      inside: row.owner === one.family,
      author: row.author === one.person,
      today: row.today,
      self: row.member === one.person,
    };
  }

  select(table: Table, actor: Actor, keys: readonly string[]): Draft {
    const expected = this.hasRight(actor.role, table, 'select') ? 'rows' : 'refused';
    return {
      table,
      command: 'select',
      actor,
      row: undefined,
      statement: '',
      expected,
      keys,
      about: 'all rows',
    };
  }

  touch(
    command: 'update' | 'delete',
    statement: string,
    actor: Actor,
    row: ModelRow,
    may: boolean,
    relation?: RowRelation,
  ): Draft {
    const expected = !this.hasRight(actor.role, row.table, command) ? 'refused' : may ? 'ok:1' : 'ok:0';
    const about =
      relation?.inside !== true
        ? 'a row that is not theirs'
        : `${relation.author ? 'a row of their own' : relation.self ? 'the row of themselves' : 'a row of another author'}${relation.today ? '' : ', not of today'}`;
    return { table: row.table, command, actor, row, statement, expected, keys: [], about };
  }

  insert(table: Table, actor: Actor, values: Values, may: boolean, about: string): Draft {
    const expected = may ? 'ok:1' : 'refused';
    return {
      table,
      command: 'insert',
      actor,
      row: undefined,
      statement: insertInto(table, values),
      expected,
      keys: [],
      about,
      values,
    };
  }
}
