import sql from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import { type Erasure, type ErasureProgress, readErasure, readProgress } from './erasure.js';
import type { ErasureStep } from './plan-erasure.js';

export interface RunPlan {
  readonly erasure: Erasure;
  /** What it does, as approved; once it has begun, how far it has come. */
  readonly steps: readonly (ErasureStep | ErasureProgress)[];
}

/** What running an erasure would do, or has still to do. Throws `not_found`, `not_due`, `cancelled` and `complete`. */
export async function planRun(session: Session, number: string): Promise<RunPlan> {
  const erasure = await readErasure(session, number);
  const { state, due_at } = erasure;
  if (state === 'scheduled') {
    throw new NestctlError(`It is due on ${due_at.toISOString().slice(0, 10)}.`, {
      kind: 'conflict',
      code: 'not_due',
      hint: 'Until then it can be cancelled, and nobody erases anything.',
      next: `nestctl erasure show ${number}`,
    });
  }
  if (state === 'cancelled' || state === 'complete') {
    throw new NestctlError(
      state === 'cancelled' ? 'It was cancelled.' : 'It is complete: there is nothing left to do.',
      { kind: 'conflict', code: state, next: `nestctl erasure show ${number}` },
    );
  }
  if (state !== 'due') return { erasure, steps: await readProgress(session, number) };
  const { steps } = await session.one<{ steps: ErasureStep[] }>(sql`
    select coalesce(jsonb_agg(s), '[]') as steps from privacy.erasures e, jsonb_array_elements(e.plan -> 'steps') s
    where e.request = ${number} and e.cancelled_at is null and s ->> 'does' in ('delete', 'anonymize', 'sever')`);
  return { erasure, steps };
}
