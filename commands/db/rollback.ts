import { ConsoleCommand } from '../../src/console/base-command.js';
import { confirmName } from '../../src/console/confirm-name.js';
import { countFlag, Flags, textFlag } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { table, text } from '../../src/console/views.js';
import type { RollbackReport } from '../../src/platform/migrations/index.js';

export default class DbRollback extends ConsoleCommand<typeof DbRollback> {
  static override summary = 'Take back the last migrations';
  static override description =
    'Each is tried first: one that would lose rows is refused outside a local context, audit events above all. ' +
    'Roles stay, since other databases of the cluster may use them.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --dry-run',
    '<%= config.bin %> <%= command.id %> --steps 2 --confirm production',
  ];
  static override flags = {
    'dry-run': Flags.boolean({
      description: 'find out what would be lost, in a transaction that is rolled back',
      helpGroup: 'WRITE',
    }),
    confirm: textFlag({
      description: "consent without being asked: the context's name",
      helpGroup: 'WRITE',
      helpValue: 'NAME',
    }),
    steps: countFlag({ description: 'how many to take back', default: 1, max: 9999 }),
  };

  async perform(): Promise<Outcome> {
    const { describeLoss, describeStep, rollback } = await import('../../src/platform/migrations/index.js');
    const resultOf = ({ migrations, left }: RollbackReport) => ({
      applied: left,
      migrations: migrations.map((row) => ({ ...row, loses: row.losses.map(describeLoss) })),
    });
    const { kind, name } = await this.context();
    const options = {
      target: await this.ownerTarget(),
      steps: this.flags.steps,
      allowDataLoss: kind === 'local',
      signal: this.signal,
      onStep: (step: Parameters<typeof describeStep>[0]) =>
        (step.type === 'done' ? this.finished : this.progress)(describeStep(step)),
    };
    return await this.change({
      plan: async () => resultOf(await rollback({ ...options, dryRun: true })),
      show: ({ migrations }) =>
        table(
          migrations,
          [
            { name: 'takes back', value: (row) => row.name },
            { name: 'loses', value: (row) => row.loses.join('; ') || 'nothing' },
          ],
          'Nothing is applied.',
        ),
      apply: async ({ migrations }) => {
        await confirmName({
          name,
          warning: `${migrations.map((row) => row.name).join(', ')} will be taken back in ${name}.`,
          given: this.flags.confirm,
          json: this.flags.json,
          next: `nestctl db rollback --steps ${this.flags.steps} --confirm ${name}`,
        });
        return await rollback(options);
      },
      done: (report) => ({
        result: resultOf(report),
        view: text(`${report.migrations.length} taken back, ${report.left} applied.`, { mark: 'good' }),
        next: 'nestctl db status',
      }),
    });
  }
}
