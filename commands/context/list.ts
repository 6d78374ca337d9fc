import { ConsoleCommand } from '../../src/console/base-command.js';
import type { Outcome } from '../../src/console/outcome.js';
import { table, toned } from '../../src/console/views.js';

export default class ContextList extends ConsoleCommand<typeof ContextList> {
  static override summary = 'List the contexts: which servers and databases this console knows';
  static override examples = ['<%= config.bin %> <%= command.id %>'];

  async perform(): Promise<Outcome> {
    const { listContexts } = await import('../../src/platform/config/contexts.js');
    const contexts = await listContexts(this.flags.context);
    return {
      result: { contexts },
      view: table(
        contexts,
        [
          { name: 'name', value: (one) => toned(one.chosen ? 'strong' : 'muted', one.name) },
          { name: 'chosen', value: (one) => (one.chosen ? toned('good', 'yes') : null) },
          { name: 'kind', value: (one) => one.kind },
          { name: 'host', value: (one) => one.host, keep: true },
          { name: 'port', value: (one) => one.port, align: 'right' },
          { name: 'database', value: (one) => one.database },
          { name: 'user', value: (one) => one.user, keep: true },
          { name: 'owner', value: (one) => one.owner },
        ],
        'No contexts yet: `nestctl local up` makes one.',
      ),
    };
  }
}
