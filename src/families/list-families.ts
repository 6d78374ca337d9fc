import sql, { empty, join, type Sql } from 'sql-template-tag';
import {
  type ListOrder,
  listOrder,
  type Placed,
  type Sorting,
  type SortKey,
} from '../platform/database/list-order.js';
import type { Session } from '../platform/database/session.js';
import type { FamilyPage, FamilyRow, FamilySearch } from './family-page.js';

export type FamilySort = 'name' | 'type' | 'province' | 'members' | 'status';

export interface FamilyListing extends FamilySearch {
  readonly limit: number;
  /** By name when absent. */
  readonly sort?: Sorting<FamilySort> | undefined;
  readonly cursor?: string | undefined;
}

const MEMBERS = sql`(select count(*)::int from public.family_members m where m.family_id = f.id and m.status = 'active')`;
const STATUS = sql`(case when f.archived_at is null then 'live' else 'archived' end)`;
const SORTS: Readonly<Record<FamilySort, SortKey>> = {
  name: { value: sql`f.name`, type: 'text' },
  type: { value: sql`f.family_type`, type: 'text' },
  province: { value: sql`f.province`, type: 'text', nullable: true },
  members: { value: MEMBERS, type: 'int' },
  status: { value: STATUS, type: 'text' },
};

/** Families that the session's grants open. Row security decides which; without a grant there are none. */
export async function listFamilies(session: Session, listing: FamilyListing): Promise<FamilyPage> {
  const { sort = { by: 'name', descending: false }, cursor, limit } = listing;
  const order = listOrder('families', SORTS, sql`f.id`, { sort, cursor });
  const conditions = searchConditions(listing);
  if (order.after !== undefined) conditions.push(order.after);
  const rows = await session.query<FamilyRow & Placed>(familyRows(conditions, limit + 1, order));
  const { rows: families, nextCursor } = order.page(rows, limit);
  return { families, nextCursor };
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

function familyRows(conditions: readonly Sql[], limit: number, order?: ListOrder): Sql {
  return sql`
    select f.id, f.name, f.family_type, f.province, ${STATUS} as status, ${MEMBERS} as members,
      null as contacts, false as masked${order === undefined ? empty : sql`, ${order.place}`}
    from public.families f
    ${conditions.length === 0 ? empty : sql`where ${join(conditions, ' and ')}`}
    order by ${order?.by ?? sql`f.name, f.id`}
    limit ${limit}`;
}
