import { execFile } from 'node:child_process';
import { userInfo } from 'node:os';
import { promisify } from 'node:util';
import { NestctlError } from '../errors.js';

/** The system user that the embedded server runs as. */
export interface ServerUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** True where the server runs as somebody else than the caller, so files must be handed over. */
  readonly dropped: boolean;
}

export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

/** Finds a user by name, undefined where the system has none of that name. */
export type UserLookup = (name: string) => Promise<SystemUser | undefined>;

/** PostgreSQL refuses root, so root hands over to the first of these that exists. */
const STAND_INS = ['postgres', 'nobody'];

/**
 * The user to run PostgreSQL as: the caller, or for root a user without rights of its own.
 * Throws `conflict` where the caller's uid has no passwd entry (PostgreSQL would fail with "could not look
 * up effective user ID"), or where root finds nobody to hand over to.
 */
export async function serverUser(lookup: UserLookup = lookUpUser): Promise<ServerUser> {
  const uid = process.geteuid?.() ?? -1;
  if (uid !== 0) return { name: ownName(uid), uid, gid: process.getegid?.() ?? -1, dropped: false };
  for (const name of STAND_INS) {
    const found = await lookup(name);
    if (found !== undefined && found.uid !== 0) return { name, ...found, dropped: true };
  }
  throw new NestctlError('PostgreSQL refuses to run as root, and there is no other user to run it as.', {
    kind: 'conflict',
    code: 'no_server_user',
    hint: `Neither ${STAND_INS.join(' nor ')} exists on this system: add one, or run nestctl as an ordinary user.`,
    next: 'useradd --system postgres',
  });
}

function ownName(uid: number): string {
  try {
    return userInfo().username;
  } catch (cause) {
    throw new NestctlError(
      `User id ${uid} has no entry in the passwd database, and PostgreSQL does not start without one.`,
      {
        kind: 'conflict',
        code: 'no_passwd_entry',
        hint:
          'In a container, give the image a user of this id (useradd --uid), or start it under an id that has one; ' +
          'running as root works too.',
        cause,
      },
    );
  }
}

/** Asks `id`, which unlike /etc/passwd knows directory services and is there on Linux and macOS alike. */
async function lookUpUser(name: string): Promise<SystemUser | undefined> {
  const ask = async (what: '-u' | '-g') => Number((await promisify(execFile)('id', [what, name])).stdout);
  try {
    return { uid: await ask('-u'), gid: await ask('-g') };
  } catch {
    return undefined;
  }
}

/** What `child_process` takes to start a program as that user, in a folder that it can enter. */
export function spawnAs(user: ServerUser, cwd: string) {
  return {
    cwd,
    // PG* variables, a foreign locale or a preloaded library of the caller must not reach the server.
    env: { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
    // macOS gives `nobody` an id that only fits as a negative number here.
    ...(user.dropped ? { uid: user.uid | 0, gid: user.gid | 0 } : {}),
  };
}
