import { ConsoleCommand } from '../../src/console/base-command.js';
import { noticeRecorded, noticeViews } from '../../src/console/correction-views.js';
import { dayFlag, requestArgs, textFlag, writeFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';

export default class RequestNotify extends ConsoleCommand<typeof RequestNotify> {
  static override summary = 'Record that whoever has a corrected value from us was told of it';
  static override description =
    'Telling them is yours to do; this keeps that it was done, and when, or why it was not appropriate. request show names those who wait.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> REQ-2026-0001 --recipient payments --on 2026-11-20 --reason "changed in their dashboard"',
    '<%= config.bin %> <%= command.id %> REQ-2026-0001 --recipient sms --not-because "no message was ever sent" --reason "…"',
  ];
  static override args = requestArgs;
  static override flags = {
    ...writeFlags,
    recipient: textFlag({ description: 'who it is', helpValue: 'NAME', required: true }),
    on: dayFlag({ description: 'the day they were told; today, where the person lives, when absent' }),
    'not-because': textFlag({
      description: 'they are not told, and why that is right',
      helpValue: 'TEXT',
      exclusive: ['on'],
    }),
  };

  async perform(): Promise<Outcome> {
    const { planNotice, recordNotice } = await import('../../src/privacy/index.js');
    const { recipient, on: told_on, 'not-because': why_not } = this.flags;
    return await this.withSession(['compliance'], (session) =>
      this.change({
        plan: () => planNotice(session, this.args.number, { recipient, told_on, why_not }),
        show: noticeViews,
        question: ({ request }) => `Record it for ${request.number}?`,
        apply: (plan) => recordNotice(session, plan),
        done: noticeRecorded,
      }),
    );
  }
}
