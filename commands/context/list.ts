import { ConsoleCommand } from '../../src/console/base-command.js';
import { tableFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { type Column, table, toned } from '../../src/console/views.js';
import type { ListedContext } from '../../src/platform/config/contexts.js';

const COLUMNS: readonly Column<ListedContext>[] = [
  { name: 'name', value: (one) => toned(one.chosen ? 'strong' : 'muted', one.name) },
  {
    name: 'chosen',
    value: (one) => (one.chosen ? toned('good', 'yes') : null),
    raw: (one) => one.chosen,
  },
  { name: 'kind', value: (one) => one.kind },
  { name: 'host', value: (one) => one.host, keep: true },
  { name: 'port', value: (one) => one.port, align: 'right' },
  { name: 'database', value: (one) => one.database },
  { name: 'user', value: (one) => one.user, keep: true },
  { name: 'owner', value: (one) => one.owner },
];

export default class ContextList extends ConsoleCommand<typeof ContextList> {
  static override summary = 'List the contexts: which servers and databases this console knows';
  static override examples = ['<%= config.bin %> <%= command.id %>'];
  static override flags = tableFlags(COLUMNS);

  async perform(): Promise<Outcome> {
    const { listContexts } = await import('../../src/platform/config/contexts.js');
    const contexts = this.sorted(await listContexts(this.flags.context), COLUMNS);
    return {
      result: { contexts },
      view: table(contexts, COLUMNS, 'No contexts yet: `nestctl local up` makes one.'),
    };
  }
}
