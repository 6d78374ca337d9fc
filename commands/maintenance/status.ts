import { ConsoleCommand } from '../../src/console/base-command.js';
import { summarise } from '../../src/console/finding-views.js';
import { staffFlags, tableFlags, zoneFlags } from '../../src/console/flags/index.js';
import { STATUS_COLUMNS, statusTable } from '../../src/console/maintenance-views.js';
import type { Outcome } from '../../src/console/outcome.js';

export default class MaintenanceStatus extends ConsoleCommand<typeof MaintenanceStatus> {
  static override summary =
    'Show every maintenance job and promise: last run, what came of it, when it is due';
  static override description =
    'Exit code 3: one is missed, failed, found something, or never ran; 9: none is, but one is not known. A promise that no job keeps yet is unknown.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --json',
  ];
  static override flags = { ...staffFlags, ...zoneFlags, ...tableFlags(STATUS_COLUMNS) };

  async perform(): Promise<Outcome> {
    const { JOBS, maintenanceFindings, maintenanceStatus } = await import('../../src/maintenance/index.js');
    const duties = ['sre', 'auditor', 'compliance', 'support', 'admin'] as const;
    const jobs = await this.withSession(duties, (session) => maintenanceStatus(session, JOBS));
    const { verdict, line, next } = summarise(maintenanceFindings(jobs));
    return { result: { jobs }, verdict, view: [statusTable(this.sorted(jobs, STATUS_COLUMNS)), line], next };
  }
}
