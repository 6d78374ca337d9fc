import sql from 'sql-template-tag';
import { type Evidence, lockEvidence, namedKeys, verifyingKeys } from '../../evidence/index.js';
import type { Session } from '../../platform/database/session.js';
import type { NamedKey } from '../../platform/signing/dsse.js';
import { openCheckpoint, partsOf, type SignedCheckpoint } from '../../platform/transparency/checkpoint.js';
import { type LogState, readLogState } from '../seal/log-state.js';
import { rememberCheckpoint, seenCheckpoints } from '../seal/seen-checkpoints.js';
import { diagnose } from './diagnose.js';
import { type Epoch, judgeEpochs, readEpochs } from './epochs.js';
import { type Doubt, type Fault, Findings } from './finding.js';
import { judgeCatalogue } from './judge-catalogue.js';
import { judgeErasures } from './judge-erasures.js';
import { type JudgedHead, judgeHeads } from './judge-heads.js';
import { isAbandoned, type KnownHead, type Standing } from './known-heads.js';
import { readEntry, Tally } from './tally.js';
import { inRange, type Range, readEvents } from './verify-events.js';
import { walkTree } from './verify-tree.js';

/** A recovery that was recorded, and what it gave up. */
export interface Rewound {
  readonly epoch: number;
  readonly from: number;
  readonly to: number;
  readonly evidence: string | null;
}

export interface LogReport {
  readonly verdict: 'intact' | 'lawfully_erased' | 'rewound' | 'tampered';
  readonly log: string;
  /** Leaves of the tree. */
  readonly size: number;
  /** Events that were read. */
  readonly events: number;
  readonly unsealed: number;
  /** Checkpoints that were held against the tree. */
  readonly checkpoints: number;
  readonly last_checkpoint: string | null;
  readonly faults: readonly Fault[];
  /** Faults beyond those that are named. */
  readonly more_faults: number;
  readonly doubts: readonly Doubt[];
  readonly erased: readonly { readonly request: string; readonly events: number }[];
  readonly rewound: readonly Rewound[];
}

export interface VerifyOptions {
  readonly range?: Range;
  /** Heads that somebody else has seen, such as an object store. */
  readonly carried?: readonly string[];
  readonly tell?: (stage: string) => void;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Verifies the audit log: every event against its leaf, every leaf against the tree, the tree against every head that
 * was signed, those that this console remembers included, and what the log rests on from checkpoint to checkpoint.
 * One snapshot of the database, read once; memory does not grow with the log.
 */
export async function verifyLog(
  session: Session,
  evidence: Evidence,
  options: VerifyOptions = {},
): Promise<LogReport> {
  const keys = namedKeys(await verifyingKeys(evidence.places));
  const seen = await lockEvidence(evidence, () => seenCheckpoints(evidence, keys));
  const { report, newest } = await session.transaction(() => verifySnapshot(session, keys, seen, options), {
    isolation: 'repeatable read',
    readOnly: true,
  });
  if (report.verdict !== 'tampered' && newest !== undefined)
    await lockEvidence(evidence, () => rememberCheckpoint(evidence, newest));
  return report;
}

async function verifySnapshot(
  session: Session,
  keys: readonly NamedKey[],
  seen: readonly SignedCheckpoint[],
  { range = {}, carried = [], tell, onProgress, signal }: VerifyOptions,
): Promise<{ report: LogReport; newest: SignedCheckpoint | undefined }> {
  const findings = new Findings();
  const state = await readLogState(session);
  const epochs = await readEpochs(session);
  const sameCluster = await judgeEpochs(session, epochs, state.log, keys, findings);
  const heads: KnownHead[] = [
    ...(await keptHeads(session, keys, findings)),
    ...seen.map((checkpoint): KnownHead => ({ checkpoint, source: 'console' })),
    ...carried.flatMap((note): KnownHead[] => {
      const checkpoint = openCheckpoint(note, keys);
      return checkpoint === undefined ? [] : [{ checkpoint, source: 'store' }];
    }),
  ];

  tell?.('reading the tree');
  const tally = new Tally();
  const roots = new Map<number, Buffer>();
  const wanted = heads
    .filter((head) => isComparable(head, state, epochs))
    .map(({ checkpoint }) => checkpoint.size);
  const whole = range.from === undefined && range.to === undefined;
  const size = await walkTree(session, wanted, findings, {
    signal,
    onProgress: (leaves) => onProgress?.(leaves, state.size),
    onHead: (at, root) => roots.set(at, root),
    onLeaf: (entries, entryAt, hashes, hashAt) => {
      if (whole || inRange(readEntry(entries, entryAt).at, range))
        tally.take(entries, entryAt, hashes, hashAt);
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
  judgeHeads(judged, size, !sameCluster, findings);

  tell?.('reading the events');
  const read = await readEvents(session, state, range, tally, findings, {
    onProgress: (events) => onProgress?.(events, Math.max(events, state.size)),
    signal,
  });
  const differing = tally.differing();
  if (differing.length > 0) await diagnose(session, state, range, differing, findings);
  await judgeErasures(session, read.erased, findings);
  tell?.('comparing triggers, functions and grants');
  const signed = new Set(
    heads.filter(({ checkpoint }) => checkpoint.kid).map(({ checkpoint }) => checkpoint.catalogue),
  );
  await judgeCatalogue(session, signed, findings);

  const erased = [...read.erased].map(([request, events]) => ({ request, events }));
  const rewound = rewindings(epochs);
  const newest = judged.filter(({ standing }) => standing === 'matches').at(-1)?.checkpoint;
  return {
    newest: judged.findLast(({ standing, source }) => standing === 'matches' && source === 'database')
      ?.checkpoint,
    report: {
      verdict:
        findings.faults.length > 0
          ? 'tampered'
          : rewound.length > 0
            ? 'rewound'
            : erased.length > 0
              ? 'lawfully_erased'
              : 'intact',
      log: state.log,
      size,
      events: read.events,
      unsealed: read.unsealed,
      checkpoints: judged.filter(({ standing }) => standing === 'matches' || standing === 'differs').length,
      last_checkpoint: newest?.madeAt ?? null,
      faults: findings.faults,
      more_faults: findings.more,
      doubts: findings.doubts,
      erased,
      rewound,
    },
  };
}

/** The checkpoints that the database keeps, in order. */
async function keptHeads(
  session: Session,
  keys: readonly NamedKey[],
  findings: Findings,
): Promise<KnownHead[]> {
  const heads: KnownHead[] = [];
  for (let after = '0'; ; ) {
    const page = await session.query<{ id: string; note: string }>(
      sql`select id, note from audit.checkpoints where id > ${after} order by id limit 2000`,
    );
    for (const { id, note } of page) {
      const checkpoint = openCheckpoint(note, keys);
      if (checkpoint === undefined) {
        findings.fault('rewritten', 'it is kept as a checkpoint and is none', { object: `checkpoint ${id}` });
      } else heads.push({ checkpoint, source: 'database' });
    }
    const last = page.at(-1);
    if (last === undefined) return heads;
    after = last.id;
  }
}

function isComparable({ checkpoint }: KnownHead, state: LogState, epochs: readonly Epoch[]): boolean {
  return (
    checkpoint.kid !== undefined && partsOf(checkpoint).log === state.log && !isAbandoned(checkpoint, epochs)
  );
}

function standingOf(
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

function rewindings(epochs: readonly Epoch[]): Rewound[] {
  return epochs.flatMap(({ epoch, tree_size: from, seen_size: to, evidence }) =>
    from !== null && to !== null && to > from ? [{ epoch, from, to, evidence }] : [],
  );
}
