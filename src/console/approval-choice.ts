import type { Approval } from '../platform/approvals/index.js';
import { DUTIES, type Duty } from '../platform/database/duties.js';
import type { Session } from '../platform/database/session.js';
import { planText } from './approval-views.js';
import { type Ask, fromList } from './choices.js';

type WithSession = <R>(duties: readonly Duty[], work: (session: Session) => Promise<R>) => Promise<R>;

/** Asks for one of the open requests; `whose` leaves out what cannot be meant. */
export function fromApprovals(
  withSession: WithSession,
  whose: { readonly forMe: boolean; readonly by?: () => Promise<string> },
): Ask {
  return fromList('Which request?', async () => {
    const { listApprovals } = await import('../platform/approvals/index.js');
    const filter = { forMe: whose.forMe, ended: false, limit: 1000 };
    const { approvals } = await withSession(DUTIES, (session) => listApprovals(session, filter));
    const by = await whose.by?.();
    return approvals.filter((one) => by === undefined || one.requested_by === by).map(choice);
  });
}

function choice(approval: Approval) {
  const { id, requested_by, state, ticket, reason } = approval;
  return {
    value: id,
    label: [planText(approval), requested_by, ticket, state].join(' · '),
    note: reason,
  };
}
