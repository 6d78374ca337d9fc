import sql from 'sql-template-tag';
import { decodeCursor, encodeCursor, PART } from '../platform/cursor.js';
import type { Read } from '../platform/database/replica.js';
import type { Session } from '../platform/database/session.js';
import { NestctlError } from '../platform/errors.js';
import type { FamilyPage, FamilyRow, FamilySearch } from './family-page.js';
import { familiesById } from './list-families.js';

/** The database answers at most this many, whatever is asked. */
const LARGEST = 10;

/**
 * Families by the directory: masked, at most ten at a time, each lookup recorded and committed before it answers.
 * Those that a grant of the session opens come whole. Needs a directory session; throws `no_grant`,
 * `quota_exceeded`. The lookup is written in the session itself, whoever answers it.
 */
export async function searchDirectory(
  session: Session,
  search: FamilySearch,
  page: { readonly limit: number; readonly cursor?: string | undefined },
  read: Read = (work) => work(session),
): Promise<FamilyPage> {
  const [by, query] = oneOf(search);
  const after = afterCursor(page.cursor);
  const { id } = await session.one<{ id: string }>(
    sql`select ops.look_up('family', ${by}, ${query}, ${after}::uuid) as id`,
  );
  // The lookup is on record by now, and whoever answers has seen that.
  const { found, granted } = await read(async (reader) => {
    const found = await reader.query<Omit<FamilyRow, 'masked'>>(
      sql`select id, name, family_type, province, status, members::int, contacts from ops.directory_families(${id})`,
    );
    const ids = found.slice(0, page.limit).map((family) => family.id);
    return { found, granted: await familiesById(reader, ids) };
  });
  const shown = found.slice(0, page.limit);
  const whole = new Map(granted.map((family) => [family.id, family]));
  const last = shown.length < found.length || found.length === LARGEST ? shown.at(-1) : undefined;
  return {
    families: shown.map((family) => whole.get(family.id) ?? { ...family, masked: true }),
    nextCursor: last === undefined ? undefined : encodeCursor('directory', [last.id]),
  };
}

/**
 * Refuses a search that the directory would refuse, and a cursor that is none, before a session is opened for it.
 * Throws `usage`.
 */
export function checkSearch(search: FamilySearch, cursor?: string): void {
  const [by, query] = oneOf(search);
  const fits = by === 'id' || (by === 'email' ? /^[^@\s]+@[^@\s]+$/ : /\p{L}.*\p{L}.*\p{L}/u).test(query);
  if (!fits) {
    throw new NestctlError(
      by === 'email'
        ? '--email: an address is looked up whole, such as gran@example.ca.'
        : '--name: a name is looked up by its first three letters or more.',
      { kind: 'usage', code: 'invalid_search' },
    );
  }
  afterCursor(cursor);
}

function afterCursor(cursor: string | undefined): string | null {
  return cursor === undefined ? null : (decodeCursor('directory', cursor, [PART.id])[0] ?? null);
}

/** What a search goes by, and for. Throws `usage` unless it is by one thing. */
export function oneOf(search: FamilySearch): [by: string, query: string] {
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
