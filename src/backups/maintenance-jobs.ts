import { NestctlError } from '../platform/errors.js';
import type { MaintenanceJob } from '../platform/maintenance/index.js';
import { PROMISES } from './check-backups.js';
import { openEngine } from './engine.js';
import { readChecks } from './read-checks.js';

const HOUR = 3_600_000;

/** What keeps the promises about backups. */
export const backupJobs: readonly MaintenanceJob[] = [
  {
    name: 'backup',
    summary: 'a backup each day, kept for 30 days and not much longer',
    period: 'daily',
    tolerance: 3 * HOUR,
    limit: 12 * HOUR,
    run: async ({ session, context, signal }) => {
      const engine = await openEngine(context).catch((error: unknown) => {
        if (error instanceof NestctlError && error.code === 'no_backup_engine') return undefined;
        throw error;
      });
      if (engine === undefined)
        return {
          outcome: 'finding',
          detail:
            'the context names no backup engine that this nestctl knows: whether there is a backup, nobody looks',
        };
      const by = { by: session.target.user, reason: 'maintenance', ticket: null };
      const made = await engine.create(by, { signal });
      await engine.expire(new Date(Date.now() - PROMISES.keep_days * 24 * HOUR));
      const findings = await readChecks(context, (work) => work(session));
      const wrong = findings.filter(({ level }) => level === 'error');
      const unknown = findings.filter(({ level }) => level === 'unknown');
      const counts = { bytes: made.stored ?? 0 };
      if (wrong.length > 0) {
        const [first] = wrong;
        return {
          outcome: 'finding',
          detail: `${first?.name}: ${first?.detail}; nestctl backup check`,
          counts,
        };
      }
      const [first] = unknown;
      return first === undefined
        ? { outcome: 'done', detail: `${made.id} was made and read back`, counts }
        : { outcome: 'unknown', detail: `${first.name}: ${first.detail}`, counts };
    },
  },
];
