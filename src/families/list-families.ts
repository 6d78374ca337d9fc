import sql, { empty, join, type Sql } from 'sql-template-tag';
import { decodeCursor, encodeCursor, PART } from '../platform/cursor.js';
import type { Session } from '../platform/database/session.js';
import type { FamilyPage, FamilyRow, FamilySearch } from './family-page.js';

export interface FamilyListing extends FamilySearch {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/** Families that the session's grants open, by name. Row security decides which; without a grant there are none. */
export async function listFamilies(session: Session, listing: FamilyListing): Promise<FamilyPage> {
  const conditions = searchConditions(listing);
  if (listing.cursor !== undefined) {
    const [name, id] = decodeCursor('families', listing.cursor, [PART.text, PART.id]);
    conditions.push(sql`(f.name, f.id) > (${name}, ${id}::uuid)`);
  }
  const rows = await session.query<FamilyRow>(familyRows(conditions, listing.limit + 1));
  const families = rows.slice(0, listing.limit);
  const last = rows.length > listing.limit ? families.at(-1) : undefined;
  return {
    families,
    nextCursor: last === undefined ? undefined : encodeCursor('families', [last.name, last.id]),
  };
}

/** Those of the given families that the session's grants open. */
export async function familiesById(session: Session, ids: readonly string[]): Promise<FamilyRow[]> {
  return await session.query<FamilyRow>(familyRows([sql`f.id = any (${ids})`], ids.length));
}

function searchConditions(search: FamilySearch): Sql[] {
  const conditions: Sql[] = [];
  if (search.id !== undefined) conditions.push(sql`f.id = ${search.id}`);
  if (search.name !== undefined) conditions.push(sql`lower(f.name) ^@ lower(${search.name})`);
  if (search.email !== undefined) {
    conditions.push(sql`f.id in (
      select m.family_id from public.family_members m join public.users u on u.id = m.user_id
      where lower(u.email) = lower(${search.email}))`);
  }
  return conditions;
}

function familyRows(conditions: readonly Sql[], limit: number): Sql {
  return sql`
    select f.id, f.name, f.family_type, f.province,
      case when f.archived_at is null then 'live' else 'archived' end as status,
      (select count(*)::int from public.family_members m where m.family_id = f.id and m.status = 'active') as members,
      null as contacts, false as masked
    from public.families f
    ${conditions.length === 0 ? empty : sql`where ${join(conditions, ' and ')}`}
    order by f.name, f.id
    limit ${limit}`;
}
