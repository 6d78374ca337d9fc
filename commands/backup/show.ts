import * as Args from '@oclif/core/args';
import { backupDetails } from '../../src/console/backup-views.js';
import { ConsoleCommand } from '../../src/console/base-command.js';
import { zoneFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';

export default class BackupShow extends ConsoleCommand<typeof BackupShow> {
  static override summary = 'Show one backup: when, from where to where in the log, what it needs';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> 20261201-141500F',
  ];
  static override args = {
    backup: Args.string({ description: 'as backup list names it; the newest when absent' }),
  };
  static override flags = zoneFlags;

  async perform(): Promise<Outcome> {
    const { findBackup, openEngine } = await import('../../src/backups/index.js');
    const backup = await findBackup(await openEngine(await this.context()), this.args.backup);
    return { result: { backup }, view: backupDetails(backup), next: `nestctl backup verify ${backup.id}` };
  }
}
