import sql from 'sql-template-tag';
import type { Session } from '../platform/database/session.js';
import { NestctlError } from '../platform/errors.js';
import { type Grant, grantsWhere } from './grant.js';

/** The grants that would be closed: the named one, or all live ones of this operator under any duty. */
export async function planClosing(
  session: Session,
  which: { readonly id?: string | undefined; readonly all: boolean },
): Promise<Grant[]> {
  const { id, all } = which;
  if ((id === undefined) !== all) {
    throw new NestctlError('Name the grant to close, or all of them with --all.', {
      kind: id === undefined ? 'needs_input' : 'usage',
      code: 'invalid_scope',
      next: 'nestctl access list',
    });
  }
  const own = sql`operator = session_user and closed_at is null and expires_at > clock_timestamp()`;
  const grants = await session.query<Grant>(
    grantsWhere(id === undefined ? own : sql`${own} and id = ${id}`, 1000),
  );
  if (id !== undefined && grants.length === 0) {
    throw new NestctlError(`You have no live access grant ${id}.`, {
      kind: 'not_found',
      hint: 'It may have expired or been closed.',
      next: 'nestctl access list --ended',
    });
  }
  return grants;
}

/** Closes grants and reads back when each was closed. One that ended meanwhile is left out. */
export async function closeAccess(session: Session, grants: readonly Grant[]): Promise<Grant[]> {
  session.wrote = grants.length > 0;
  for (const grant of grants) {
    try {
      await session.query(sql`select ops.close_access(${grant.id})`);
    } catch (error) {
      if (!(error instanceof NestctlError) || error.kind !== 'conflict') throw error;
    }
  }
  const ids = grants.map((grant) => grant.id);
  return await session.query<Grant>(grantsWhere(sql`id = any (${ids}) and closed_at is not null`, 1000));
}
