import { ConsoleCommand } from '../../src/console/base-command.js';
import { consentFlags, Flags, whyFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { details, text } from '../../src/console/views.js';

export default class BackupExpire extends ConsoleCommand<typeof BackupExpire> {
  static override summary = 'Give up backups, and the log before them, that the promised days do not need';
  static override description =
    'One backup stays from before the first of those days, since they are recovered from it. Whoever was erased in between lives on in what is given up: hence it is given up, by maintenance each day.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --dry-run',
    '<%= config.bin %> <%= command.id %> --reason "weekly round" --ticket OPS-31',
  ];
  static override flags = {
    ...whyFlags,
    ...consentFlags,
    days: Flags.integer({ description: 'how many days stay recoverable', min: 30, default: 30 }),
  };

  async perform(): Promise<Outcome> {
    const { openEngine } = await import('../../src/backups/index.js');
    const engine = await openEngine(await this.context());
    const since = new Date(Date.now() - this.flags.days * 86_400_000);
    await this.why();
    return await this.change({
      plan: () => engine.planExpiry(since),
      show: ({ backups, segments }) =>
        details({ engine: engine.kind, backups: backups.join(' ') || 'none', 'files of the log': segments }),
      nothing: ({ backups, segments }) => backups.length + segments === 0,
      question: ({ backups, segments }) =>
        `Give up ${backups.length} ${backups.length === 1 ? 'backup' : 'backups'} and ${segments} files of the log?`,
      apply: () => engine.expire(since),
      done: (gone) => ({
        result: gone,
        view: text(`${gone.backups.length} backups and ${gone.segments} files of the log are gone.`, {
          mark: 'good',
        }),
        next: 'nestctl backup check',
      }),
    });
  }
}
