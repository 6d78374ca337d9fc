import sql from 'sql-template-tag';
import type { Session } from '../platform/database/session.js';
import { checkSearch, oneOf } from './search-directory.js';

/** Somebody as the directory answers: masked. */
export interface MaskedPerson {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly status: string;
  readonly province: string | null;
  readonly families: number;
}

export interface PersonSearch {
  readonly name?: string | undefined;
  readonly email?: string | undefined;
  readonly id?: string | undefined;
}

/**
 * People by the directory: masked, at most ten, the lookup recorded and committed before it answers. Needs a directory
 * session; throws `usage` for a search that it would refuse, `no_grant`, `quota_exceeded`.
 */
export async function findPeople(session: Session, search: PersonSearch): Promise<MaskedPerson[]> {
  checkSearch(search);
  const [by, query] = oneOf(search);
  const { id } = await session.one<{ id: string }>(sql`select ops.look_up('person', ${by}, ${query}) as id`);
  return await session.query<MaskedPerson>(
    sql`select id, name, email, status, province, families::int from ops.directory_people(${id})`,
  );
}
