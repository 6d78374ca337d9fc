import { ConsoleCommand } from '../../src/console/base-command.js';
import { EXPORT_COLUMNS, exportTable, exportViews } from '../../src/console/export-views.js';
import { rowFlags, serverFlags, staffFlags, uuidFlag } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';

export default class ExportPlan extends ConsoleCommand<typeof ExportPlan> {
  static override summary = "What a person's package would hold, and what not and why";
  static override description =
    'Reads all that the data map says is theirs, in one snapshot, and counts: rows and columns of each table, what is withheld, and where other people are replaced by an alias (PIPEDA s. 9(1)). Joint rows of a family are given to whoever is kin in it now; rows about a child to its guardian of record. A child has a package of its own, which holds its rows alone: planned once a guardian of record who may act for it has an open request whose identity was verified. Shows no data, and refuses where the data map does not answer for every column.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --user 5c1e07d2-… --reason "access request" --ticket DSR-12',
    '<%= config.bin %> <%= command.id %> --user 5c1e07d2-… --json',
    '<%= config.bin %> <%= command.id %> --child 7d20c1b4-… --reason "her mother asks" --ticket DSR-13',
  ];
  static override flags = {
    ...staffFlags,
    ...serverFlags,
    ...rowFlags(EXPORT_COLUMNS),
    user: uuidFlag({ description: 'the person', exclusive: ['child'] }),
    child: uuidFlag({ description: 'the child, whose guardian has asked' }),
  };

  protected override readonly directories = async () =>
    (await import('../../src/access/index.js')).directories;

  async perform(): Promise<Outcome> {
    const { ensureAccess } = await import('../../src/access/index.js');
    const { recordReading } = await import('../../src/audit/index.js');
    const { packageScope, packageSubject, planExport } = await import('../../src/privacy/index.js');
    const { user, child } = this.flags;
    const plan = await this.withReads(['compliance'], async (session, read) => {
      const { subject } = await packageSubject(session, { user, child }, 'export plan');
      const scope = packageScope(subject);
      await ensureAccess(session, scope, this.flags);
      const filter = { [scope.kind]: scope.id };
      this.warning('archived_months', await recordReading(session, { kind: 'export', filter }));
      return await read((reader) => planExport(reader, subject));
    });
    const rows = exportTable(plan);
    return {
      result: plan,
      view: exportViews(plan, rows),
      rows,
      next: user === undefined ? undefined : `nestctl export review --user ${user}`,
    };
  }
}
