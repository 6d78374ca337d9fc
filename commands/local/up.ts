import { ConsoleCommand } from '../../src/console/base-command.js';
import type { Outcome } from '../../src/console/outcome.js';
import { details, text } from '../../src/console/views.js';

export default class LocalUp extends ConsoleCommand<typeof LocalUp> {
  static override summary = 'Start the embedded PostgreSQL, making and migrating it where needed';
  static override description =
    'It stays up between commands, listens on this machine alone, and archives its WAL. Makes two operators, ' +
    'each with a context: local and local-second. Run again it changes nothing.';
  static override examples = ['<%= config.bin %> <%= command.id %>'];

  async perform(): Promise<Outcome> {
    const { describeStage, up } = await import('../../src/platform/local/index.js');
    const report = await up({
      onStage: (stage) => {
        const line = describeStage(stage);
        if (line !== undefined) this.progress(line);
      },
    });
    const { version, port, started, contexts } = report;
    return {
      result: report,
      view: [
        text(`PostgreSQL ${version} ${started ? 'is up' : 'was up already'} on 127.0.0.1:${port}`, {
          mark: 'good',
        }),
        details({ data: report.data, 'runs as': report.user, contexts: contexts.join(', ') }),
      ],
      next: report.made ? 'nestctl local seed' : undefined,
    };
  }
}
