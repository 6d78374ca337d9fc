import { type Evidence, lockEvidence, namedKeys, verifyingKeys } from '../../evidence/index.js';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import type { NamedKey } from '../../platform/signing/dsse.js';
import { openCheckpoint, type SignedCheckpoint } from '../../platform/transparency/checkpoint.js';
import { type LogState, readLogState } from '../seal/log-state.js';
import { rememberCheckpoint, seenCheckpoints } from '../seal/seen-checkpoints.js';
import { type Compared, type CompareOptions, compareLog } from './compare-log.js';
import { type Epoch, judgeEpochs, readEpochs } from './epochs.js';
import { type Doubt, type Fault, Findings } from './finding.js';
import type { ArchivedMonth } from './judge-archives.js';
import { judgeCatalogue } from './judge-catalogue.js';
import type { PrunedMonth } from './judge-prunings.js';
import { isOfLog, type KnownHead, keptHeads } from './known-heads.js';

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
  /** Months that lie in the object store instead of the database. */
  readonly archived: readonly ArchivedMonth[];
  /** Months whose events were dropped because their years were over. */
  readonly pruned: readonly PrunedMonth[];
}

export interface VerifyOptions extends CompareOptions {
  /** Heads that somebody else has seen, such as an object store. */
  readonly carried?: readonly string[];
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
  options: VerifyOptions,
): Promise<{ report: LogReport; newest: SignedCheckpoint | undefined }> {
  const findings = new Findings();
  const state = await readLogState(session);
  const epochs = await readEpochs(session);
  const sameCluster = await judgeEpochs(session, epochs, state.log, keys, findings);
  const heads: KnownHead[] = [
    ...(await keptHeads(session, keys, findings)),
    ...seen.map((checkpoint): KnownHead => ({ checkpoint, source: 'console' })),
    ...(options.carried ?? []).flatMap((note): KnownHead[] => {
      const checkpoint = openCheckpoint(note, keys);
      return checkpoint === undefined ? [] : [{ checkpoint, source: 'store' }];
    }),
  ];
  options.tell?.('comparing triggers, functions and grants');
  const kept = heads.filter(({ source, checkpoint }) => source === 'database' && isOfLog(checkpoint, state));
  await judgeCatalogue(
    session,
    kept.map(({ checkpoint }) => checkpoint),
    epochs,
    findings,
  );
  await session.query('savepoint before_reading');
  const log = { state, epochs, sameCluster, heads };
  const { size, judged, read, archived, pruned } = await compareLog(
    session,
    keys,
    log,
    findings,
    options,
  ).catch(async (error: unknown) => {
    if (!wasTakenAway(error) || findings.count === 0) throw error;
    await session.query('rollback to savepoint before_reading');
    findings.doubt('events', `they were not compared with the tree: ${(error as Error).message}`);
    return notCompared(state);
  });

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
      archived,
      pruned,
    },
  };
}

/** A right that every verifier has by the migrations: whoever took it away was told of with the catalogue. */
const wasTakenAway = (error: unknown) => error instanceof NestctlError && error.code === 'permission_denied';

const notCompared = ({ size }: LogState): Compared => ({
  size,
  judged: [],
  read: { events: 0, unsealed: 0, erased: new Map() },
  archived: [],
  pruned: [],
});

function rewindings(epochs: readonly Epoch[]): Rewound[] {
  return epochs.flatMap(({ epoch, tree_size: from, seen_size: to, evidence }) =>
    from !== null && to !== null && to > from ? [{ epoch, from, to, evidence }] : [],
  );
}
