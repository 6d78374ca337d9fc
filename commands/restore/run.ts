import { ConsoleCommand } from '../../src/console/base-command.js';
import { recoveryTarget, targetFlags, whyFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { adviceViews, restored } from '../../src/console/restore-views.js';

export default class RestoreRun extends ConsoleCommand<typeof RestoreRun> {
  static override summary = 'Restore to a moment, into an instance of its own beside everything live';
  static override description =
    'Nothing live is touched: the instance listens on no network, writes to no archive, replicates to and from nobody and loads no library that has jobs; its one socket is for whoever restored it. Interrupted or failed, nothing of it stays. Exit code 6: the moment cannot be reached, and why.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --to "14:01:58" --reason "somebody deleted everything" --ticket OPS-9',
    '<%= config.bin %> <%= command.id %> --latest --reason "drill of December" --ticket OPS-31',
  ];
  static override flags = { ...whyFlags, ...targetFlags };

  async perform(): Promise<Outcome> {
    const { openEngine } = await import('../../src/backups/index.js');
    const { adviseTarget, describeTarget, requireReachable, runRestore } = await import(
      '../../src/recovery/index.js'
    );
    const { showEvent } = await import('../../src/audit/index.js');
    const context = await this.context();
    const engine = await openEngine(context);
    const { because, ticket } = await this.why();
    const made = { by: context.user, reason: because ?? null, ticket: ticket ?? null };
    return await this.change({
      plan: async () => {
        const target = await recoveryTarget(this.flags, (event) =>
          this.withSession(['sre', 'auditor', 'compliance', 'admin'], (session) => showEvent(session, event)),
        );
        return requireReachable(await adviseTarget(engine, target));
      },
      show: (advice) =>
        adviceViews(advice, advice.nearest === null ? undefined : describeTarget(advice.nearest)),
      apply: (advice) =>
        runRestore(engine, advice, {
          ...{ context, made, signal: this.signal, tell: this.progress },
        }),
      done: (restore) => ({
        result: { restore },
        view: restored(restore),
        next: `nestctl restore verify ${restore.id}`,
      }),
    });
  }
}
