import { ConsoleCommand } from '../../src/console/base-command.js';
import { Flags, transactionsFlag, writeFlags, zoneFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { planViews, replayOutcome, replayQuestion, toReplay } from '../../src/console/replay-views.js';

export default class ErasureReplay extends ConsoleCommand<typeof ErasureReplay> {
  static override summary =
    'Find who was erased and is back with a restore, and what was decided and is lost; do both again';
  static override description =
    'Two ledgers outlive a restore: of erasures, and of decisions: consents withdrawn, members removed or given less, invitations and access revoked, accounts suspended, holds placed, guardians, operators and duties ended. Both are verified, then the database is looked through for what they know, by keyed hashes that are made here: the look is on record, and no key goes to the database. Decisions are taken again first, under one approval of exactly these: whatever a row says more than was decided is taken from it, and nothing is given. Whoever is back is erased again by what was done then, each under a second operator’s approval of that record, however many gates came back with them; only a legal hold that was placed since stands against it. An account that has nothing but their address is somebody who registered since: it is reported, not erased. Where one transaction was the mistake that the database was restored from, leave it out: its decisions are not taken again. Afterwards it looks again, and what came of it is signed. Exit code 8: approvals are waited for, run it again then; 9: somebody is here still, something is lost still, or it cannot be told.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --after-restore --reason "restored to 14:01:58" --ticket OPS-9',
    '<%= config.bin %> <%= command.id %> --after-restore --leave-out 99120 --reason "restored to 14:01:58" --ticket OPS-9',
    '<%= config.bin %> <%= command.id %> --after-restore --dry-run --reason "restored to 14:01:58"',
  ];
  static override flags = {
    ...writeFlags,
    ...zoneFlags,
    'after-restore': Flags.boolean({
      description: 'look for everybody and everything that the ledgers know',
      required: true,
    }),
    'leave-out': transactionsFlag({
      description:
        'a transaction that was the mistake, whose decisions are not taken again; several times for several',
    }),
  };

  async perform(): Promise<Outcome> {
    const { planReplay, replayLost } = await import('../../src/privacy/index.js');
    const context = await this.context();
    const options = {
      signal: this.signal,
      onPage: (rows: number) => this.progress(`looking: ${rows} so far`),
      leaveOut: this.flags['leave-out'],
      tell: this.progress,
    };
    return await this.withSession(['compliance'], (session) =>
      this.change({
        plan: () => planReplay(session, context, options),
        show: planViews,
        nothing: (plan) => toReplay(plan) === 0,
        question: replayQuestion,
        apply: async (plan) =>
          plan.look || plan.lost ? await replayLost(session, context, plan, options) : undefined,
        done: (replay, plan) => replayOutcome(replay, plan, context.name),
      }),
    );
  }
}
