import { ConsoleCommand } from '../../src/console/base-command.js';
import { holdArgs, writeFlags } from '../../src/console/flags/index.js';
import { holdDetails, holdDone } from '../../src/console/hold-views.js';
import type { Outcome } from '../../src/console/outcome.js';

export default class HoldRelease extends ConsoleCommand<typeof HoldRelease> {
  static override summary = 'End a legal hold for good';
  static override description =
    'What it preserved follows its retention again, and can be erased, unless another hold, a request or a complaint preserves it. Whoever was wrong places a new one.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> HOLD-2026-0001 --reason "counsel: settled, nothing more is needed" --ticket LEG-7',
  ];
  static override args = holdArgs;
  static override flags = writeFlags;

  async perform(): Promise<Outcome> {
    const { planRelease, releaseHold } = await import('../../src/privacy/index.js');
    const { number } = this.args;
    return await this.withSession(['compliance'], (session) =>
      this.change({
        plan: () => planRelease(session, number),
        show: holdDetails,
        question: () => `Release ${number}? It cannot be taken back.`,
        apply: (hold) => releaseHold(session, hold),
        done: (hold) => holdDone(hold, `Hold ${hold.number} is released.`),
      }),
    );
  }
}
