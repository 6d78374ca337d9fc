import sql, { type Sql } from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';

/** A family as far as it can be changed. */
export interface FamilyHead {
  readonly id: string;
  readonly name: string;
  readonly family_type: string;
  readonly archived_at: Date | null;
  readonly members: number;
  /** The row's version: a change is made to this one and no other. */
  readonly seen: string;
}

export type FamilyWish =
  | { readonly verb: 'rename'; readonly name: string }
  | { readonly verb: 'archive' | 'restore' };

export interface FamilyChange {
  readonly before: FamilyHead;
  readonly wish: FamilyWish;
  readonly back: FamilyWish;
}

/** What a wish would make of a family. Throws `not_found`, and `conflict` where nothing would change. */
export async function planFamilyChange(
  session: Session,
  id: string,
  wish: FamilyWish,
): Promise<FamilyChange> {
  const before = await findHead(session, id);
  const archived = before.archived_at !== null;
  if (wish.verb === 'rename' ? wish.name === before.name : archived === (wish.verb === 'archive')) {
    throw new NestctlError(
      wish.verb === 'rename'
        ? 'The family has that name already.'
        : `The family is ${archived ? '' : 'not '}archived.`,
      { kind: 'conflict', code: 'no_change' },
    );
  }
  const back: FamilyWish =
    wish.verb === 'rename'
      ? { verb: 'rename', name: before.name }
      : { verb: wish.verb === 'archive' ? 'restore' : 'archive' };
  return { before, wish, back };
}

/** Makes the change to the very row that was planned for, and reads it back. */
export async function changeFamily(session: Session, { before, wish }: FamilyChange): Promise<FamilyHead> {
  await session.query(statement(before, wish));
  return await findHead(session, before.id);
}

function statement({ id, seen }: FamilyHead, wish: FamilyWish): Sql {
  switch (wish.verb) {
    case 'rename':
      return sql`select ops.rename_family(${id}, ${wish.name}, ${seen})`;
    case 'archive':
      return sql`select ops.archive_family(${id}, ${seen})`;
    case 'restore':
      return sql`select ops.restore_family(${id}, ${seen})`;
  }
}

async function findHead(session: Session, id: string): Promise<FamilyHead> {
  const [head] = await session.query<FamilyHead>(sql`
    select f.id, f.name, f.family_type, f.archived_at, f.xmin::text as seen,
      (select count(*)::int from public.family_members m where m.family_id = f.id and m.status = 'active') as members
    from public.families f where f.id = ${id}`);
  if (head !== undefined) return head;
  throw new NestctlError(`There is no family ${id}.`, {
    kind: 'not_found',
    next: `nestctl family list --id ${id}`,
  });
}
