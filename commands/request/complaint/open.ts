import { ConsoleCommand } from '../../../src/console/base-command.js';
import { complaintRecorded, complaintViews } from '../../../src/console/complaint-views.js';
import {
  COMPLAINT_BODIES,
  dayFlag,
  Flags,
  requestArgs,
  textFlag,
  writeFlags,
} from '../../../src/console/flags/index.js';
import type { Outcome } from '../../../src/console/outcome.js';

export default class RequestComplaintOpen extends ConsoleCommand<typeof RequestComplaintOpen> {
  static override summary = 'Record that somebody complained about how a request was answered';
  static override description =
    'While it is open, nothing that was asked for is destroyed: the database refuses the erasure, and months of the audit log that hold it are not pruned (PIPEDA s. 8(8)).';
  static override examples = [
    '<%= config.bin %> <%= command.id %> REQ-2026-0001 --to commissioner --reference PIPEDA-12345 --reason "…"',
    '<%= config.bin %> <%= command.id %> REQ-2026-0001 --to cai --on 2026-11-20 --dry-run',
  ];
  static override args = requestArgs;
  static override flags = {
    ...writeFlags,
    to: Flags.option({ options: COMPLAINT_BODIES })({
      description: 'who is to hear it; organization: us',
      required: true,
    }),
    reference: textFlag({ description: 'the number of its file there' }),
    on: dayFlag({ description: 'the day it was made; today, where they live, when absent' }),
  };

  async perform(): Promise<Outcome> {
    const { planComplaint, recordComplaint } = await import('../../../src/privacy/index.js');
    const { to: body, reference, on } = this.flags;
    return await this.withSession(['compliance'], (session) =>
      this.change({
        plan: () => planComplaint(session, { number: this.args.number, body, reference, made_on: on }),
        show: complaintViews,
        question: ({ request }) => `Record a complaint about ${request.number}?`,
        apply: (plan) => recordComplaint(session, plan),
        done: complaintRecorded,
      }),
    );
  }
}
