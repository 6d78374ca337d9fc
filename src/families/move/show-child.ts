import sql from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';

/** A family that the child has lived in. */
export interface ChildHome {
  readonly family_id: string;
  readonly since: Date;
  /** Null for the present one. */
  readonly until: Date | null;
  /** The moves that brought the child there and away again. */
  readonly came_by: string | null;
  readonly left_by: string | null;
}

/** A child as support may see it: no health columns. */
export interface Child {
  readonly id: string;
  readonly family_id: string;
  readonly family: string;
  readonly name: string;
  /** YYYY-MM-DD */
  readonly date_of_birth: string;
  readonly gender: string | null;
  readonly province: string | null;
  readonly current_diaper_size: string | null;
  readonly daily_usage_count: number | null;
  readonly deleted_at: Date | null;
  readonly usage_logs: number;
  readonly last_logged_at: Date | null;
  readonly inventory_items: number;
  readonly reorder_suggestions: number;
  /** The first first. */
  readonly families: readonly ChildHome[];
}

/** A child of a family with what hangs on it, and the families it has lived in. Throws `not_found`, also without a grant. */
export async function showChild(session: Session, family: string, id: string): Promise<Child> {
  const [child] = await session.query<Omit<Child, 'families'>>(sql`
    select c.id, c.family_id, f.name as family, c.name, c.date_of_birth, c.gender, c.province, c.current_diaper_size, c.daily_usage_count, c.deleted_at,
      l.usage_logs, l.last_logged_at,
      (select count(*)::int from public.inventory_items i where i.family_id = c.family_id and i.child_id = c.id and i.deleted_at is null) as inventory_items,
      (select count(*)::int from public.reorder_suggestions r where r.family_id = c.family_id and r.child_id = c.id) as reorder_suggestions
    from public.children c join public.families f on f.id = c.family_id
      cross join lateral (select count(*)::int as usage_logs, max(l.logged_at) as last_logged_at
        from public.usage_logs l where l.family_id = c.family_id and l.child_id = c.id) l
    where c.family_id = ${family} and c.id = ${id}`);
  if (child === undefined) {
    throw new NestctlError(`Family ${family} has no child ${id}.`, {
      kind: 'not_found',
      next: `nestctl family show ${family}`,
    });
  }
  const families = await session.query<ChildHome>(
    sql`select family_id, since, until, came_by, left_by from ops.row_families('public.children', ${id})`,
  );
  return { ...child, families };
}
