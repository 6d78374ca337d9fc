import { ConsoleCommand } from '../../src/console/base-command.js';
import { durationFlag, Flags, textFlag, writeFlags } from '../../src/console/flags/index.js';
import { finishedTable, planTable, runVerdict } from '../../src/console/maintenance-views.js';
import type { Outcome } from '../../src/console/outcome.js';

export default class MaintenanceRun extends ConsoleCommand<typeof MaintenanceRun> {
  static override summary = 'Run the maintenance jobs that are due, or those named';
  static override description =
    'One maintenance at a time on a database; each run is recorded. A job that fails does not stop the others. Exit code 3: a job found something wrong; 9: some failed or could not look; 1: all failed; 6: another maintenance is at work.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --reason "weekly round"',
    '<%= config.bin %> <%= command.id %> --job analytics --reason "figures for the board" --ticket OPS-7',
    '<%= config.bin %> <%= command.id %> --dry-run',
  ];
  static override flags = {
    ...writeFlags,
    job: textFlag({
      description: 'this job, due or not; may be repeated',
      helpValue: 'NAME',
      multiple: true,
    }),
    all: Flags.boolean({ description: 'every job, due or not', exclusive: ['job', 'due'] }),
    due: Flags.boolean({ description: 'with --job: only if it is due' }),
    wait: durationFlag({ description: 'how long to wait for another maintenance', max: 24 * 3_600_000 }),
    quiet: Flags.boolean({ description: 'print nothing where all goes well, as timers want it' }),
  };

  async perform(): Promise<Outcome> {
    const { JOBS, planMaintenance, runMaintenance } = await import('../../src/maintenance/index.js');
    const { job, all, due, quiet, wait } = this.flags;
    const wish = { names: job, due: due || (job === undefined && !all) };
    const context = await this.context();
    return await this.withSessions(['sre', 'admin'], 2, async (pool) => {
      const planned = await pool.use((session) => planMaintenance(session, JOBS, wish));
      if (planned.length === 0 && !this.flags['dry-run']) return { result: { jobs: [] }, view: [] };
      return await this.change({
        quiet,
        plan: async () => ({ jobs: planned }),
        show: (plan) => planTable(plan.jobs),
        apply: () =>
          runMaintenance(pool, JOBS, {
            ...wish,
            context,
            patience: wait ?? 0,
            signal: this.signal,
            tell: quiet ? this.verbose : this.progress,
          }),
        done: (jobs) => {
          const verdict = runVerdict(jobs);
          return {
            result: { jobs },
            verdict,
            view: quiet && verdict === undefined ? [] : finishedTable(jobs),
          };
        },
      });
    });
  }
}
