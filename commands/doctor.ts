import { ConsoleCommand } from '../src/console/base-command.js';
import { FINDING_COLUMNS, findingTable, findingTree, summarise } from '../src/console/finding-views.js';
import { rowFlags } from '../src/console/flags/index.js';
import type { Outcome } from '../src/console/outcome.js';

export default class Doctor extends ConsoleCommand<typeof Doctor> {
  static override summary =
    'Examine connection, duties, migrations, row security, audit, archiving and maintenance';
  static override description =
    'What is wrong comes first, each with what mends it. Exit code 3: something is wrong; 9: nothing is, but something could not be checked.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --json',
  ];
  static override flags = rowFlags(FINDING_COLUMNS);

  async perform(): Promise<Outcome> {
    const { examine } = await import('../src/platform/doctor/index.js');
    const { checkMaintenance, JOBS } = await import('../src/maintenance/index.js');
    const { owner } = await this.context();
    const findings = await examine(
      await this.operatorTarget(),
      owner === undefined ? undefined : await this.ownerTarget(),
      this.verbose,
      { maintenance: (connection) => checkMaintenance(connection, JOBS) },
    );
    const { verdict, line, next } = summarise(findings);
    return {
      result: { findings },
      verdict,
      view: [findingTree(findings), line],
      rows: findingTable(findings),
      next,
    };
  }
}
