import sql from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import type { NamedKey } from '../../platform/signing/dsse.js';
import { openCheckpoint, partsOf, type SignedCheckpoint } from '../../platform/transparency/checkpoint.js';
import type { LogState } from '../seal/log-state.js';
import type { Epoch } from './epochs.js';
import type { Findings } from './finding.js';

/** Where a checkpoint comes from: the database itself, or somebody who has seen it there. */
export type Source = 'database' | 'console' | 'store';

export interface KnownHead {
  readonly checkpoint: SignedCheckpoint;
  readonly source: Source;
}

/** What became of a head when it was held against the tree. */
export type Standing = 'matches' | 'differs' | 'beyond' | 'abandoned' | 'other_log' | 'unsigned';

/**
 * Whether a head is one to hold against the tree as it is now, or was given up by a recovery that was recorded since:
 * of an epoch before it, only what it brought back counts.
 */
function isAbandoned(checkpoint: SignedCheckpoint, epochs: readonly Epoch[]): boolean {
  const { epoch } = partsOf(checkpoint);
  const kept = epochs.filter((later) => later.epoch > epoch).map(({ tree_size: size }) => size ?? 0);
  return kept.length > 0 && checkpoint.size > Math.min(...kept);
}

/** Whether a known key signed it, for this log. */
export function isOfLog(checkpoint: SignedCheckpoint, { log }: LogState): boolean {
  return checkpoint.kid !== undefined && partsOf(checkpoint).log === log;
}

/** The checkpoints that the database keeps, in order. */
export async function keptHeads(
  session: Session,
  keys: readonly NamedKey[],
  findings: Findings,
): Promise<KnownHead[]> {
  const heads: KnownHead[] = [];
  for (let after = '0'; ; ) {
    const page = await session.query<{
      id: string;
      note: string;
      origin: string;
      size: number;
      root: Buffer;
    }>(
      sql`select id, note, origin, size::float8 as size, root from audit.checkpoints where id > ${after} order by id limit 2000`,
    );
    for (const { id, note, origin, size, root } of page) {
      const checkpoint = openCheckpoint(note, keys);
      const wrong = (detail: string) => findings.fault('rewritten', detail, { object: `checkpoint ${id}` });
      if (checkpoint === undefined) {
        wrong('it is kept as a checkpoint and is none');
        continue;
      }
      // Its columns are what is looked up, and only the note is signed.
      if (checkpoint.origin !== origin || checkpoint.size !== size || !checkpoint.root.equals(root))
        wrong('it is kept under another name, size or root than its note says');
      heads.push({ checkpoint, source: 'database' });
    }
    const last = page.at(-1);
    if (last === undefined) return heads;
    after = last.id;
  }
}

/** Whether its size and root are to be those of the tree. */
export function isComparable({ checkpoint }: KnownHead, state: LogState, epochs: readonly Epoch[]): boolean {
  return isOfLog(checkpoint, state) && !isAbandoned(checkpoint, epochs);
}

/** What became of it. */
export function standingOf(
  { checkpoint }: KnownHead,
  state: LogState,
  epochs: readonly Epoch[],
  roots: ReadonlyMap<number, Buffer>,
  size: number,
): Standing {
  if (checkpoint.kid === undefined) return 'unsigned';
  if (partsOf(checkpoint).log !== state.log) return 'other_log';
  if (isAbandoned(checkpoint, epochs)) return 'abandoned';
  if (checkpoint.size > size) return 'beyond';
  return roots.get(checkpoint.size)?.equals(checkpoint.root) === true ? 'matches' : 'differs';
}
