import { archiveViews, BACKUP_COLUMNS } from '../../src/console/backup-views.js';
import { ConsoleCommand } from '../../src/console/base-command.js';
import { Flags, rowFlags, zoneFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { table } from '../../src/console/views.js';

export default class BackupList extends ConsoleCommand<typeof BackupList> {
  static override summary = 'List backups and the archived log, as their engine has them';
  static override description =
    'Asks the engine of the context, never the database: it works when that is gone. What an engine does not tell is left empty.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --columns backup,ended,"from lsn","to lsn" --format csv',
  ];
  static override flags = {
    ...zoneFlags,
    ...rowFlags(BACKUP_COLUMNS),
    limit: Flags.integer({ description: 'the newest so many', min: 1, default: 100 }),
  };

  async perform(): Promise<Outcome> {
    const { openEngine } = await import('../../src/backups/index.js');
    const engine = await openEngine(await this.context());
    const { backups, archive } = await engine.catalogue();
    const newest = backups.slice(0, this.flags.limit);
    const rows = table(this.sorted(newest, BACKUP_COLUMNS), BACKUP_COLUMNS, 'There is no backup yet.');
    return {
      result: { engine: engine.kind, backups: newest, of: backups.length, archive },
      view: [rows, ...archiveViews(archive)],
      rows,
      next: backups.length === 0 ? 'nestctl backup create' : 'nestctl backup check',
    };
  }
}
