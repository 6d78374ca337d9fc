import { ConsoleCommand } from '../../src/console/base-command.js';
import { fromContexts } from '../../src/console/choices.js';
import { confirmName } from '../../src/console/confirm-name.js';
import { Args, consentFlags, textFlag } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { details, text } from '../../src/console/views.js';

export default class ContextRemove extends ConsoleCommand<typeof ContextRemove> {
  static override summary = 'Take a context out of the file; the server and its data stay as they are';
  static override description = 'For the current context its name must be typed, or given by --confirm.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> staging --yes',
    '<%= config.bin %> <%= command.id %> production --confirm production',
  ];
  static override args = { name: Args.string({ required: true, description: 'the context' }) };
  static override flags = {
    ...consentFlags,
    confirm: textFlag({ description: 'consent for the current context: its name', helpValue: 'NAME' }),
  };

  protected override readonly choices = { name: fromContexts };

  async perform(): Promise<Outcome> {
    const { planRemoval, removeContext } = await import('../../src/platform/config/edit-contexts.js');
    const { name } = this.args;
    return await this.change({
      plan: () => planRemoval(name),
      show: (plan) => details({ removes: plan.name, 'leads to': plan.server, current: plan.current }),
      apply: async (plan) => {
        if (plan.current) {
          await confirmName({
            name,
            warning: 'This is the current context: commands without --context will have none to work on.',
            given: this.flags.confirm,
            json: this.flags.json,
            next: `nestctl context remove ${name} --confirm ${name}`,
          });
        } else await this.consent(`Remove the context ${name}?`);
        await removeContext(name);
        return { removed: name, was_current: plan.current };
      },
      done: (done) => ({
        result: done,
        view: text(`${name} was removed from the file`, { mark: 'good' }),
        ...(done.was_current ? { next: 'nestctl context list' } : {}),
      }),
    });
  }
}
