import { ConsoleCommand } from '../../src/console/base-command.js';
import { countFlag } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { details, text } from '../../src/console/views.js';

export default class LocalSeed extends ConsoleCommand<typeof LocalSeed> {
  static override summary = 'Fill the embedded database with fictitious Canadian families';
  static override description =
    'Every province and territory, in English and French, with members, children, stock and usage up to now. All of ' +
    'it is audited. Run again it adds more families; nothing is made twice.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --families 400 --days 300',
  ];
  static override flags = {
    families: countFlag({ description: 'families to add', default: 50, max: 10_000_000 }),
    days: countFlag({ description: 'days of usage up to now', default: 30, max: 3650 }),
    seed: countFlag({
      description: 'the same seed makes the same families',
      default: 1,
      min: 0,
      max: 2 ** 32 - 1,
    }),
  };

  async perform(): Promise<Outcome> {
    const { seedFamilies } = await import('../../src/families/index.js');
    const { families, days, seed } = this.flags;
    const report = await seedFamilies({
      target: await this.operatorTarget(),
      families,
      days,
      seed,
      request: this.request,
      signal: this.signal,
      onProgress: (done) =>
        this.counted({
          what: 'families',
          done: done.families,
          total: families,
          detail: `${done.usage_logs} usage logs`,
        }),
    });
    return {
      result: report,
      view: [
        text(`${report.families} families with ${report.usage_logs} usage logs were added`, { mark: 'good' }),
        details(report.rows),
      ],
      next: 'nestctl family list --name Tremblay --reason "looking around" --ticket LOCAL-1',
    };
  }
}
