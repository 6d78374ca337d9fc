import sql from 'sql-template-tag';
import {
  type Evidence,
  formatProof,
  type LeafFacts,
  leafOf,
  namedKeys,
  verifyingKeys,
} from '../evidence/index.js';
import type { Session } from '../platform/database/session.js';
import { NestctlError } from '../platform/errors.js';
import { openCheckpoint, partsOf, type SignedCheckpoint } from '../platform/transparency/checkpoint.js';
import { joined, pathOf } from '../platform/transparency/merkle.js';
import { readLogState } from './seal/log-state.js';
import { tileReader } from './seal/tree-tiles.js';

export interface EventReceipt {
  readonly event: string;
  /** Of its leaf, from 0. */
  readonly index: number;
  /** Leaves of the tree that was signed. */
  readonly size: number;
  readonly origin: string;
  /** When its head was signed. */
  readonly made_at: string;
  /** The file: https://c2sp.org/tlog-proof. */
  readonly proof: string;
}

/**
 * The proof that an event is in the signed log as it stands: it verifies with the public keys alone, and holds none of
 * the event's contents. Throws `not_found`, `not_sealed`, `event_altered`.
 */
export async function proveEvent(session: Session, evidence: Evidence, id: string): Promise<EventReceipt> {
  const keys = namedKeys(await verifyingKeys(evidence.places));
  return await session.transaction(
    async () => {
      const { facts, index } = await session.one<{ facts: LeafFacts | null; index: number | null }>(
        sql`select audit.leaf_facts(${id}::bigint) as facts, audit.leaf_index(${id}::bigint)::float8 as index`,
      );
      if (facts === null) {
        throw new NestctlError(`You see no audit event ${id}.`, {
          kind: 'not_found',
          next: 'nestctl audit query --since 1d',
        });
      }
      const { log } = await readLogState(session);
      const checkpoint = index === null ? undefined : await headOver(session, index, log, keys);
      if (index === null || checkpoint === undefined) throw notSealed(id);
      const read = tileReader(session);
      const leaf = await read({ height: 0, index });
      if (!leaf.equals(leafOf(facts))) throw altered(id);
      const path: Buffer[] = [];
      for (const trees of pathOf(index, checkpoint.size)) path.push(await joined(trees, read));
      const { size, origin, madeAt, note } = checkpoint;
      return {
        event: id,
        index,
        size,
        origin,
        made_at: madeAt,
        proof: formatProof({ facts, index, path, note }),
      };
    },
    { isolation: 'repeatable read', readOnly: true },
  );
}

/** The newest good head that holds the leaf. */
async function headOver(
  session: Session,
  index: number,
  log: string,
  keys: Parameters<typeof openCheckpoint>[1],
): Promise<SignedCheckpoint | undefined> {
  const notes = await session.query<{ note: string }>(
    sql`select note from audit.checkpoints where size > ${index} order by id desc limit 20`,
  );
  return notes
    .map(({ note }) => openCheckpoint(note, keys))
    .find((checkpoint) => checkpoint?.kid !== undefined && partsOf(checkpoint).log === log);
}

function notSealed(id: string): NestctlError {
  return new NestctlError(`Event ${id} is not sealed yet, or no known key has signed a head that holds it.`, {
    kind: 'conflict',
    code: 'not_sealed',
    hint: 'Events are sealed within moments of the end of all transactions that began before.',
    next: 'nestctl audit seal --status',
  });
}

function altered(id: string): NestctlError {
  return new NestctlError(`Event ${id} is not what was sealed: it was altered afterwards.`, {
    kind: 'conflict',
    code: 'event_altered',
    next: 'nestctl audit verify',
  });
}
