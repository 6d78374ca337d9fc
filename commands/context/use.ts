import { ConsoleCommand } from '../../src/console/base-command.js';
import { fromContexts } from '../../src/console/choices.js';
import { Args } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { text } from '../../src/console/views.js';

export default class ContextUse extends ConsoleCommand<typeof ContextUse> {
  static override summary = 'Choose the context that commands work on where --context is not given';
  static override examples = ['<%= config.bin %> <%= command.id %> production'];
  static override args = { name: Args.string({ required: true, description: 'the context' }) };

  protected override readonly choices = { name: fromContexts };

  async perform(): Promise<Outcome> {
    const { useContext } = await import('../../src/platform/config/edit-contexts.js');
    const { name } = this.args;
    const before = await useContext(name);
    const { NESTCTL_CONTEXT: overriding } = process.env;
    if (overriding && overriding !== name) {
      this.warning('context_overridden', `NESTCTL_CONTEXT is set: commands still work on ${overriding}.`);
    }
    return {
      result: { current: name, before: before ?? null },
      view: text(`${name} is the current context${before === name ? ', as it was' : ''}`, { mark: 'good' }),
    };
  }
}
