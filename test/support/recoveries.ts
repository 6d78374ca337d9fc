import { expect } from 'vitest';
import { beginEpoch, type LogReport, planEpoch } from '../../src/audit/index.js';
import { requestApproval } from '../../src/platform/approvals/index.js';
import { openSession } from '../../src/platform/database/session.js';
import type { TestDatabase } from './database.js';
import type { SealedLog } from './sealed-log.js';

/** Records a recovery with both pairs of eyes. */
export async function recordEpoch(
  log: SealedLog,
  database: TestDatabase,
): Promise<{ epoch: number; adopted: number }> {
  const why = { reason: 'the server was recovered', ticket: 'OPS-14' };
  const sre = await openSession(database.operators[0], { duty: 'sre', ...why });
  const other = await openSession(database.operators[1], { duty: 'sre', ...why });
  try {
    const plan = await planEpoch(sre, log.evidence, 'incident OPS-14');
    await expect(beginEpoch(sre, log.evidence, plan)).rejects.toMatchObject({ code: 'approval_pending' });
    const { id } = await requestApproval(sre, 'audit_epoch', plan);
    await other.query(`select ops.decide_approval($1, 'granted', 'seen the incident report')`, [id]);
    return await beginEpoch(sre, log.evidence, plan);
  } finally {
    await sre.close();
    await other.close();
  }
}

/** The kinds of fault of a report, each once. */
export const kindsOf = (report: LogReport) => [...new Set(report.faults.map(({ kind }) => kind))];
