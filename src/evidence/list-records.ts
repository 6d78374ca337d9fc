import { decodeCursor, encodeCursor } from '../platform/cursor.js';
import { NestctlError } from '../platform/errors.js';
import { type Envelope, parseEnvelope } from '../platform/signing/dsse.js';
import type { Evidence } from './open-evidence.js';
import { type EvidenceRecord, readStatement, sha256 } from './record.js';

/** A record as it says of itself: nothing here is verified. */
export interface ListedRecord {
  readonly id: string;
  readonly chain: string;
  readonly number: number;
  /** Null where it is damaged. */
  readonly record: EvidenceRecord | null;
  readonly kid: string | null;
  readonly hash: string;
}

/** A page of the newest records first, of one chain or of all. Throws `no_chain`, `invalid_cursor`. */
export async function listRecords(
  { store }: Evidence,
  options: {
    readonly chain?: string | undefined;
    readonly type?: string | undefined;
    readonly limit: number;
    readonly cursor?: string | undefined;
  },
): Promise<{ readonly records: ListedRecord[]; readonly nextCursor: string | undefined }> {
  const { chain: only, type, limit, cursor } = options;
  const all = await store.chains();
  if (only !== undefined && !all.includes(only)) throw noChain(only, all);
  const from = cursor === undefined ? undefined : placesIn(cursor);
  const walks: Walk[] = [];
  for (const chain of only === undefined ? all : [only]) {
    // A chain that the page before did not know is newer than all of this one.
    const start = from === undefined ? Number.POSITIVE_INFINITY : (from.get(chain) ?? 0);
    const { numbers } = await store.list(chain);
    walks.push({ chain, left: numbers.filter((number) => number <= start), time: '9999', next: undefined });
  }
  const forward = async (walk: Walk): Promise<void> => {
    walk.next = undefined;
    for (let number = walk.left.pop(); number !== undefined; number = walk.left.pop()) {
      const bytes = (await store.read(walk.chain, number)) ?? Buffer.alloc(0);
      const listed = describe(walk.chain, number, bytes);
      // A damaged one has no time of its own: it stays beside the one after it.
      walk.time = listed.record?.made_at ?? walk.time;
      if (type !== undefined && listed.record?.type !== type) continue;
      walk.next = listed;
      return;
    }
  };
  for (const walk of walks) await forward(walk);

  const records: ListedRecord[] = [];
  for (;;) {
    const ready = walks.filter(({ next }) => next !== undefined);
    const newest = ready.reduce<Walk | undefined>(
      (a, b) => (a === undefined || b.time > a.time ? b : a),
      undefined,
    );
    if (newest?.next === undefined) return { records, nextCursor: undefined };
    if (records.length === limit) {
      const places = ready.map(({ chain, next }) => `${chain}:${next?.number}`);
      return { records, nextCursor: encodeCursor(LIST, [places.join(',')]) };
    }
    records.push(newest.next);
    await forward(newest);
  }
}

/** The newest record of a type in a chain that says something; undefined where none does. Reads back through all of them. */
export async function findStatement(
  evidence: Evidence,
  { chain, type }: { readonly chain: string; readonly type: string },
  says: (content: EvidenceRecord['content']) => boolean,
): Promise<ListedRecord | undefined> {
  if (!(await evidence.store.chains()).includes(chain)) return undefined;
  for (let cursor: string | undefined; ; ) {
    const page = await listRecords(evidence, { chain, type, limit: 100, cursor });
    const found = page.records.find(({ record }) => record !== null && says(record.content));
    if (found !== undefined || page.nextCursor === undefined) return found;
    cursor = page.nextCursor;
  }
}

/** The way back through one chain. */
interface Walk {
  readonly chain: string;
  /** Numbers still to be read, ascending. */
  readonly left: number[];
  time: string;
  next: ListedRecord | undefined;
}

const LIST = 'evidence';
const PLACES = /^[a-z0-9-]+:\d{1,15}(,[a-z0-9-]+:\d{1,15})*$/;

function placesIn(cursor: string): Map<string, number> {
  const [places = ''] = decodeCursor(LIST, cursor, [PLACES]);
  return new Map(
    places.split(',').map((place): [string, number] => {
      const [chain = '', number] = place.split(':');
      return [chain, Number(number)];
    }),
  );
}

/** A record and its envelope by `CHAIN/NUMBER`, as it says of itself. Throws `usage` and `not_found`. */
export async function findRecord(
  { store }: Evidence,
  id: string,
): Promise<{ readonly listed: ListedRecord; readonly envelope: Envelope | undefined }> {
  const [, chain, digits] = /^([a-z0-9-]+)\/([1-9]\d{0,14})$/.exec(id) ?? [];
  if (chain === undefined) {
    throw new NestctlError(`"${id}" is not a record: write CHAIN/NUMBER, such as keys/1.`, { kind: 'usage' });
  }
  const chains = await store.chains();
  if (!chains.includes(chain)) throw noChain(chain, chains);
  const bytes = await store.read(chain, Number(digits));
  if (bytes === undefined) {
    const { numbers } = await store.list(chain);
    throw new NestctlError(`There is no record ${digits} in the chain ${chain}.`, {
      kind: 'not_found',
      code: 'no_record',
      hint: `Its last one is ${numbers.at(-1) ?? 0}.`,
      next: `nestctl evidence list --chain ${chain}`,
    });
  }
  return {
    listed: describe(chain, Number(digits), bytes),
    envelope: parseEnvelope(bytes.toString('utf8')),
  };
}

function describe(chain: string, number: number, bytes: Buffer): ListedRecord {
  const envelope = parseEnvelope(bytes.toString('utf8'));
  return {
    id: `${chain}/${number}`,
    chain,
    number,
    record: (envelope && readStatement(envelope)) ?? null,
    kid: envelope?.signatures[0]?.keyid ?? null,
    hash: sha256(bytes),
  };
}

function noChain(chain: string, chains: readonly string[]): NestctlError {
  return new NestctlError(`There is no chain "${chain}".`, {
    kind: 'not_found',
    code: 'no_chain',
    hint: chains.length > 0 ? `There are: ${chains.join(', ')}.` : 'There is no evidence yet.',
    next: 'nestctl evidence list',
  });
}
