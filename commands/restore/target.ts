import { ConsoleCommand } from '../../src/console/base-command.js';
import { recoveryTarget, staffFlags, targetFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { adviceViews } from '../../src/console/restore-views.js';

export default class RestoreTarget extends ConsoleCommand<typeof RestoreTarget> {
  static override summary =
    'Whether a moment can be recovered to, from which backup, and else the nearest that can';
  static override description =
    'Looks at backups and the archived log alone, so it works with the database gone; an event of the audit log is looked up there. Nothing is restored; a server that is there is asked to archive what it has, where the moment is later than what it did. Exit code 3: it cannot be reached; 9: only trying it shows.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --to "14:01:58" --zone America/Toronto',
    '<%= config.bin %> <%= command.id %> --before-event 48211 --reason "somebody deleted everything" --ticket OPS-9',
    '<%= config.bin %> <%= command.id %> --latest',
  ];
  static override flags = { ...staffFlags, ...targetFlags };

  async perform(): Promise<Outcome> {
    const { openEngine } = await import('../../src/backups/index.js');
    const { adviseTarget, describeTarget } = await import('../../src/recovery/index.js');
    const { showEvent } = await import('../../src/audit/index.js');
    const engine = await openEngine(await this.context());
    const target = await recoveryTarget(this.flags, (event) =>
      this.withSession(['sre', 'auditor', 'compliance', 'admin'], (session) => showEvent(session, event)),
    );
    const advice = await adviseTarget(engine, target);
    const nearest = advice.nearest === null ? undefined : describeTarget(advice.nearest);
    return {
      result: advice,
      view: adviceViews(advice, nearest),
      verdict: advice.reachable === 'no' ? 'finding' : advice.reachable === 'unknown' ? 'partial' : undefined,
    };
  }
}
