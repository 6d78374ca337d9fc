import { ConsoleCommand } from '../../src/console/base-command.js';
import type { Outcome } from '../../src/console/outcome.js';
import { table } from '../../src/console/views.js';

export default class DbHistory extends ConsoleCommand<typeof DbHistory> {
  static override summary = 'Show every migration and rollback this database has seen, newest first';
  static override examples = ['<%= config.bin %> <%= command.id %>'];

  async perform(): Promise<Outcome> {
    const { migrationHistory } = await import('../../src/platform/migrations/index.js');
    const runs = await migrationHistory(await this.ownerTarget());
    return {
      result: {
        runs: runs.map(({ ranAt, ranBy, consoleVersion, duration, ...run }) => ({
          ...run,
          ran_at: ranAt,
          ran_by: ranBy,
          console_version: consoleVersion,
          duration_ms: duration,
        })),
      },
      view: table(
        runs,
        [
          { name: 'migration', value: ({ migration }) => migration },
          { name: 'direction', value: ({ direction }) => direction, keep: true },
          { name: 'at', value: ({ ranAt }) => ranAt },
          { name: 'by', value: ({ ranBy }) => ranBy },
          { name: 'ms', value: ({ duration }) => duration, align: 'right' },
          { name: 'nestctl', value: ({ consoleVersion }) => consoleVersion },
          { name: 'catalogue', value: ({ snapshot }) => snapshot.slice(0, 12) },
        ],
        'This database was never migrated.',
      ),
    };
  }
}
