import { ConsoleCommand } from '../../../src/console/base-command.js';
import { closingViews, complaintRecorded } from '../../../src/console/complaint-views.js';
import {
  COMPLAINT_BODIES,
  dayFlag,
  Flags,
  requestArgs,
  writeFlags,
} from '../../../src/console/flags/index.js';
import type { Outcome } from '../../../src/console/outcome.js';

export default class RequestComplaintClose extends ConsoleCommand<typeof RequestComplaintClose> {
  static override summary = 'Record how a complaint about a request ended, and until when they can go on';
  static override description =
    'After the report of the Commissioner they have a year to go to the Federal Court (PIPEDA s. 14(2)), after a decision of the CAI 30 days (Law 25, s. 63); what was asked for is kept until then.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> REQ-2026-0001 --to commissioner --outcome not_well_founded --on 2026-11-20 --reason "…"',
    '<%= config.bin %> <%= command.id %> REQ-2026-0001 --to court --outcome well_founded --recourse-until 2027-01-15 --reason "…"',
  ];
  static override args = requestArgs;
  static override flags = {
    ...writeFlags,
    to: Flags.option({ options: COMPLAINT_BODIES })({ description: 'who heard it', required: true }),
    outcome: Flags.option({
      options: ['well_founded', 'not_well_founded', 'resolved', 'discontinued', 'withdrawn'] as const,
    })({ description: 'how it ended', required: true }),
    on: dayFlag({ description: 'the day it ended; today, where they live, when absent' }),
    'recourse-until': dayFlag({
      description:
        'the last day to go on, where a court has set it or allowed longer; by the law when absent',
    }),
  };

  async perform(): Promise<Outcome> {
    const { closeComplaint, planClosing } = await import('../../../src/privacy/index.js');
    const { to: body, outcome, on: closed_on, 'recourse-until': recourse_until } = this.flags;
    const { number } = this.args;
    return await this.withSession(['compliance'], (session) =>
      this.change({
        plan: () => planClosing(session, { number, body, outcome, closed_on, recourse_until }),
        show: closingViews,
        question: ({ request }) => `Close the complaint about ${request.number}?`,
        apply: (plan) => closeComplaint(session, plan),
        done: complaintRecorded,
      }),
    );
  }
}
