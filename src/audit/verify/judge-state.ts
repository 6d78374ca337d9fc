import sql from 'sql-template-tag';
import type { Connection } from '../../platform/database/connection.js';
import { partsOf, type SignedCheckpoint } from '../../platform/transparency/checkpoint.js';
import type { LogState } from '../seal/log-state.js';
import type { Epoch } from './epochs.js';
import type { Findings } from './finding.js';
import type { JudgedHead } from './judge-heads.js';

/**
 * Whether the sealer would go on from where it was: one that begins too late passes over what was written before, and
 * nobody would see it until then.
 */
export function judgeState(
  heads: readonly JudgedHead[],
  { firstEpoch, watermark, next }: LogState,
  epochs: readonly Epoch[],
  sameCluster: boolean,
  findings: Findings,
): void {
  const wrong = (detail: string) => findings.fault('tiles_damaged', detail, { object: 'tree' });
  if (sameCluster && watermark > next)
    wrong(`it says that all below transaction ${watermark} is sealed, and ${next} is the next one`);
  const last = heads.findLast(
    ({ source, standing }) => source === 'database' && standing === 'matches',
  )?.checkpoint;
  if (last === undefined) return;
  const expected = runsOnSince(last.firstEpoch, partsOf(last).epoch, epochs);
  if (firstEpoch !== expected)
    wrong(`it says that transactions run on since epoch ${firstEpoch}, and it is ${expected}`);
  else if (firstEpoch === last.firstEpoch && watermark < last.watermark)
    wrong(`it is sealed below transaction ${watermark}, and was below ${last.watermark} ${last.madeAt}`);
}

/** Since which epoch transaction ids run on without a break, from what was signed in an earlier one. */
function runsOnSince(signed: number, within: number, epochs: readonly Epoch[]): number {
  let since = signed;
  for (const [at, { epoch, system_identifier }] of epochs.entries()) {
    if (epoch > within && system_identifier !== epochs[at - 1]?.system_identifier) since = epoch;
  }
  return since;
}

/**
 * Whether transactions count from before a head that was signed: whoever deletes the end of a log cannot take back the
 * transactions that wrote it, nor let those that were over then write afterwards.
 */
export async function wentBack(
  connection: Connection,
  { firstEpoch, next }: LogState,
  { firstEpoch: since, watermark, madeAt }: SignedCheckpoint,
): Promise<boolean> {
  if (since !== firstEpoch) return false;
  if (next < watermark) return true;
  const { late } = await connection.one<{ late: boolean }>(sql`
    select exists (select from audit.event_hashes
      where occurred_at > ${madeAt}::timestamptz and epoch >= ${since}::integer and xid < ${String(watermark)}::xid8) as late`);
  return late;
}
