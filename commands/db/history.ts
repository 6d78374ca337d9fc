import { ConsoleCommand } from '../../src/console/base-command.js';
import { tableFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { type Column, table } from '../../src/console/views.js';
import type { MigrationRun } from '../../src/platform/migrations/index.js';

const COLUMNS: readonly Column<MigrationRun>[] = [
  { name: 'migration', value: ({ migration }) => migration },
  { name: 'direction', value: ({ direction }) => direction, keep: true },
  { name: 'at', value: ({ ranAt }) => ranAt },
  { name: 'by', value: ({ ranBy }) => ranBy },
  { name: 'ms', value: ({ duration }) => duration, align: 'right' },
  { name: 'nestctl', value: ({ consoleVersion }) => consoleVersion },
  { name: 'catalogue', value: ({ snapshot }) => snapshot?.slice(0, 12), raw: ({ snapshot }) => snapshot },
];

export default class DbHistory extends ConsoleCommand<typeof DbHistory> {
  static override summary = 'Show every migration and rollback this database has seen, newest first';
  static override examples = ['<%= config.bin %> <%= command.id %>'];
  static override flags = tableFlags(COLUMNS);

  async perform(): Promise<Outcome> {
    const { migrationHistory } = await import('../../src/platform/migrations/index.js');
    const runs = this.sorted(await migrationHistory(await this.ownerTarget()), COLUMNS);
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
      view: table(runs, COLUMNS, 'This database was never migrated.'),
    };
  }
}
