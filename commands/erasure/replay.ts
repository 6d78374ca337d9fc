import { ConsoleCommand } from '../../src/console/base-command.js';
import { Flags, writeFlags, zoneFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { missingViews, replayOutcome, returnTable, toReplay } from '../../src/console/replay-views.js';

export default class ErasureReplay extends ConsoleCommand<typeof ErasureReplay> {
  static override summary = 'Find who was erased and has come back with a restore, and erase them again';
  static override description =
    'The ledger of erasures outlives a restore. It is verified, then all accounts are looked through for whom it knows, by keyed hashes that are made here: the look is on record, and no key goes to the database. Whoever is back is erased again by what was done then, each under a second operator’s approval of that record, however many gates came back with them; only a legal hold that was placed since stands against it. An account that has nothing but their address is somebody who registered since: it is reported, not erased. Afterwards it looks again, and what came of it is signed. Exit code 8: approvals are waited for, run it again then; 9: somebody is here still, or it cannot be told.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --after-restore --reason "restored to 14:01:58" --ticket OPS-9',
    '<%= config.bin %> <%= command.id %> --after-restore --dry-run --reason "restored to 14:01:58"',
  ];
  static override flags = {
    ...writeFlags,
    ...zoneFlags,
    'after-restore': Flags.boolean({
      description: 'look for everybody whom the ledger knows',
      required: true,
    }),
  };

  async perform(): Promise<Outcome> {
    const { planReplay, replayErasures } = await import('../../src/privacy/index.js');
    const context = await this.context();
    const looking = {
      signal: this.signal,
      onPage: (accounts: number) => this.progress(`looking through accounts: ${accounts} so far`),
    };
    return await this.withSession(['compliance'], (session) =>
      this.change({
        plan: () => planReplay(session, context, looking),
        show: ({ look, missing }) => [returnTable(look), ...missingViews(missing)],
        nothing: ({ look }) => toReplay(look) === 0,
        question: ({ look }) =>
          `Erase again, for good, what the ${toReplay(look)} that are back brought with them?`,
        apply: async ({ look }) =>
          look && (await replayErasures(session, context, look, { ...looking, tell: this.progress })),
        done: (replay, { missing }) => replayOutcome(replay, missing, context.name),
      }),
    );
  }
}
