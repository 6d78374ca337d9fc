import { ConsoleCommand } from '../../src/console/base-command.js';
import { requestArgs, staffFlags, zoneFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { fileViews } from '../../src/console/request-file-views.js';
import { withoutSeen } from '../../src/console/request-views.js';

export default class RequestShow extends ConsoleCommand<typeof RequestShow> {
  static override summary =
    'Show the whole file of a request: who asks what, how its days are counted, each step';
  static override examples = ['<%= config.bin %> <%= command.id %> REQ-2026-0001'];
  static override args = requestArgs;
  static override flags = { ...staffFlags, ...zoneFlags };

  async perform(): Promise<Outcome> {
    const { showRequest } = await import('../../src/privacy/index.js');
    const file = await this.withSession(['compliance', 'auditor'], (session) =>
      showRequest(session, this.args.number),
    );
    return {
      result: { ...file, request: withoutSeen(file.request) },
      view: fileViews(file),
      next: file.next,
    };
  }
}
