import {
  checkSearch,
  type FamilyListing,
  type FamilyPage,
  listFamilies,
  searchDirectory,
} from '../families/index.js';
import type { Read } from '../platform/database/replica.js';
import type { Session } from '../platform/database/session.js';
import { NestctlError } from '../platform/errors.js';
import { ensureAccess, lendPurpose, liveGrants } from './ensure-access.js';
import type { AccessWish } from './open-access.js';

/**
 * Families as far as the session may know of them: under break-glass all that match, whole; for a search the
 * directory's answer, masked but for granted families; without a search the granted ones. Grants and lookups
 * are written in the session itself; `read` says who answers. Throws `no_grant`.
 */
export async function findFamilies(
  session: Session,
  listing: FamilyListing,
  wish: AccessWish,
  read: Read = (work) => work(session),
): Promise<FamilyPage> {
  const grants = await liveGrants(session);
  const everything = grants.find((grant) => grant.kind === 'break_glass');
  if (everything !== undefined) {
    await lendPurpose(session, everything, wish);
    return await read((reader) => listFamilies(reader, listing));
  }
  const { name, email, id, limit, cursor } = listing;
  const opened = grants.some((grant) => grant.kind === 'read');
  if (name === undefined && email === undefined && id === undefined) {
    if (opened) return await read((reader) => listFamilies(reader, listing));
    throw new NestctlError('You have no live access grant, so there is no family to list.', {
      kind: 'not_allowed',
      code: 'no_grant',
      hint: 'Look one up by --name, --email or --id, with --reason and --ticket.',
      next: `nestctl family list --name … --reason '…' --ticket …`,
    });
  }
  if (opened && id !== undefined) {
    const granted = await read((reader) => listFamilies(reader, { id, limit: 1 }));
    if (granted.families.length > 0) return granted;
  }
  checkSearch({ name, email, id }, cursor);
  refuseSorting(listing);
  await ensureAccess(session, { kind: 'directory' }, wish);
  return await searchDirectory(session, { name, email, id }, { limit, cursor }, read);
}

function refuseSorting({ sort }: FamilyListing): void {
  if (sort === undefined) return;
  throw new NestctlError('--sort: the directory answers in an order of its own, ten families at a time.', {
    kind: 'usage',
    code: 'cannot_sort',
    hint: 'Families that your grants open can be sorted: leave the search out.',
  });
}
