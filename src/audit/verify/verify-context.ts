import { openEvidence } from '../../evidence/index.js';
import type { Context } from '../../platform/config/contexts.js';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import { carriedCheckpoints } from '../seal/carry-checkpoint.js';
import { type LogReport, type VerifyOptions, verifyLog } from './verify-log.js';

/**
 * As `verifyLog`, also against the heads that lie in the object store of the context, which nobody here can have
 * changed. One that does not answer leaves a doubt.
 */
export async function verifyContext(
  session: Session,
  context: Context,
  options: Omit<VerifyOptions, 'carried'> = {},
): Promise<LogReport> {
  const evidence = openEvidence(context);
  const { notes = [], problem } = await carriedOf(context);
  const report = await verifyLog(session, evidence, { ...options, carried: notes });
  if (problem === undefined) return report;
  const doubt = { object: 'object store', detail: `its checkpoints could not be read: ${problem}` };
  return { ...report, doubts: [...report.doubts, doubt] };
}

async function carriedOf(context: Context): Promise<{ notes?: readonly string[]; problem?: string }> {
  if (context.object_store === undefined) return {};
  try {
    return { notes: await carriedCheckpoints(context) };
  } catch (error) {
    if (!(error instanceof NestctlError)) throw error;
    return { problem: error.message };
  }
}
