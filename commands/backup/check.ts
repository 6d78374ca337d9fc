import { ConsoleCommand } from '../../src/console/base-command.js';
import { FINDING_COLUMNS, findingTable, findingTree, summarise } from '../../src/console/finding-views.js';
import { rowFlags, staffFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';

const DUTIES = ['sre', 'admin', 'auditor', 'compliance'] as const;

export default class BackupCheck extends ConsoleCommand<typeof BackupCheck> {
  static override summary =
    'Check what backups promise: age, RPO now, log without gaps, 30 days, and no more';
  static override description =
    'RPO of one hour, one backup a day, kept for 30 days, and forgotten soon after, else people who were erased live on in them; encryption and region. With the database gone, what only it knows is unknown. Exit code 3: something is wrong; 9: nothing is, but something could not be found out.';
  static override examples = ['<%= config.bin %> <%= command.id %>'];
  static override flags = { ...staffFlags, ...rowFlags(FINDING_COLUMNS) };

  async perform(): Promise<Outcome> {
    const { readChecks } = await import('../../src/backups/index.js');
    const findings = await readChecks(await this.context(), (work) => this.withSession(DUTIES, work));
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
