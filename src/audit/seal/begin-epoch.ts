import { hash } from 'node:crypto';
import { appendRecord, type Evidence, namedKeys, verifyingKeys } from '../../evidence/index.js';
import type { Session } from '../../platform/database/session.js';
import { partsOf } from '../../platform/transparency/checkpoint.js';
import { readLogState } from './log-state.js';
import { seenCheckpoints } from './seen-checkpoints.js';

/** What would be recorded of a recovery, as the database plans it and an approval binds it. */
export interface EpochPlan extends Record<string, unknown> {
  readonly epoch: number;
  readonly log: string;
  readonly system_identifier: string;
  readonly timeline: number;
  readonly was: { readonly system_identifier: string; readonly timeline: number };
  /** Leaves that the recovery brought back. */
  readonly tree_size: number;
  /** Leaves there had been, as this console has seen. */
  readonly seen_size: number;
  readonly seen_root: string | null;
  readonly evidence: string;
}

/**
 * Plans the record of a recovery, a failover or a move: what the log has now, and what it had when this console saw
 * it last. Throws `conflict` where nothing has happened.
 */
export async function planEpoch(session: Session, evidence: Evidence, proof: string): Promise<EpochPlan> {
  const keys = namedKeys(await verifyingKeys(evidence.places));
  const { log } = await readLogState(session);
  const seen = (await seenCheckpoints(evidence, keys)).filter(
    (checkpoint) => checkpoint.kid !== undefined && partsOf(checkpoint).log === log,
  );
  const furthest = seen.reduce((a, b) => (b.size > (a?.size ?? -1) ? b : a), seen[0]);
  const { plan } = await session.one<{ plan: EpochPlan }>('select audit.plan_epoch($1, $2, $3) as plan', [
    furthest?.size ?? null,
    furthest?.root.toString('base64') ?? null,
    proof,
  ]);
  return plan;
}

/**
 * Records it, signed: the record of evidence and the epoch, or neither. Needs the approval of this very plan. Throws
 * `approval_pending`, `conflict`.
 */
export async function beginEpoch(
  session: Session,
  evidence: Evidence,
  plan: EpochPlan,
): Promise<{ readonly epoch: number; readonly adopted: number; readonly record: string }> {
  return await session.transaction(async () => {
    // Before anything is signed: it is refused here where nobody has approved it.
    await session.query('select audit.approve_epoch($1, $2, $3)', [
      plan.seen_size,
      plan.seen_root,
      plan.evidence,
    ]);
    const { epoch, log, system_identifier, timeline, tree_size, seen_size, seen_root } = plan;
    const content = {
      log,
      epoch,
      system_identifier,
      timeline,
      tree_size,
      seen_size,
      seen_root,
      evidence: plan.evidence,
    };
    const about = hash('sha256', JSON.stringify(content), 'hex');
    const { record } = await appendRecord(evidence, {
      chain: 'audit',
      type: 'audit-epoch',
      subject: [{ name: `epoch ${epoch} of the audit log ${log}`, sha256: about }],
      content,
    });
    const signed = await evidence.store.read(record.chain, record.number);
    const begun = await session.one<{ epoch: number; adopted: number }>(
      'select epoch, adopted::float8 as adopted from audit.begin_epoch($1, $2, $3, $4)',
      [plan.seen_size, plan.seen_root, plan.evidence, signed?.toString('utf8') ?? ''],
    );
    return { ...begun, record: `${record.chain}/${record.number}` };
  });
}
