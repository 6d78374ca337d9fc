import type { Session } from '../platform/database/session.js';
import { type Ask, directorySearch, type Found } from './choices.js';
import { askChoice, askText, say } from './terminal.js';

interface Purpose {
  reason?: string | undefined;
  ticket?: string | undefined;
}

/** What a domain offers to find somebody or something with. */
interface Directory {
  /** Whether the session may look somebody up without saying why once more. */
  readonly mayLookUp: (session: Session) => Promise<boolean>;
  readonly openDirectory: (session: Session, purpose: Purpose) => Promise<void>;
  /** One lookup, recorded before it answers; without letters what is open already, which is none. */
  readonly look: (session: Session, typed: string | undefined) => Promise<readonly Found[]>;
}

/** By the name of the argument or flag that takes what is found. */
export type Directories = () => Promise<Readonly<Record<'family' | 'user', Directory>>>;

type WithSession = (work: (session: Session) => Promise<string>) => Promise<string>;

/** How to ask for a missing `family` or `user`; nothing where a command has no directories. */
export function askDirectories(
  directories: Directories | undefined,
  withSession: WithSession,
  purpose: Purpose,
): Readonly<Record<string, Ask>> {
  if (directories === undefined) return {};
  const ask =
    (name: 'family' | 'user', question: string): Ask =>
    () =>
      withSession(async (session) => askDirectory(question, session, (await directories())[name], purpose));
  return { family: ask('family', 'Which family?'), user: ask('user', 'Which person?') };
}

/**
 * Lets the person at the terminal find somebody by typing, under the directory's rules: within a directory
 * session, which takes a reason and a ticket, asked for where they are missing and kept in `purpose`.
 */
async function askDirectory(
  question: string,
  session: Session,
  { mayLookUp, openDirectory, look }: Directory,
  purpose: Purpose,
): Promise<string> {
  if (!(await mayLookUp(session))) {
    say('Looking somebody up is recorded, with why and for which ticket.');
    purpose.reason ??= await askText('Why? (kept in the audit log)');
    purpose.ticket ??= await askText('For which ticket?');
    await openDirectory(session, purpose);
  }
  return await askChoice(
    question,
    directorySearch((typed) => look(session, typed)),
  );
}
