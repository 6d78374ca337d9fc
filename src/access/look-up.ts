import { type FamilyRow, type FamilySearch, findPeople, listFamilies } from '../families/index.js';
import type { Session } from '../platform/database/session.js';
import { ensureAccess, liveGrants } from './ensure-access.js';
import { findFamilies } from './find-families.js';
import type { AccessWish } from './open-access.js';

/** Somebody or something to choose: masked where no grant opens it. */
export interface Found {
  readonly id: string;
  readonly name: string;
  /** What tells it from others of the name. */
  readonly facts: readonly string[];
}

/** Whether the session may look somebody up without saying why once more. */
async function mayLookUp(session: Session): Promise<boolean> {
  return (await liveGrants(session)).some(({ kind }) => kind === 'directory');
}

/**
 * Opens a directory session, if none is open. Throws what ops.open_access says of reason and ticket, and
 * `needs_input` without them.
 */
async function openDirectory(session: Session, wish: AccessWish): Promise<void> {
  if (!(await mayLookUp(session))) await ensureAccess(session, { kind: 'directory' }, wish);
}

/** Families to choose from: those open already, or the directory's answer to a name's beginning, e-mail or id. */
async function lookUpFamilies(session: Session, typed: string | undefined): Promise<Found[]> {
  if (typed === undefined) return (await listFamilies(session, { limit: 10 })).families.map(familyFound);
  const search = searchFor(typed);
  const { families } = await findFamilies(session, { ...search, limit: 10 }, {});
  return families.map(familyFound);
}

/** People to choose from: the directory's answer, whatever is open already. */
async function lookUpPeople(session: Session, typed: string | undefined): Promise<Found[]> {
  if (typed === undefined) return [];
  return (await findPeople(session, searchFor(typed))).map(
    ({ id, name, email, status, province, families }) => ({
      id,
      name,
      facts: [email, status, ...(province === null ? [] : [province]), `${families} families`],
    }),
  );
}

function searchFor(typed: string): FamilySearch {
  if (typed.includes('@')) return { email: typed };
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(typed) ? { id: typed } : { name: typed };
}

function familyFound({ id, name, family_type, province, status, members, contacts }: FamilyRow): Found {
  return {
    id,
    name,
    facts: [
      family_type,
      ...(province === null ? [] : [province]),
      `${members} members`,
      ...(status === 'archived' ? [status] : []),
      ...(contacts ?? []),
    ],
  };
}

/** To find by typing what a missing argument or flag of that name takes. */
export const directories = {
  family: { mayLookUp, openDirectory, look: lookUpFamilies },
  user: { mayLookUp, openDirectory, look: lookUpPeople },
};
