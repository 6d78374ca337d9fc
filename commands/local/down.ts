import { ConsoleCommand } from '../../src/console/base-command.js';
import { Flags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { text } from '../../src/console/views.js';

export default class LocalDown extends ConsoleCommand<typeof LocalDown> {
  static override summary = 'Stop the embedded PostgreSQL; nothing committed is lost';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --immediate',
  ];
  static override flags = {
    immediate: Flags.boolean({
      description: 'without a checkpoint: at once, and the next start replays WAL',
    }),
  };

  async perform(): Promise<Outcome> {
    const { down } = await import('../../src/platform/local/index.js');
    const report = await down({
      immediate: this.flags.immediate,
      onWait: (pid) => this.progress(`waiting for another nestctl (process ${pid})`),
    });
    return {
      result: report,
      view: text(
        report.stopped ? 'The local PostgreSQL has stopped' : 'The local PostgreSQL was not running',
        {
          mark: 'good',
        },
      ),
      next: 'nestctl local up',
    };
  }
}
