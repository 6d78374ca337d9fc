import { ConsoleCommand } from '../../src/console/base-command.js';
import { writeFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { details, text } from '../../src/console/views.js';

export default class AnalyticsRefresh extends ConsoleCommand<typeof AnalyticsRefresh> {
  static override summary = 'Compute the analytics anew, beside their readers';
  static override examples = ['<%= config.bin %> <%= command.id %> --reason "weekly figures" --ticket OPS-7'];
  static override flags = writeFlags;

  async perform(): Promise<Outcome> {
    const { refreshAnalytics } = await import('../../src/families/index.js');
    const { forgetCached } = await import('../../src/platform/cache.js');
    return await this.withSession(['sre', 'admin'], (session) =>
      this.change({
        plan: async () => ({ views: ['private.weekly_usage', 'private.weekly_activity'] }),
        show: (plan) => details({ 'computed anew': plan.views.join(', ') }),
        apply: async () => {
          const run = await refreshAnalytics(session);
          await forgetCached();
          return run;
        },
        done: (run) => ({
          result: run,
          view: text(
            `Computed in ${((run.finished_at.getTime() - run.started_at.getTime()) / 1000).toFixed(1)} s.`,
            { mark: 'good' },
          ),
          next: 'nestctl analytics usage',
        }),
      }),
    );
  }
}
