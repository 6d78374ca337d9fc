import type { Context } from '../platform/config/contexts.js';
import type { JobResult, MaintenanceJob } from '../platform/maintenance/index.js';
import { withCarrier } from './carry/carrier.js';
import { carryEvidence, planCarry } from './carry/carry-evidence.js';
import { verifyCarried } from './carry/verify-carried.js';
import { openEvidence } from './open-evidence.js';
import type { ChainReport } from './verify-chain.js';
import { verifyEvidence } from './verify-evidence.js';

/** What the evidence needs again and again. */
export const evidenceJobs: readonly MaintenanceJob[] = [
  {
    name: 'evidence',
    summary: 'signed records are as they were signed, none is gone, and all are carried to the object store',
    period: 'daily',
    tolerance: 86_400_000,
    limit: 30 * 60_000,
    run: async ({ context, signal }) =>
      context.object_store === undefined
        ? judge(await verifyEvidence(openEvidence(context)), [], 0)
        : await verifyAndCarry(context, signal),
  },
];

/** Against what is locked in the store first: what was cut off here must not be forgotten there. */
async function verifyAndCarry(context: Context, signal: AbortSignal): Promise<JobResult> {
  const evidence = openEvidence(context);
  return await withCarrier(context, async (carrier) => {
    const { chains: carried, heads } = await verifyCarried(evidence, carrier);
    const chains = await verifyEvidence(evidence, { heads: [heads] });
    const plan = await planCarry(evidence, carrier);
    const sent = await carryEvidence(evidence, carrier, plan, { signal });
    return judge(
      chains,
      carried,
      sent.reduce((sum, each) => sum + each.sent, 0),
    );
  });
}

function judge(chains: readonly ChainReport[], carried: readonly ChainReport[], sent: number): JobResult {
  const all = [...chains, ...carried];
  const records = chains.reduce((sum, { size }) => sum + size, 0);
  const faults = all.flatMap((chain) => chain.faults).length;
  const doubts = all.flatMap((chain) => chain.doubts).length;
  const counts = { chains: chains.length, records, faults, doubts, carried: sent };
  if (faults > 0) {
    const where = carried.length > 0 ? 'evidence verify --carried' : 'evidence verify';
    return { outcome: 'finding', detail: `${faults} faults: nestctl ${where} names them`, counts };
  }
  if (doubts > 0) return { outcome: 'unknown', detail: `${doubts} records could not be proven`, counts };
  return { outcome: 'done', detail: `${records} records in ${chains.length} chains`, counts };
}
