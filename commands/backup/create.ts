import { backupDetails } from '../../src/console/backup-views.js';
import { ConsoleCommand } from '../../src/console/base-command.js';
import { whyFlags, zoneFlags } from '../../src/console/flags/index.js';
import { formatBytes } from '../../src/console/format-bytes.js';
import type { Outcome } from '../../src/console/outcome.js';
import { details, text } from '../../src/console/views.js';

export default class BackupCreate extends ConsoleCommand<typeof BackupCreate> {
  static override summary = 'Make a backup now, and read it back';
  static override description =
    'The engine of the context makes it while the database is at work. It counts as one only once all of it was read back as it was sent, and the log that it needs is archived; interrupted, nothing of it is left. Who had it made, and why, is kept with it.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --reason "before the migration of tonight" --ticket OPS-31',
  ];
  static override flags = { ...whyFlags, ...zoneFlags };

  async perform(): Promise<Outcome> {
    const { openEngine } = await import('../../src/backups/index.js');
    const context = await this.context();
    const engine = await openEngine(context);
    const { because, ticket } = await this.why();
    const made = { by: context.user, reason: because ?? null, ticket: ticket ?? null };
    return await this.change({
      plan: async () => ({ engine: engine.kind, type: 'full', place: engine.place, ...made }),
      show: (plan) => details(plan),
      apply: () =>
        engine.create(made, {
          signal: this.signal,
          tell: this.progress,
          onBytes: (done) => this.verbose(formatBytes(done)),
        }),
      done: (backup) => ({
        result: { backup },
        view: [text(`Backup ${backup.id} was made and read back.`, { mark: 'good' }), backupDetails(backup)],
        next: 'nestctl backup check',
      }),
    });
  }
}
