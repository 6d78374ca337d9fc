import { ConsoleCommand } from '../../src/console/base-command.js';
import { Args } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { details } from '../../src/console/views.js';

export default class ContextShow extends ConsoleCommand<typeof ContextShow> {
  static override summary = 'Show where a context leads and as whom; never a password';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> local',
  ];
  static override args = { name: Args.string({ description: 'the context; the chosen one when absent' }) };

  async perform(): Promise<Outcome> {
    const { describeContext, resolveContext } = await import('../../src/platform/config/contexts.js');
    const context = describeContext(await resolveContext(this.args.name ?? this.flags.context));
    return {
      result: context,
      view: details({
        name: context.name,
        kind: context.kind,
        server: `${context.host}:${context.port}`,
        database: context.database,
        operator: context.user,
        owner: context.owner,
        TLS: context.sslmode,
        password: context.password_from,
        file: context.file,
      }),
    };
  }
}
