import type { Session } from '../../platform/database/session.js';
import type { NamedKey } from '../../platform/signing/dsse.js';
import type { SignedCheckpoint } from '../../platform/transparency/checkpoint.js';
import { readFamilyChains } from '../seal/family-chains.js';
import type { LogState } from '../seal/log-state.js';
import { diagnose } from './diagnose.js';
import type { Epoch } from './epochs.js';
import { FamilyWalk } from './family-walk.js';
import type { Findings } from './finding.js';
import { type ArchivedMonth, judgeArchivedErasures, walkArchives } from './judge-archives.js';
import { judgeErasures } from './judge-erasures.js';
import { type JudgedHead, judgeHeads } from './judge-heads.js';
import { type PrunedMonth, walkPrunings } from './judge-prunings.js';
import { judgeState, wentBack } from './judge-state.js';
import { isComparable, type KnownHead, standingOf } from './known-heads.js';
import { readEntry, Tally } from './tally.js';
import { type EventsRead, inRange, type Range, readEvents } from './verify-events.js';
import { walkTree } from './verify-tree.js';

/** What the database says of the log, and the heads that its tree is to have. */
export interface ClaimedLog {
  readonly state: LogState;
  readonly epochs: readonly Epoch[];
  readonly sameCluster: boolean;
  readonly heads: readonly KnownHead[];
}

export interface Compared {
  /** Leaves of the tree. */
  readonly size: number;
  readonly judged: readonly JudgedHead[];
  readonly read: EventsRead;
  readonly archived: readonly ArchivedMonth[];
  readonly pruned: readonly PrunedMonth[];
}

export interface CompareOptions {
  readonly range?: Range;
  readonly tell?: (stage: string) => void;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Every event against its leaf, every leaf against the tree, and the tree against the heads. */
export async function compareLog(
  session: Session,
  keys: readonly NamedKey[],
  { state, epochs, sameCluster, heads }: ClaimedLog,
  findings: Findings,
  { range = {}, tell, onProgress, signal }: CompareOptions,
): Promise<Compared> {
  tell?.('reading the tree');
  const tally = new Tally();
  const prunings = await walkPrunings(session, state.log, keys, findings);
  const archives = await walkArchives(session, state.log, keys, findings, prunings.archives);
  const families = new FamilyWalk(await readFamilyChains(session));
  const roots = new Map<number, Buffer>();
  const wanted = heads
    .filter((head) => isComparable(head, state, epochs))
    .map(({ checkpoint }) => checkpoint.size);
  const whole = range.from === undefined && range.to === undefined;
  const size = await walkTree(session, wanted, findings, {
    signal,
    onProgress: (leaves) => onProgress?.(leaves, state.size),
    onHead: (at, root) => {
      roots.set(at, root);
      families.mark(at);
    },
    onLeaf: (entries, entryAt, hashes, hashAt, index, family) => {
      families.add(family, index, hashes, hashAt);
      if (prunings.take(entries, entryAt, hashes, hashAt, index)) return;
      if (archives.take(entries, entryAt, hashes, hashAt, index)) return;
      if (whole || inRange(readEntry(entries, entryAt).at, range))
        tally.take(entries, entryAt, hashes, hashAt, families.keyOf(family));
    },
  });
  if (size !== state.size) {
    findings.fault('tiles_damaged', `the tiles hold ${size} leaves, and ${state.size} were sealed`, {
      object: 'tiles',
    });
  }
  const judged = heads.map(
    (head): JudgedHead => ({ ...head, standing: standingOf(head, state, epochs, roots, size) }),
  );
  const wasPutBack = async (beyond: SignedCheckpoint) =>
    !sameCluster || (await wentBack(session, state, beyond));
  await judgeHeads(judged, size, epochs, wasPutBack, findings);
  judgeState(judged, state, epochs, sameCluster, findings);
  families.judge(judged, findings);

  tell?.('reading the events');
  const read = await readEvents(session, state, range, tally, findings, {
    onProgress: (events) => onProgress?.(events, Math.max(events, state.size)),
    signal,
  });
  const differing = tally.differing();
  if (differing.length > 0)
    await diagnose(
      session,
      state,
      range,
      differing,
      families,
      findings,
      (...leaf) => archives.holds(...leaf) || prunings.holds(...leaf),
    );
  const archived = archives.judge();
  const pruned = prunings.judge();
  await judgeArchivedErasures(session, read.erased, findings);
  await judgeErasures(session, read.erased, findings);
  return { size, judged, read, archived, pruned };
}
