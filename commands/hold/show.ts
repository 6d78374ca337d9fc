import { ConsoleCommand } from '../../src/console/base-command.js';
import { holdArgs, staffFlags, zoneFlags } from '../../src/console/flags/index.js';
import { holdDetails } from '../../src/console/hold-views.js';
import type { Outcome } from '../../src/console/outcome.js';

export default class HoldShow extends ConsoleCommand<typeof HoldShow> {
  static override summary = 'Show a legal hold: whom it is on, what for, and what it preserves';
  static override examples = ['<%= config.bin %> <%= command.id %> HOLD-2026-0001'];
  static override args = holdArgs;
  static override flags = { ...staffFlags, ...zoneFlags };

  async perform(): Promise<Outcome> {
    const { readHold } = await import('../../src/privacy/index.js');
    const hold = await this.withSession(['compliance', 'auditor'], (session) =>
      readHold(session, this.args.number),
    );
    return { result: { hold }, view: holdDetails(hold) };
  }
}
