import type { Session } from '../platform/database/session.js';
import { ensureAccess, ensureSomeAccess } from './ensure-access.js';
import type { AccessWish } from './open-access.js';

/**
 * Makes sure that the session may read the audit log of what is asked about. Only support needs a grant for it; asked
 * about nothing in particular, it reads what its live grants cover. Throws `no_grant`, `needs_input`.
 */
export async function ensureLogAccess(
  session: Session,
  about: { readonly family?: string | undefined; readonly user?: string | undefined },
  wish: AccessWish,
): Promise<void> {
  if (session.duty !== 'support') return;
  const { family, user } = about;
  if (family !== undefined) await ensureAccess(session, { kind: 'family', id: family }, wish);
  else if (user !== undefined) await ensureAccess(session, { kind: 'user', id: user }, wish);
  else await ensureSomeAccess(session);
}
