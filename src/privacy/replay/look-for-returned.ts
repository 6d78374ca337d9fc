import sql from 'sql-template-tag';
import { type Ledger, listRecords, openEvidence, openLedger, shareChain } from '../../evidence/index.js';
import type { Context } from '../../platform/config/contexts.js';
import type { Session } from '../../platform/database/session.js';
import {
  LEDGER_CHAIN,
  LEDGER_PURPOSE,
  ledgerRecords,
  type SignedEntry,
  spelledFor,
} from '../erasures/ledger-record.js';

/**
 * gone: nobody of it is here; back: the account is, with what was erased of it; unfinished: its erasure has begun here, and
 * that nothing is left is not proven; another: only another account has an address, a number, a device or a payment of theirs, which is reported and
 * never erased; part: families or children of theirs are here without the account; unknown: the key that made it is not here.
 */
export type ReturnState = 'gone' | 'back' | 'unfinished' | 'another' | 'part' | 'unknown';

/** What has become of an entry of the ledger. */
export interface Returned {
  readonly record: string;
  readonly request: string;
  readonly ground: string;
  readonly entered_at: Date;
  readonly state: ReturnState;
  /** The account that is back. */
  readonly person: string | null;
  /** Of those that went with it, the families that are back and that it is in. */
  readonly families: readonly string[];
  /** By what it is known again: person, email, phone, family … */
  readonly by: readonly string[];
  /** Other accounts that are known by something of it. */
  readonly others: readonly { readonly person: string; readonly by: readonly string[] }[];
  /** The erasure that has begun already, by its request or its record. */
  readonly run: string | null;
}

export interface Look {
  readonly id: string;
  /** The last record of the ledger then, and its SHA-256, hex. */
  readonly head: { readonly record: string; readonly sha256: string };
  readonly accounts: number;
  /** The entry that is newest first. */
  readonly returned: readonly Returned[];
}

export interface LookOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onPage?: ((accounts: number) => void) | undefined;
}

interface Known {
  readonly person: string;
  readonly names: string;
  readonly value: string;
}

const PAGE = 1_000;
/** What tells one person from all others. */
const OWN = new Set(['email', 'phone', 'device', 'stripe']);

/**
 * Looks through all accounts for whom the ledger knows, and puts that on record; undefined where it knows nobody. Keyed hashes are made here: no key goes to
 * the database. Memory goes with the entries of the ledger. Throws `no_ledger_key`, and what the object store does.
 */
export async function lookForReturned(
  session: Session,
  context: Context,
  { signal, onPage }: LookOptions = {},
): Promise<Look | undefined> {
  const evidence = openEvidence(context);
  await shareChain(evidence, context, LEDGER_CHAIN);
  const entries = await ledgerRecords(evidence);
  if (entries.length === 0) return undefined;
  const ledger = await openLedger(evidence, LEDGER_PURPOSE);
  const [last] = (await listRecords(evidence, { chain: LEDGER_CHAIN, limit: 1 })).records;
  const head = { record: last?.id ?? '', sha256: last?.hash ?? '' };
  const { id } = await session.one<{ id: string }>(
    sql`select privacy.begin_look(${entries.length}::integer, ${head.sha256}) as id`,
  );
  const finds = indexed(entries);
  const found = entries.map(() => new Map<string, Known[]>());
  let accounts = 0;
  for (let after: string | null = null; ; ) {
    signal?.throwIfAborted();
    const page: Known[] = await session.query<Known>(
      sql`select person, names, value from privacy.known_accounts(${id}, ${after}::uuid, ${PAGE}::integer)`,
    );
    for (const known of page) {
      for (const at of hits(ledger, finds, known)) {
        const all = found[at] as Map<string, Known[]>;
        all.set(known.person, [...(all.get(known.person) ?? []), known]);
      }
    }
    const last = page.at(-1);
    if (last === undefined) break;
    after = last.person;
    accounts += new Set(page.map(({ person }) => person)).size;
    onPage?.(accounts);
  }
  const run = await erasuresByEntry(session);
  const returned = entries.map((entry, at) =>
    judge(entry, found[at] ?? new Map(), ledger, run.get(entry.content.erasure) ?? []),
  );
  await session.query(
    sql`select privacy.end_look(${id}, ${accounts}::bigint, ${JSON.stringify(countStates(returned))}::jsonb)`,
  );
  return { id, head, accounts, returned };
}

/** How many entries were found how. */
export function countStates(returned: readonly Returned[]): Partial<Record<ReturnState, number>> {
  const counts: Partial<Record<ReturnState, number>> = {};
  for (const { state } of returned) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

/** Entries by the hashes in them. */
function indexed(entries: readonly SignedEntry[]): ReadonlyMap<string, readonly number[]> {
  const index = new Map<string, number[]>();
  entries.forEach(({ content }, at) => {
    for (const { names, kid, mac } of content.identifiers) {
      const key = `${names} ${kid} ${mac}`;
      index.set(key, [...(index.get(key) ?? []), at]);
    }
  });
  return index;
}

function hits(
  ledger: Ledger,
  index: ReadonlyMap<string, readonly number[]>,
  { names, value }: Known,
): readonly number[] {
  return ledger
    .entries(spelledFor(names, value))
    .flatMap(({ kid, mac }) => index.get(`${names} ${kid} ${mac}`) ?? []);
}

interface Run {
  readonly request: string;
  readonly proven: boolean;
}

/** The erasures that have begun here, by the id that the ledger has them under; the last one last. */
async function erasuresByEntry(session: Session): Promise<ReadonlyMap<string, readonly Run[]>> {
  const runs = await session.query<Run & { entry: string }>(
    `select coalesce(replays, id) as entry, request, proven_at is not null as proven from privacy.erasures
     where begun_at is not null order by scheduled_at`,
  );
  const byEntry = new Map<string, Run[]>();
  for (const run of runs) byEntry.set(run.entry, [...(byEntry.get(run.entry) ?? []), run]);
  return byEntry;
}

function judge(
  { record, made_at, content }: SignedEntry,
  found: ReadonlyMap<string, readonly Known[]>,
  ledger: Ledger,
  runs: readonly Run[],
): Returned {
  const by = (known: readonly Known[]) => [...new Set(known.map(({ names }) => names))].sort();
  const person = [...found].find(([, known]) => known.some(({ names }) => names === 'person'))?.[0];
  const of = person === undefined ? [] : (found.get(person) ?? []);
  const rest = [...found].filter(([other]) => other !== person);
  const open = runs.find(({ proven }) => !proven);
  const others = rest
    .filter(([, known]) => known.some(({ names }) => OWN.has(names)))
    .map(([other, known]) => ({ person: other, by: by(known) }));
  const told = {
    ...{ record, request: content.request, ground: content.ground, entered_at: made_at },
    families: of.filter(({ names }) => names === 'family').map(({ value }) => value),
    ...{ by: by(of), others, run: open?.request ?? null },
  };
  // The id of an account stays when all else of it is erased.
  const back = person !== undefined && (runs.length === 0 || of.some(({ names }) => names !== 'person'));
  if (!content.identifiers.every((entry) => ledger.knows(entry)))
    return { ...told, state: 'unknown', person: null };
  if (open !== undefined) return { ...told, state: 'unfinished', person: person ?? null };
  if (back) return { ...told, state: 'back', person: person ?? null };
  if (others.length > 0) return { ...told, state: 'another', person: null };
  return { ...told, state: rest.length > 0 ? 'part' : 'gone', person: null };
}
