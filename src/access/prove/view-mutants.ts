import type { Connection } from '../../platform/database/connection.js';
import type { Token } from './body-operands.js';
import type { Table } from './declaration.js';
import { helperMutants } from './function-mutants.js';
import type { Mutant } from './mutant.js';

export interface ViewText {
  readonly name: Table;
  readonly definition: string;
  readonly body: string;
}

/** The view by which members see others, where it is among the tables. */
export async function readViews(connection: Connection, tables: readonly Table[]): Promise<ViewText[]> {
  return await connection.query<ViewText>(
    `select c.relname as name, pg_get_viewdef(c.oid) as body,
       format('create or replace view public.%I with (%s) as %s', c.relname, array_to_string(c.reloptions, ', '), pg_get_viewdef(c.oid)) as definition
     from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'v' and c.relname = any ($1)`,
    [tables],
  );
}

/** Every condition of a view left out. */
export function viewMutants({ name, definition, body }: ViewText, scan: (text: string) => Token[]): Mutant[] {
  return helperMutants({ name, result: '', definition, body }, scan).map((mutant) => ({
    ...mutant,
    object: name,
    tables: [name],
  }));
}
