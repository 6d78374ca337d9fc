import sql from 'sql-template-tag';
import type { Session } from '../database/session.js';
import { NestctlError } from '../errors.js';
import { APPROVAL, type Approval } from './approval.js';

/** One request. Throws `not_found` where there is none that this operator may see. */
export async function showApproval(session: Session, id: string): Promise<Approval> {
  const [approval] = await session.query<Approval>(
    sql`select ${APPROVAL} from ops.approvals a where a.id = ${id}`,
  );
  if (approval !== undefined) return approval;
  throw new NestctlError(`There is no request ${id} that you may see.`, {
    kind: 'not_found',
    hint: 'You see your own, and those that a duty of yours decides.',
    next: 'nestctl approval list',
  });
}
