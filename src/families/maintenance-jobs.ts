import type { MaintenanceJob } from '../platform/maintenance/index.js';
import { expireInvitations } from './expire-invitations.js';
import { refreshAnalytics } from './weekly-usage.js';

const DAY = 86_400_000;

/** What the data of families needs again and again. */
export const familyJobs: readonly MaintenanceJob[] = [
  {
    name: 'invitations',
    summary: 'invitations that nobody accepted in time say that they expired',
    period: 'daily',
    tolerance: DAY,
    limit: 15 * 60_000,
    run: async ({ session, signal }) => {
      const expired = await expireInvitations(session, signal);
      return {
        outcome: 'done',
        detail: expired === 0 ? 'none had expired' : `${expired} expired`,
        counts: { expired },
      };
    },
  },
  {
    name: 'analytics',
    summary: 'usage figures by week are computed anew',
    period: 'daily',
    tolerance: DAY,
    limit: 60 * 60_000,
    run: async ({ session }) => {
      const { started_at, finished_at } = await refreshAnalytics(session);
      const seconds = (finished_at.getTime() - started_at.getTime()) / 1000;
      return { outcome: 'done', detail: `computed in ${seconds.toFixed(1)} s`, counts: { seconds } };
    },
  },
];
