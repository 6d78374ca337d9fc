import { openEvidence } from '../../evidence/index.js';
import type { Context } from '../../platform/config/contexts.js';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import { carryCheckpoint } from './carry-checkpoint.js';
import { type SealOptions, sealLog } from './seal-log.js';

export interface SealedAndCarried {
  readonly sealed: number;
  readonly size: number;
  /** Of the tree, base64. */
  readonly root: string;
  readonly origin: string;
  readonly made_at: string;
  readonly signed: boolean;
  /** The object store; null where the context names none, or it was not reached. */
  readonly carried_to: string | null;
  readonly not_carried: string | null;
}

/**
 * As `sealLog`, and carries the new head to the object store of the context. One that does not answer delays nothing:
 * the next head contains this one.
 */
export async function sealAndCarry(
  session: Session,
  context: Context,
  options: SealOptions = {},
): Promise<SealedAndCarried> {
  const { sealed, checkpoint, signed } = await sealLog(session, openEvidence(context), options);
  let carried: string | null = null;
  let problem: string | null = null;
  if (signed && context.object_store !== undefined) {
    try {
      carried = await carryCheckpoint(context, checkpoint);
    } catch (error) {
      if (!(error instanceof NestctlError)) throw error;
      problem = error.message;
    }
  }
  const { size, root, origin, madeAt } = checkpoint;
  return {
    sealed,
    size,
    root: root.toString('base64'),
    origin,
    made_at: madeAt,
    signed,
    carried_to: carried,
    not_carried: problem,
  };
}
