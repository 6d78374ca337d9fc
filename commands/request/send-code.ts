import { ConsoleCommand } from '../../src/console/base-command.js';
import { codeSending } from '../../src/console/code-views.js';
import { durationFlag, requestArgs, writeFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';

const MINUTE = 60_000;

export default class RequestSendCode extends ConsoleCommand<typeof RequestSendCode> {
  static override summary = 'Send whoever asks a code by e-mail, to the address that is on record';
  static override description =
    'Never to an address that came with the request: to that of the account of the person, the guardian or the representative, or to the one that the request is about. It replaces the code sent before; five within 24 hours are the most. What is not known to have been sent says so. The letter is in the language of the request.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> REQ-2026-0001 --reason "their letter of today"',
    '<%= config.bin %> <%= command.id %> REQ-2026-0001 --expires 4h --dry-run',
  ];
  static override args = requestArgs;
  static override flags = {
    ...writeFlags,
    expires: durationFlag({
      description: 'how long the code is good',
      default: 30 * MINUTE,
      min: 5 * MINUTE,
      max: 24 * 60 * MINUTE,
    }),
  };

  async perform(): Promise<Outcome> {
    const { planCode, sendCode } = await import('../../src/privacy/index.js');
    const context = await this.context();
    const wish = { number: this.args.number, seconds: Math.round(this.flags.expires / 1_000) };
    return await this.withSession(['compliance'], (session) =>
      this.change({
        ...codeSending,
        plan: () => planCode(session, context, wish),
        apply: (plan) => sendCode(session, context, plan),
      }),
    );
  }
}
