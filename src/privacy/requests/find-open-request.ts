import { openSession } from '../../platform/database/session.js';
import type { ConnectionTarget } from '../../platform/database/target.js';
import { listRequests } from './list-requests.js';

/** Number of the open request of a kind of an account; undefined where it has none. */
export async function findOpenRequest(
  operator: ConnectionTarget,
  user: string,
  kind: 'access' | 'deletion',
): Promise<string | undefined> {
  const session = await openSession(operator, { duty: 'compliance' });
  try {
    const { requests } = await listRequests(session, { kind, user, ended: false, limit: 1 });
    return requests[0]?.number;
  } finally {
    await session.close();
  }
}
