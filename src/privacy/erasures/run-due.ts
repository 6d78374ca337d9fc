import type { Context } from '../../platform/config/contexts.js';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import { asCompliance, type JobResult } from '../../platform/maintenance/index.js';
import { type Erasure, listErasures } from './erasure.js';
import { runErasure } from './run-erasure.js';

/**
 * Runs the erasures that are due and goes on with those that are not at their end. Only compliance may, so the work has a
 * session of that duty, where the login holds it. What stands against one does not stop the others.
 */
export async function runDue(session: Session, context: Context, signal: AbortSignal): Promise<JobResult> {
  const waiting = await countWaiting(session);
  const counts = { ...waiting };
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  if (all === 0) return { outcome: 'done', detail: 'none is due', counts };
  const officer = await asCompliance(session, 'approved erasures whose day has come');
  if (officer === undefined) {
    return {
      outcome: 'finding',
      detail: `${erasures(all)} to be run or followed, and this login does not hold the duty compliance: nestctl erasure list`,
      counts,
    };
  }
  const refused = new Set<string>();
  try {
    for (const erasure of (await listErasures(officer, { ended: false })).filter(isWaiting)) {
      signal.throwIfAborted();
      try {
        await runErasure(officer, context, erasure.request, { signal });
      } catch (error) {
        if (!(error instanceof NestctlError)) throw error;
        refused.add(error.code);
      }
    }
  } finally {
    await officer.close();
  }
  const left = await countWaiting(session);
  const open = [
    ...(left.due > 0 ? [`${erasures(left.due)} due and refused`] : []),
    ...(left.begun > 0 ? [`${erasures(left.begun)} not at the end`] : []),
    ...(left.unproven > 0 ? [`of ${left.unproven} something may be left`] : []),
    ...(left.outside > 0 ? [`${erasures(left.outside)} waiting for archives or others outside`] : []),
  ];
  const why = refused.size > 0 ? ` (${[...refused].sort().join(', ')})` : '';
  if (open.length > 0)
    return {
      outcome: 'finding',
      detail: `${open.join('; ')}${why}: nestctl erasure list`,
      counts: { ...left },
    };
  return { outcome: 'done', detail: 'all that were due are complete', counts };
}

const isWaiting = ({ state }: Erasure) => state !== 'scheduled';
const erasures = (count: number) => (count === 1 ? 'an erasure is' : `${count} erasures are`);

interface Waiting {
  readonly due: number;
  readonly begun: number;
  readonly unproven: number;
  readonly outside: number;
}

async function countWaiting(session: Session): Promise<Waiting> {
  return await session.one<Waiting>(
    'select due::int, begun::int, unproven::int, outside::int from ops.erasures_to_run()',
  );
}
