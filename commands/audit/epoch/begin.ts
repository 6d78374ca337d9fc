import { ConsoleCommand } from '../../../src/console/base-command.js';
import { textFlag, writeFlags } from '../../../src/console/flags/index.js';
import type { Outcome } from '../../../src/console/outcome.js';
import { details, text } from '../../../src/console/views.js';

export default class AuditEpochBegin extends ConsoleCommand<typeof AuditEpochBegin> {
  static override summary = 'Record a recovery, failover or move in the audit log, so that sealing goes on';
  static override description =
    'After a restore to a point in time, a failover or a dump into another cluster the log refuses to be sealed until ' +
    'this is recorded: a second operator approves it, it is signed as evidence, what the log had before is kept, and ' +
    'what the recovery gave up is named. Run it on the console that has seen the log last.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --evidence "restore R-12 of 2026-11-20" --reason "14:02 deletion undone" --ticket OPS-9',
    '<%= config.bin %> <%= command.id %> --evidence "failover to db2" --dry-run',
  ];
  static override flags = {
    ...writeFlags,
    evidence: textFlag({
      description: 'what shows the recovery: a restore, a drill, an incident',
      helpValue: 'TEXT',
      required: true,
    }),
  };

  async perform(): Promise<Outcome> {
    const { beginEpoch, planEpoch } = await import('../../../src/audit/index.js');
    const { openEvidence } = await import('../../../src/evidence/index.js');
    const { requestApproval } = await import('../../../src/platform/approvals/index.js');
    const evidence = openEvidence(await this.context());
    return await this.withSession(['sre'], (session) =>
      this.change({
        plan: () => planEpoch(session, evidence, this.flags.evidence),
        show: (plan) =>
          details({
            epoch: plan.epoch,
            was: `timeline ${plan.was.timeline} of cluster ${plan.was.system_identifier}`,
            'is now': `timeline ${plan.timeline} of cluster ${plan.system_identifier}`,
            'brought back': `${plan.tree_size} sealed events`,
            'given up':
              plan.seen_size > plan.tree_size
                ? `leaves ${plan.tree_size} to ${plan.seen_size - 1}`
                : 'nothing that was sealed',
            evidence: plan.evidence,
          }),
        question: (plan) => `Record epoch ${plan.epoch} in the audit log?`,
        approval: (plan) => requestApproval(session, 'audit_epoch', plan),
        apply: (plan) => beginEpoch(session, evidence, plan),
        done: (begun) => ({
          result: begun,
          view: [
            text(`Epoch ${begun.epoch} has begun; it is signed as the record ${begun.record}.`, {
              mark: 'good',
            }),
            ...(begun.adopted > 0
              ? [
                  text(`${begun.adopted} events written since the move were sealed as they were found.`, {
                    mark: 'warn',
                  }),
                ]
              : []),
          ],
          next: 'nestctl audit seal',
        }),
      }),
    );
  }
}
