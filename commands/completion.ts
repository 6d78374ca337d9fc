import { ConsoleCommand } from '../src/console/base-command.js';
import { Args } from '../src/console/flags/index.js';
import type { Outcome } from '../src/console/outcome.js';

export default class Completion extends ConsoleCommand<typeof Completion> {
  static override summary =
    'Print the completion script of a shell: commands, flags, choices and context names';
  static override description =
    'The script is static: a shell that starts runs no program for it. Print it again after an update of nestctl.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> bash > ~/.local/share/bash-completion/completions/nestctl',
    '<%= config.bin %> <%= command.id %> zsh > ~/.zsh/completions/_nestctl',
    '<%= config.bin %> <%= command.id %> fish > ~/.config/fish/completions/nestctl.fish',
  ];
  static override args = {
    shell: Args.string({
      required: true,
      description: 'bash, zsh or fish',
      options: ['bash', 'zsh', 'fish'],
    }),
  };

  async perform(): Promise<Outcome> {
    const { completionScript } = await import('../src/console/completion/index.js');
    const { TOPICS } = await import('../src/console/help-topics.js');
    const { commands, topics } = this.config;
    const shell = this.args.shell as 'bash' | 'zsh' | 'fish';
    const script = completionScript(shell, { commands, topics, helpTopics: Object.keys(TOPICS) });
    // A program for a shell, not text for a person: nothing in it may be made harmless.
    if (!this.jsonWanted) process.stdout.write(script);
    return { result: { shell, script }, view: [] };
  }
}
