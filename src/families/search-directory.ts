import sql from 'sql-template-tag';
import { decodeCursor, encodeCursor } from '../platform/cursor.js';
import type { Session } from '../platform/database/session.js';
import { NestctlError } from '../platform/errors.js';
import type { FamilyPage, FamilyRow, FamilySearch } from './family-page.js';
import { familiesById } from './list-families.js';

/** The database answers at most this many, whatever is asked. */
const PAGE = 10;

/**
 * Families by the directory: masked, ten at a time, each lookup recorded and committed before it answers. Those
 * that a grant of the session opens come whole. Needs a directory session; throws `no_grant`, `quota_exceeded`.
 */
export async function searchDirectory(
  session: Session,
  search: FamilySearch,
  cursor?: string,
): Promise<FamilyPage> {
  const [by, query] = oneOf(search);
  const after = cursor === undefined ? null : decodeCursor(cursor, 1)[0];
  const { id } = await session.one<{ id: string }>(
    sql`select ops.look_up('family', ${by}, ${query}, ${after}::uuid) as id`,
  );
  const found = await session.query<Omit<FamilyRow, 'masked'>>(
    sql`select id, name, family_type, province, status, members::int, contacts from ops.directory_families(${id})`,
  );
  const open = new Map(
    (
      await familiesById(
        session,
        found.map((family) => family.id),
      )
    ).map((one) => [one.id, one]),
  );
  const last = found.length === PAGE ? found.at(-1) : undefined;
  return {
    families: found.map((family) => open.get(family.id) ?? { ...family, masked: true }),
    nextCursor: last === undefined ? undefined : encodeCursor([last.id]),
  };
}

function oneOf(search: FamilySearch): [by: string, query: string] {
  const given = (['id', 'email', 'name'] as const).flatMap((by) => {
    const query = search[by];
    return query === undefined ? [] : [[by, query] as [string, string]];
  });
  if (given[0] === undefined || given.length > 1) {
    throw new NestctlError('The directory is asked by one of --name, --email and --id.', {
      kind: 'usage',
      code: 'invalid_search',
    });
  }
  return given[0];
}
