import sql from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import { asCompliance, type JobResult } from '../../platform/maintenance/index.js';
import { reckonOpening } from '../requests/open-request.js';

/** Of one run: each is looked at by somebody, and approved by somebody else. */
const A_RUN = 50;

interface Idle {
  readonly user_id: string;
  readonly province: string | null;
  readonly zone: string;
  readonly language: 'en' | 'fr';
}

/**
 * Files a request to erase each account whose time is over, so many a run; from there it goes the way of any other: gates, a
 * second operator's approval, thirty days. Held ones are left alone, and those of which nobody knows are told.
 */
export async function fileIdle(session: Session, signal: AbortSignal): Promise<JobResult> {
  const before = await countIdle(session);
  const told = [
    ...(before.unknown > 0 ? [`of ${before.unknown} nobody knows when somebody last signed in`] : []),
    ...(before.held > 0 ? [`${before.held} more are held`] : []),
  ];
  const said = (first: string) => [first, ...told].join('; ');
  const next = 'nestctl request list --kind deletion';
  if (before.due === 0) {
    return before.filed > 0
      ? {
          outcome: 'finding',
          detail: said(`${before.filed} wait to be scheduled: ${next}`),
          counts: { ...before },
        }
      : { outcome: 'done', detail: said('no account is over its time'), counts: { ...before } };
  }
  const officer = await asCompliance(session, 'accounts whose time is over');
  if (officer === undefined) {
    const detail = `${before.due} are over their time, and this login does not hold the duty compliance`;
    return { outcome: 'finding', detail: said(detail), counts: { ...before } };
  }
  try {
    const idle = await officer.query<Idle>(sql`select * from privacy.idle_accounts(${A_RUN}::integer)`);
    const now = new Date();
    for (const { user_id: id, province, zone, language } of idle) {
      signal.throwIfAborted();
      const { wish } = reckonOpening(
        {
          ...{ zone, language, kind: 'deletion', subject: { kind: 'user', id }, received: () => now },
          ...{ requester: 'organization', channel: 'own_motion' },
          regime: province === 'QC' ? 'law25' : 'pipeda',
          asks: 'Nobody has used the account for as long as it is kept.',
        },
        now,
      );
      await officer.query(sql`select privacy.open_request(${JSON.stringify(wish)}::jsonb)`);
    }
  } finally {
    await officer.close();
  }
  const after = await countIdle(session);
  const rest = after.due > 0 ? [`${after.due} more at the next runs`] : [];
  const detail = [`${after.filed} wait to be scheduled: ${next}`, ...rest].join('; ');
  return { outcome: 'finding', detail: said(detail), counts: { ...after } };
}

type Counts = Readonly<Record<'due' | 'held' | 'filed' | 'unknown', number>>;
const countIdle = (session: Session) =>
  session.one<Counts>('select due::int, held::int, filed::int, unknown::int from ops.idle_accounts()');
