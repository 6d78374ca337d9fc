import { ConsoleCommand } from '../../src/console/base-command.js';
import { rowFlags, zoneFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { RESTORE_COLUMNS, restoreTable } from '../../src/console/restore-views.js';

export default class RestoreStatus extends ConsoleCommand<typeof RestoreStatus> {
  static override summary = 'What is restored on this machine, and how far it is';
  static override examples = ['<%= config.bin %> <%= command.id %>'];
  static override flags = { ...zoneFlags, ...rowFlags(RESTORE_COLUMNS) };

  async perform(): Promise<Outcome> {
    const { listRestores } = await import('../../src/recovery/index.js');
    const restores = await listRestores();
    return { result: { restores }, view: restoreTable(this.sorted(restores, RESTORE_COLUMNS)) };
  }
}
