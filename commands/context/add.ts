import { ConsoleCommand } from '../../src/console/base-command.js';
import { contextFlags, contextSettings } from '../../src/console/flags/context-flags.js';
import { Args, consentFlags, Flags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { details, text } from '../../src/console/views.js';

export default class ContextAdd extends ConsoleCommand<typeof ContextAdd> {
  static override summary = 'Add a context: a server, who you are there, and the services around it';
  static override description =
    'Asks on a terminal for host, database and login where they are missing. No secret goes into the file: name the passfile, the environment variable or the program it comes from.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> production --host db.example.ca --database nestsync --user camille.roy',
    "<%= config.bin %> <%= command.id %> production --host db.example.ca --database nestsync --user camille.roy --password-command 'pass show nestsync' --store-bucket nestsync-archive --store-region ca-central-1",
  ];
  static override args = { name: Args.string({ required: true, description: 'what to call it' }) };
  static override flags = {
    ...contextFlags,
    use: Flags.boolean({ description: 'make it the current one' }),
    'dry-run': consentFlags['dry-run'],
  };

  async perform(): Promise<Outcome> {
    const { addContext, planContext, refuseTaken } = await import(
      '../../src/platform/config/edit-contexts.js'
    );
    const { name } = this.args;
    await refuseTaken(name);
    return await this.change({
      plan: async () => planContext(name, contextSettings(this.flags)),
      show: ({ settings }) =>
        details({
          context: name,
          server: `${settings.host}:${settings.port}`,
          database: settings.database,
          operator: settings.user,
        }),
      apply: ({ settings }) => addContext(name, settings, { use: this.flags.use }),
      done: (added) => ({
        result: added,
        view: text(`${name} was added${added.current ? ' and is the current context' : ''}`, {
          mark: 'good',
        }),
        next: `nestctl context check ${name}`,
      }),
    });
  }
}
