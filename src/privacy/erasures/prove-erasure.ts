import sql from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import { type Erasure, type Residue, readErasure } from './erasure.js';

/**
 * Looks for whatever is left of a person, in every column of every schema, and closes the erasure where nothing is and all
 * others have followed. lookedAt: places, schema.table.column as a look before named them, or schema.table that could not be
 * read, of which somebody has seen that nothing there is theirs. Throws `conflict` where rows are still to go.
 */
export async function proveErasure(
  session: Session,
  number: string,
  lookedAt: readonly string[] = [],
): Promise<Erasure> {
  await session.query(sql`select privacy.prove_erasure(${number}, ${lookedAt})`);
  return await closeErasure(session, number);
}

/** Closes it where it is proven, and archives and everybody outside have followed. Else only reads it. */
export async function closeErasure(session: Session, number: string): Promise<Erasure> {
  await session.query(sql`select privacy.close_erasure(${number})`);
  return await readErasure(session, number);
}

/** What keeps an erasure from being proven. */
export function openResidue({ proof }: Pick<Erasure, 'proof'>): readonly Residue[] {
  return (proof?.found ?? []).filter(({ state }) => ['residue', 'possible', 'unread'].includes(state));
}
