import { ConsoleCommand } from '../../src/console/base-command.js';
import {
  erasureDetails,
  FOUND_COLUMNS,
  outsideViews,
  PROGRESS_COLUMNS,
  progressTable,
} from '../../src/console/erasure-run-views.js';
import { erasureArgs, rowFlags, staffFlags, zoneFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { heading, listed } from '../../src/console/views.js';

export default class ErasureShow extends ConsoleCommand<typeof ErasureShow> {
  static override summary = 'Show an erasure: how far it has come, what was found, who outside has to follow';
  static override examples = ['<%= config.bin %> <%= command.id %> REQ-2026-0004'];
  static override args = erasureArgs;
  static override flags = { ...staffFlags, ...zoneFlags, ...rowFlags(PROGRESS_COLUMNS) };

  async perform(): Promise<Outcome> {
    const { readErasure, readOutside, readProgress } = await import('../../src/privacy/index.js');
    const { number } = this.args;
    return await this.withSession(['compliance', 'auditor'], async (session) => {
      const erasure = await readErasure(session, number);
      const [steps, outside] = [await readProgress(session, number), await readOutside(session, number)];
      const rows = progressTable(steps);
      return {
        result: { erasure, steps, outside },
        view: [
          erasureDetails(erasure),
          heading('Steps'),
          rows,
          ...listed('What was found afterwards', erasure.proof?.found ?? [], FOUND_COLUMNS),
          ...outsideViews(outside),
        ],
        rows,
      };
    });
  }
}
