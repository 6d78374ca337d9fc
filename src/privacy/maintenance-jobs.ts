import type { Session } from '../platform/database/session.js';
import type { JobResult, MaintenanceJob } from '../platform/maintenance/index.js';
import { carryDecisions } from './decisions/carry-decisions.js';
import { runDue } from './erasures/run-due.js';
import { applyRetention } from './retention/apply-retention.js';
import { fileIdle } from './retention/file-idle.js';
import { removeExpired } from './share/remove-expired.js';

/** What the rights of persons need again and again. */
export const privacyJobs: readonly MaintenanceJob[] = [
  {
    name: 'requests',
    summary: 'no request of a person goes unanswered beyond the limit of its law',
    period: 'daily',
    tolerance: 6 * 3_600_000,
    limit: 5 * 60_000,
    run: async ({ session }) => await lookForDue(session),
  },
  {
    name: 'legal-holds',
    summary: 'no legal hold stands unlooked at beyond its review',
    period: 'daily',
    tolerance: 86_400_000,
    limit: 5 * 60_000,
    run: async ({ session }) => await lookForReviews(session),
  },
  {
    name: 'erasures',
    summary: 'approved erasures are run on their day, proven, and complete once all others have followed',
    period: 'daily',
    tolerance: 86_400_000,
    limit: 6 * 3_600_000,
    run: async ({ session, context, signal }) => await runDue(session, context, signal),
  },
  {
    name: 'retention',
    summary: 'what the data map keeps for a time goes when the time is over, but for what is held',
    period: 'daily',
    tolerance: 86_400_000,
    limit: 2 * 3_600_000,
    run: async ({ session, signal }) => await applyRetention(session, signal),
  },
  {
    name: 'idle-accounts',
    summary: 'accounts that nobody uses any more are filed to be erased, as any other request is',
    period: 'daily',
    tolerance: 86_400_000,
    limit: 30 * 60_000,
    run: async ({ session, signal }) => await fileIdle(session, signal),
  },
  {
    name: 'decisions',
    summary:
      'what is decided about access, consents and holds stands in a ledger outside, which a restore does not forget',
    period: 'hourly',
    tolerance: 30 * 60_000,
    limit: 15 * 60_000,
    run: async ({ session, context, signal }) => await carryDecisions(session, context, signal),
  },
  {
    name: 'export-shares',
    summary: 'no package stays in the object store beyond the link by which it was shared',
    period: 'daily',
    tolerance: 86_400_000,
    limit: 30 * 60_000,
    run: async ({ session, context, signal }) => await removeExpired(session, context, signal),
  },
];

/** Days before its limit from which on a request is warned of. */
const SOON = 5;

async function lookForDue(session: Session): Promise<JobResult> {
  const { open, overdue, due_soon } = await session.one<{ open: number; overdue: number; due_soon: number }>(
    `select open::int, overdue::int, due_soon::int from ops.due_requests('${SOON} days')`,
  );
  const counts = { open, overdue, due_soon };
  const warned = [
    ...(overdue > 0 ? [`${requests(overdue)} past the limit, which is a refusal by silence`] : []),
    ...(due_soon > 0 ? [`${requests(due_soon)} due within ${SOON} days`] : []),
  ];
  if (warned.length > 0)
    return { outcome: 'finding', detail: `${warned.join('; ')}: nestctl request list`, counts };
  return {
    outcome: 'done',
    detail: open === 0 ? 'none is open' : `${requests(open)} open, none due soon`,
    counts,
  };
}

const requests = (count: number) => (count === 1 ? 'a request is' : `${count} requests are`);

async function lookForReviews(session: Session): Promise<JobResult> {
  const { due } = await session.one<{ due: number }>('select ops.holds_to_review()::int as due');
  const counts = { due };
  if (due === 0) return { outcome: 'done', detail: 'no review is due', counts };
  const holds = due === 1 ? 'the review of a legal hold is' : `the reviews of ${due} legal holds are`;
  return { outcome: 'finding', detail: `${holds} due: nestctl hold list`, counts };
}
