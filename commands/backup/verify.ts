import * as Args from '@oclif/core/args';
import { DAMAGE_COLUMNS } from '../../src/console/backup-views.js';
import { ConsoleCommand } from '../../src/console/base-command.js';
import { rowFlags } from '../../src/console/flags/index.js';
import { formatBytes } from '../../src/console/format-bytes.js';
import type { Outcome } from '../../src/console/outcome.js';
import { table, text } from '../../src/console/views.js';

export default class BackupVerify extends ConsoleCommand<typeof BackupVerify> {
  static override summary = 'Read a backup whole, and hold each file against its checksum';
  static override description =
    'Every file of the cluster against the SHA-256 that was written down when the backup was made, and the files of the log that it needs. Nothing is restored; that it can be shows a drill. Exit code 3: something is not as it was.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> 20261201-141500F',
  ];
  static override args = {
    backup: Args.string({ description: 'as backup list names it; the newest when absent' }),
  };
  static override flags = rowFlags(DAMAGE_COLUMNS);

  async perform(): Promise<Outcome> {
    const { findBackup, openEngine } = await import('../../src/backups/index.js');
    const engine = await openEngine(await this.context());
    const backup = await findBackup(engine, this.args.backup);
    const verified = await engine.verify(backup, { signal: this.signal, tell: this.progress });
    const { files, bytes, damage } = verified;
    const rows = table(damage, DAMAGE_COLUMNS, 'Nothing.');
    const good = damage.length === 0;
    return {
      result: verified,
      rows,
      view: good
        ? text(`Backup ${backup.id} is as it was made: ${files} files, ${formatBytes(bytes)}.`, {
            mark: 'good',
          })
        : [rows, text(`Backup ${backup.id} is not as it was made.`, { mark: 'bad' })],
      verdict: good ? undefined : 'finding',
      next: good ? undefined : 'nestctl backup create',
    };
  }
}
