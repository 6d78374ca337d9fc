import { ConsoleCommand } from '../../../src/console/base-command.js';
import { staffFlags, tableFlags, zoneFlags } from '../../../src/console/flags/index.js';
import { LEDGER_COLUMNS } from '../../../src/console/ledger-views.js';
import type { Outcome } from '../../../src/console/outcome.js';
import { table } from '../../../src/console/views.js';

export default class ErasureLedgerList extends ConsoleCommand<typeof ErasureLedgerList> {
  static override summary = 'List what the ledger of erasures has, the newest first';
  static override description =
    'The ledger lies outside the database, so that it outlives a restore: in the evidence of the context, and locked in its object store where it names one. It holds nobody’s data: keyed hashes of by whom they are known. Nothing of it is verified here: erasure ledger verify does that.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --format csv',
  ];
  static override flags = { ...staffFlags, ...zoneFlags, ...tableFlags(LEDGER_COLUMNS) };

  async perform(): Promise<Outcome> {
    const { readLedger } = await import('../../../src/privacy/index.js');
    const context = await this.context();
    const found = await this.withSession(['compliance', 'auditor'], (session) =>
      readLedger(session, context),
    );
    const entries = this.sorted(found, LEDGER_COLUMNS);
    return { result: { entries }, view: table(entries, LEDGER_COLUMNS, 'Nobody was erased yet.') };
  }
}
