import { openEvidence } from '../../evidence/index.js';
import type { Context } from '../../platform/config/contexts.js';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import { openCheckpoint } from '../../platform/transparency/checkpoint.js';
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
  const detail =
    problem === undefined
      ? emptiness(context, notes, report)
      : `its checkpoints could not be read: ${problem}`;
  if (detail === undefined) return report;
  return { ...report, doubts: [...report.doubts, { object: 'object store', detail }] };
}

/** An empty store says nothing: the heads may lie in another bucket, or were never carried. */
function emptiness(context: Context, notes: readonly string[], report: LogReport): string | undefined {
  if (context.object_store === undefined || report.checkpoints === 0) return undefined;
  return notes.some((note) => openCheckpoint(note, []) !== undefined)
    ? undefined
    : 'it holds no checkpoint to compare with: nestctl audit seal carries them there';
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
