import type { Report } from './html/report.js';
import { findRecord, type ListedRecord } from './list-records.js';
import type { Evidence } from './open-evidence.js';
import { recordReport } from './record-report.js';
import type { ChainReport } from './verify-chain.js';
import { verifyEvidence } from './verify-evidence.js';

/** A record by `CHAIN/NUMBER`, what verifying its chain finds, and both as a report. */
export async function showRecord(
  evidence: Evidence,
  id: string,
): Promise<{ readonly listed: ListedRecord; readonly verified: ChainReport; readonly report: Report }> {
  const found = await findRecord(evidence, id);
  const { chain } = found.listed;
  const reports = await verifyEvidence(evidence, { only: [chain] });
  const verified = reports.find((each) => each.chain === chain) ?? {
    chain,
    size: 0,
    head: null,
    faults: [],
    doubts: [],
  };
  return { listed: found.listed, verified, report: recordReport(found, verified) };
}
