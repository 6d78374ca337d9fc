import { ConsoleCommand } from '../../src/console/base-command.js';
import { confirmName } from '../../src/console/confirm-name.js';
import { erasureDetails, erasureOutcome, progressTable } from '../../src/console/erasure-run-views.js';
import { erasureArgs, Flags, staffFlags, textFlag, zoneFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';

export default class ErasureRun extends ConsoleCommand<typeof ErasureRun> {
  static override aliases = ['erasure:resume'];
  static override summary = 'Erase what was scheduled and is due, and prove that nothing is left';
  static override description =
    'First it is entered into the ledger that outlives a restore: keyed hashes of by whom they are known, signed, locked in the object store where the context names one. Then rows go in batches, each a transaction with its record, in the order of the foreign keys, the audit log last; last every column of every schema is searched for what is left. Refused where a hold or a request stands against it, or where the catalogue or the counts are no longer what was approved. Interrupted, even killed, the next run goes on (erasure resume is the same), and nobody is asked again. Exit code 9: something is left, and where; 8: archives or others outside have still to follow.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> REQ-2026-0004 --dry-run',
    '<%= config.bin %> <%= command.id %> REQ-2026-0004 --confirm REQ-2026-0004 --reason "due since 3 December" --ticket DSR-21',
  ];
  static override args = erasureArgs;
  static override flags = {
    ...staffFlags,
    ...zoneFlags,
    'dry-run': Flags.boolean({ description: 'show the plan and change nothing', helpGroup: 'WRITE' }),
    confirm: textFlag({
      description: 'consent without being asked: the number of the request',
      helpGroup: 'WRITE',
      helpValue: 'NAME',
    }),
  };

  async perform(): Promise<Outcome> {
    const { planRun, readOutside, runErasure } = await import('../../src/privacy/index.js');
    const { number } = this.args;
    const context = await this.context();
    return await this.withSession(['compliance'], (session) =>
      this.change({
        plan: () => planRun(session, number),
        show: ({ erasure, steps }) => [erasureDetails(erasure), progressTable(steps)],
        apply: async ({ erasure, steps }) => {
          if (erasure.begun_at === null) {
            await confirmName({
              name: number,
              warning: `All of the account ${erasure.person} is erased for good.`,
              given: this.flags.confirm,
              json: this.jsonWanted,
              next: `nestctl erasure run ${number} --confirm ${number}`,
            });
          }
          const total = steps.reduce((sum, { rows = 0 }) => sum + rows, 0);
          const done = await runErasure(session, context, number, {
            signal: this.signal,
            tell: this.progress,
            onBatch: ({ table, rows }) =>
              this.counted({ what: 'rows', done: rows, total: Math.max(total, rows), detail: table }),
          });
          return { erasure: done, outside: await readOutside(session, number) };
        },
        done: ({ erasure, outside }) => erasureOutcome(erasure, outside),
      }),
    );
  }
}
