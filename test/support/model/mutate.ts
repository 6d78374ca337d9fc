import type pg from 'pg';
import type { Comparison } from './compare.js';

/** A weakening of the schema, undone with the transaction it is made in. */
export type Mutation = (client: pg.Client) => Promise<void>;

/** Replaces text in a function's definition; throws where the text is not there, else the mutation would be none. */
export function inFunction(signature: string, from: string | RegExp, to: string): Mutation {
  return async (client) => {
    const { rows } = await client.query<{ definition: string }>(
      'select pg_get_functiondef($1::regprocedure) as definition',
      [signature],
    );
    const definition = rows[0]?.definition ?? '';
    const mutated = definition.replace(from, to);
    if (mutated === definition) throw new Error(`${signature} does not hold ${from}`);
    await client.query(mutated);
  };
}

/** Runs statements. */
export function bySql(...statements: readonly string[]): Mutation {
  return async (client) => {
    for (const statement of statements) await client.query(statement);
  };
}

/** Weakens the schema, compares as another login, and undoes everything. `superuser` may take on any login. */
export async function compareWeakened(
  superuser: pg.Client,
  mutation: Mutation,
  login: string,
  compare: (client: pg.Client) => Promise<Comparison>,
): Promise<Comparison> {
  await superuser.query('begin');
  try {
    await mutation(superuser);
    await superuser.query(`set local session authorization "${login}"`);
    return await compare(superuser);
  } finally {
    await superuser.query('rollback');
  }
}
