import { vi } from 'vitest';
import { type Pruned, planRetention, pruneLog } from '../../src/audit/index.js';
import { requestApproval } from '../../src/platform/approvals/index.js';
import type { Context } from '../../src/platform/config/contexts.js';
import { openSession, type Session } from '../../src/platform/database/session.js';
import { datedBack, seniors } from './old-events.js';
import type { SealedLog } from './sealed-log.js';
import { makeFamily } from './small-world.js';

/** A sealed log, whoever prunes it, and whoever approves that. */
export interface Retention {
  readonly context: Context;
  readonly compliance: Session;
  readonly approver: Session;
  /** A household, as of an old month, sealed; returns how many events there are of it. */
  oldMonth(month?: string): Promise<number>;
  /** Grants what is planned now. */
  approve(): Promise<void>;
  /** Plans and prunes, as the command does once it is approved. */
  prune(): Promise<Pruned>;
  close(): Promise<void>;
}

export async function retentionOf(log: SealedLog): Promise<Retention> {
  vi.stubEnv('NESTCTL_HOME', log.home);
  const { operator } = log;
  const context: Context = {
    name: 'test',
    kind: 'server',
    host: operator.host,
    port: operator.port,
    database: operator.database,
    user: operator.user,
  };
  const officer = async () => {
    const target = await log.database.makeOperator('compliance');
    await seniors(log.superuser, target.user);
    return await openSession(target, {
      duty: 'compliance',
      reason: 'yearly retention',
      ticket: 'PRIV-12',
    });
  };
  const [compliance, approver] = [await officer(), await officer()];
  return {
    context,
    compliance,
    approver,
    async oldMonth(month = '2015-03-01') {
      await makeFamily(log.database, { name: 'Tremblay', notes: 'wet' });
      const moved = await datedBack(
        log.database,
        month,
        `category = 'modification' and table_name like 'public.%' and occurred_at > now() - interval '1 day'`,
      );
      await log.seal();
      return moved;
    },
    async approve() {
      const { approvable } = await planRetention(compliance);
      const { id } = await requestApproval(compliance, 'audit_retention', approvable);
      await approver.query(`select ops.decide_approval($1, 'granted', 'the years are over')`, [id]);
    },
    prune: async () => await pruneLog(compliance, context, await planRetention(compliance)),
    async close() {
      await compliance.close();
      await approver.close();
      vi.unstubAllEnvs();
    },
  };
}
