import { openEvidence } from '../../evidence/index.js';
import type { Context } from '../../platform/config/contexts.js';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import { type Carried, carryBacklog } from './carry-backlog.js';
import { type SealOptions, sealLog } from './seal-log.js';

export interface SealedAndCarried {
  readonly sealed: number;
  readonly size: number;
  /** Of the tree, base64. */
  readonly root: string;
  readonly origin: string;
  readonly made_at: string;
  readonly signed: boolean;
  /** The object store; null where the context names none, or it did not take all. */
  readonly carried_to: string | null;
  /** Checkpoints that were sent there now: those of before too that it had not got. */
  readonly carried: number;
  /** Those that the next run sends. */
  readonly left_to_carry: number;
  readonly not_carried: string | null;
}

/**
 * As `sealLog`, and carries to the object store of the context what it has not got yet. One that does not answer delays
 * nothing: the next run carries what this one could not.
 */
export async function sealAndCarry(
  session: Session,
  context: Context,
  options: SealOptions = {},
): Promise<SealedAndCarried> {
  const evidence = openEvidence(context);
  const { sealed, checkpoint, signed } = await sealLog(session, evidence, options);
  let carried: Carried | undefined;
  let problem: string | null = null;
  if (context.object_store !== undefined) {
    try {
      carried = await carryBacklog(session, context, evidence, { signal: options.signal });
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
    carried_to: carried?.place ?? null,
    carried: carried?.sent ?? 0,
    left_to_carry: carried?.left ?? 0,
    not_carried: problem,
  };
}
