import { ConsoleCommand } from '../../../src/console/base-command.js';
import { decisionCheckViews } from '../../../src/console/decision-views.js';
import { chainNode } from '../../../src/console/evidence-views.js';
import { rowFlags, staffFlags, zoneFlags } from '../../../src/console/flags/index.js';
import { LEDGER_COLUMNS } from '../../../src/console/ledger-views.js';
import type { Outcome } from '../../../src/console/outcome.js';
import { table, text, tree } from '../../../src/console/views.js';

export default class ErasureLedgerVerify extends ConsoleCommand<typeof ErasureLedgerVerify> {
  static override summary =
    'Verify the ledgers of erasures and decisions, here, where they are locked, and against the database';
  static override description =
    'Every record as it was signed, and none gone. An entry that the database does not know is that of an erasure which a restore has undone; an erasure that stands in no record would be undone by the next; and so it is with decisions (erasure replay --help). Exit code 3: one of these, or tampered with; 9: when something was signed is not proven.';
  static override examples = ['<%= config.bin %> <%= command.id %>'];
  static override flags = { ...staffFlags, ...zoneFlags, ...rowFlags(LEDGER_COLUMNS) };

  async perform(): Promise<Outcome> {
    const { verifyLedger } = await import('../../../src/privacy/index.js');
    const context = await this.context();
    const check = await this.withSession(['compliance', 'auditor'], (session) =>
      verifyLedger(session, context),
    );
    const { chains, entries, missing, decisions } = check;
    const faults = chains.flatMap((chain) => chain.faults).length;
    const doubts = chains.flatMap((chain) => chain.doubts).length;
    const apart = entries.filter(({ database }) => database !== 'same');
    const back = apart.filter(({ database }) => database === 'unknown').length;
    const rows = table(apart, LEDGER_COLUMNS, '');
    const found = faults + apart.length + missing.length + decisions.unknown + decisions.missing.length > 0;
    return {
      result: { ...check, faults, doubts },
      rows,
      view: [
        tree(...chains.map(chainNode)),
        ...(apart.length > 0 ? [rows] : []),
        ...(back > 0
          ? [
              text(
                `${back === 1 ? 'An erasure is' : `${back} erasures are`} unknown to this database: it was restored to before, and whom they took is back.`,
                { mark: 'bad' },
              ),
            ]
          : []),
        ...missing.map((request) =>
          text(
            `The erasure of ${request} stands in no record here: after a restore nobody would know of it.`,
            {
              mark: 'bad',
            },
          ),
        ),
        ...decisionCheckViews(decisions),
        ...(faults > 0 ? [text(`${faults} faults: this ledger was tampered with.`, { mark: 'bad' })] : []),
        ...(found
          ? []
          : [
              text(
                entries.length === 0
                  ? 'Nobody was erased yet.'
                  : `All ${entries.length} are as they were signed, and the database knows them.`,
                { mark: doubts > 0 ? 'unknown' : 'good' },
              ),
            ]),
      ],
      verdict: found ? 'finding' : doubts > 0 ? 'partial' : undefined,
      next:
        faults > 0
          ? 'nestctl evidence verify'
          : back + decisions.unknown > 0
            ? 'nestctl erasure replay --after-restore'
            : undefined,
    };
  }
}
