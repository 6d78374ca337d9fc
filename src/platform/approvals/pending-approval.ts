import { openSession } from '../database/session.js';
import type { ConnectionTarget } from '../database/target.js';
import { listApprovals } from './list-approvals.js';

/** Id of the newest request that waits for this operator as an admin; undefined where none does. */
export async function pendingApproval(operator: ConnectionTarget): Promise<string | undefined> {
  const session = await openSession(operator, { duty: 'admin' });
  try {
    const { approvals } = await listApprovals(session, { forMe: true, ended: false, limit: 1 });
    return approvals[0]?.id;
  } finally {
    await session.close();
  }
}
