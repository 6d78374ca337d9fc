import { type Carrier, namedKeys, openEvidence, verifyingKeys, withCarrier } from '../../evidence/index.js';
import type { Context } from '../../platform/config/contexts.js';
import type { Read } from '../../platform/database/replica.js';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import type { Archive } from '../archive/archives.js';
import { nameOf } from '../archive/month.js';
import { isSigned } from '../archive/sign-archive.js';
import type { EventFilter } from '../event-filter.js';
import { bothBounds } from '../filter/bounds.js';
import type { EventPaging } from '../query-events.js';
import { readLogState } from '../seal/log-state.js';
import { archivedRows } from './archived-rows.js';
import { dropArchivedTable, keepMatching, makeArchivedTable } from './archived-table.js';
import {
  boundsOfPage,
  inPageOrder,
  isFullBefore,
  type Span,
  spanOfMonth,
  timesBrought,
  timesInDatabase,
} from './page-span.js';
import { type StoredChunk, storedChunks } from './stored-chunks.js';
import { boundsOfFilter, touchedArchives } from './touched-archives.js';

/** That archived months are read too, and who is told what is read. */
export interface ArchiveWish {
  readonly context: Context;
  readonly signal?: AbortSignal | undefined;
  /** Before anything is read: from how many objects of which months, bytes and events. */
  readonly onBegin: (reading: ArchiveReading) => void;
  readonly onProgress: (events: number, total: number) => void;
}

export interface ArchiveReading {
  readonly months: readonly string[];
  readonly objects: number;
  readonly bytes: number;
  readonly events: number;
}

/**
 * Asks the log a question: the database, on the primary or a replica; and where it is wished, together with it, the
 * archived months that the filter can touch, of a page those it can come to. Their events are proven against what was signed for, and stand beside the
 * log in a temporary table of the session while `work` reads, where the same statements find them.
 * Throws `archive_not_read` for support, `archive_damaged`, `unproven_archive`, `erasure_due`, `archive_elsewhere`.
 */
export async function readLog<F extends EventFilter, T>(
  session: Session,
  read: Read,
  question: {
    readonly filter: F;
    readonly page?: EventPaging;
    readonly archive?: ArchiveWish | undefined;
  },
  work: (reader: Session, filter: F) => Promise<T>,
): Promise<T> {
  const { filter, page, archive: wish } = question;
  if (wish === undefined) return await read((reader) => work(reader, filter));
  if (session.duty === 'support') throw notForSupport();
  const bounds = bothBounds(boundsOfFilter(filter), page === undefined ? {} : boundsOfPage(page));
  const touched = await touchedArchives(session, bounds);
  const known =
    touched.length === 0 || page === undefined ? [] : await timesInDatabase(session, filter, page);
  const comes = (span: Span) => page === undefined || !isFullBefore(span, known, page);
  const archives = touched.filter((archive) => comes(spanOfMonth(archive)));
  if (archives.length === 0) return await work(session, filter);
  await requireSigned(session, wish.context, archives);
  if (session.duty !== 'sre') await requireErased(session, archives);
  try {
    await withCarrier(wish.context, async (carrier) => {
      const chunks: StoredChunk[] = [];
      for (const archive of archives)
        chunks.push(...(await storedChunks(session, carrier, archive, bounds)).filter(comes));
      wish.onBegin(readingOf(archives, chunks));
      await makeArchivedTable(session);
      await bring(session, carrier, inPageOrder(chunks, page), { filter, page, wish, known });
    });
    const answer = await work(session, { ...filter, archived: true });
    await requireSame(session, touched, bounds);
    return answer;
  } finally {
    await dropArchivedTable(session).catch(() => undefined);
  }
}

interface Bringing {
  readonly filter: EventFilter;
  readonly page?: EventPaging | undefined;
  readonly wish: ArchiveWish;
  /** When the events were that the page has from the database. */
  readonly known: readonly Date[];
}

async function bring(
  session: Session,
  { store }: Carrier,
  chunks: readonly StoredChunk[],
  { filter, page, wish, known }: Bringing,
): Promise<void> {
  const lawful = await lawfulRequests(session);
  const total = chunks.reduce((sum, { events }) => sum + events, 0);
  let done = 0;
  let ahead = known;
  for (const chunk of chunks) {
    wish.signal?.throwIfAborted();
    if (page !== undefined && isFullBefore(chunk, ahead, page)) break;
    await keepMatching(session, await archivedRows(store, chunk, lawful), filter, page);
    if (page !== undefined) ahead = [...known, ...(await timesBrought(session, page))];
    done += chunk.events;
    wish.onProgress(done, total);
  }
}

/** Requests whose erasures are on record; under `sre`, which reads no parts, none. */
async function lawfulRequests(session: Session): Promise<ReadonlySet<string>> {
  if (session.duty === 'sre') return new Set();
  const rows = await session.query<{ request: string }>('select distinct request from audit.erasures');
  return new Set(rows.map(({ request }) => request));
}

function readingOf(archives: readonly Archive[], chunks: readonly StoredChunk[]): ArchiveReading {
  const objects = chunks.flatMap(({ skeleton, personal }) => (personal ? [skeleton, personal] : [skeleton]));
  return {
    months: [...new Set(archives.map(({ month }) => nameOf(month)))].sort(),
    objects: objects.length,
    bytes: objects.reduce((sum, { size }) => sum + size, 0),
    events: chunks.reduce((sum, { events }) => sum + events, 0),
  };
}

async function requireSigned(
  session: Session,
  context: Context,
  archives: readonly Archive[],
): Promise<void> {
  const keys = namedKeys(await verifyingKeys(openEvidence(context).places));
  const { log } = await readLogState(session);
  const unsigned = archives.find((archive) => !isSigned(archive, log, keys));
  if (unsigned === undefined) return;
  throw new NestctlError(
    `No known key has signed that the archive of ${nameOf(unsigned.month)} holds what the database says of it.`,
    {
      kind: 'finding',
      code: 'unproven_archive',
      hint: 'Nothing of it was read. Where another console signed it, import its public key first.',
      next: 'nestctl evidence key import --help',
    },
  );
}

/** What an erasure has still to destroy there must not be shown. */
async function requireErased(session: Session, archives: readonly Archive[]): Promise<void> {
  const due = await session.query<{ request: string; archive_id: string }>(
    'select request, archive_id from audit.archive_erasures where done_at is null and archive_id = any ($1::uuid[]) order by request',
    [archives.map(({ id }) => id)],
  );
  const [first] = due;
  if (first === undefined) return;
  const archive = archives.find(({ id }) => id === first.archive_id) as Archive;
  throw new NestctlError(
    `What request ${first.request} erased may still lie in the archive of ${nameOf(archive.month)}.`,
    {
      kind: 'conflict',
      code: 'erasure_due',
      hint: 'Its archives are read again once the erasure has reached them.',
      next: 'nestctl audit archive',
    },
  );
}

/** A month that was archived while it was read would be in neither half of the answer. */
async function requireSame(
  session: Session,
  archives: readonly Archive[],
  bounds: Parameters<typeof touchedArchives>[1],
): Promise<void> {
  const now = await touchedArchives(session, bounds);
  if (now.length === archives.length) return;
  throw new NestctlError('A month was archived while the question was answered.', {
    kind: 'conflict',
    code: 'archived_meanwhile',
    hint: 'Ask again.',
  });
}

function notForSupport(): NestctlError {
  return new NestctlError('Support does not read archived months.', {
    kind: 'not_allowed',
    code: 'archive_not_read',
    hint: 'An object of an archive holds events of many families, and support reads those it has a grant for. Ask an auditor or compliance.',
  });
}
