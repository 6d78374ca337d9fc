import type { MaintenanceJob } from '../platform/maintenance/index.js';
import { openEvidence } from './open-evidence.js';
import { verifyEvidence } from './verify-evidence.js';

/** What the evidence needs again and again. */
export const evidenceJobs: readonly MaintenanceJob[] = [
  {
    name: 'evidence',
    summary: 'signed records are as they were signed, and none is gone',
    period: 'daily',
    tolerance: 86_400_000,
    limit: 30 * 60_000,
    run: async ({ context }) => {
      const chains = await verifyEvidence(openEvidence(context));
      const records = chains.reduce((sum, { size }) => sum + size, 0);
      const faults = chains.flatMap((chain) => chain.faults).length;
      const counts = { chains: chains.length, records, faults };
      return faults > 0
        ? { outcome: 'finding', detail: `${faults} faults: nestctl evidence verify names them`, counts }
        : { outcome: 'done', detail: `${records} records in ${chains.length} chains`, counts };
    },
  },
];
