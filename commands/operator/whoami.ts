import { ConsoleCommand } from '../../src/console/base-command.js';
import { zoneFlags } from '../../src/console/flags/index.js';
import { dutiesText } from '../../src/console/operator-views.js';
import type { Outcome } from '../../src/console/outcome.js';
import { details } from '../../src/console/views.js';

export default class OperatorWhoami extends ConsoleCommand<typeof OperatorWhoami> {
  static override summary =
    'Who you are to the database: login, duties, what you may approve and what waits for you';
  static override examples = ['<%= config.bin %> <%= command.id %>'];
  static override flags = zoneFlags;

  async perform(): Promise<Outcome> {
    const { whoami } = await import('../../src/platform/operators/index.js');
    const who = await this.withConnection(whoami);
    const { operator } = who;
    return {
      result: who,
      view: details({
        login: who.login,
        name: operator?.name ?? 'registered as no operator',
        duties: operator === null ? undefined : dutiesText(operator) || 'none that counts',
        registered: operator?.registered_at,
        revoked: operator?.revoked_at ?? undefined,
        approves:
          operator === null
            ? undefined
            : who.may_approve.join(', ') || 'nothing: not for a day after a duty is given',
        'open grants': operator === null ? undefined : who.open_grants,
        'waits for you': operator === null ? undefined : who.to_decide,
      }),
      next: who.to_decide > 0 ? 'nestctl approval list --for-me' : undefined,
    };
  }
}
