import { erasureDetails, GROUNDS } from '../../src/console/erasure-run-views.js';
import { erasureViews, stepTable } from '../../src/console/erasure-views.js';
import { Flags, requestArgs, writeFlags, zoneFlags } from '../../src/console/flags/index.js';
import { GrantedWrite } from '../../src/console/granted-write.js';
import type { Outcome } from '../../src/console/outcome.js';
import { text } from '../../src/console/views.js';

export default class ErasureSchedule extends GrantedWrite<typeof ErasureSchedule> {
  static override summary = 'Schedule the erasure that answers a request, thirty days from now';
  static override description =
    'A second operator approves this one plan: anything that changes in between asks for another approval. From then on the account is closed: nobody signs in as them and nothing is sent to them. Until it is run erasure cancel puts all back. PIPEDA has no bare right to erasure, so its ground is kept with it. Nothing is scheduled while a legal hold, an open access request or a complaint stands against it.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> REQ-2026-0004 --ground consent_withdrawn --reason "her request of 3 November" --ticket DSR-21',
    '<%= config.bin %> <%= command.id %> REQ-2026-0004 --ground purpose_ended --dry-run',
  ];
  static override args = requestArgs;
  static override flags = {
    ...writeFlags,
    ...zoneFlags,
    ground: Flags.option({ options: GROUNDS })({
      description: 'on what it stands: 4.3.8, 4.5.3, or 4.9.5 and P-39.1 s. 28',
      required: true,
    }),
  };

  protected override readonly directories = async () =>
    (await import('../../src/access/index.js')).directories;

  async perform(): Promise<Outcome> {
    const { ensureAccess } = await import('../../src/access/index.js');
    const { recordReading } = await import('../../src/audit/index.js');
    const { erasableRequest, planSchedule, scheduleErasure } = await import('../../src/privacy/index.js');
    const { requestApproval } = await import('../../src/platform/approvals/index.js');
    const { number } = this.args;
    return await this.withSession(['compliance'], async (session) => {
      const { user_id: id } = await erasableRequest(session, number);
      await ensureAccess(session, { kind: 'user', id }, this.flags);
      this.warning('archived_months', await recordReading(session, { kind: 'stats', filter: { user: id } }));
      return await this.change({
        plan: () => planSchedule(session, number, this.flags.ground),
        show: ({ plan }) => erasureViews(plan, stepTable(plan)),
        question: ({ plan: { person } }) => `Close the account ${person} now, and erase it in thirty days?`,
        approval: ({ approvable }) => requestApproval(session, 'erasure', approvable),
        apply: (plan) => scheduleErasure(session, plan),
        done: (erasure) => ({
          result: { erasure },
          view: [
            erasureDetails(erasure),
            text('The account is closed. Until it is run this can be undone.', { mark: 'good' }),
          ],
          next: `nestctl erasure cancel ${number}`,
        }),
      });
    });
  }
}
