import { ConsoleCommand } from '../../src/console/base-command.js';
import { consentFlags, Flags, textFlag } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { details, table, text, type View } from '../../src/console/views.js';
import type { MigrationReport } from '../../src/platform/migrations/index.js';

export default class DbMigrate extends ConsoleCommand<typeof DbMigrate> {
  static override summary = 'Bring the database up to date: roles, then each pending migration';
  static override description =
    'Each migration is a transaction of its own, so one that fails leaves nothing behind. Run it again after ' +
    'anything that interrupted it. In a context of kind local a dry run also rehearses.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --dry-run',
    '<%= config.bin %> <%= command.id %> --to 0003 --yes',
  ];
  static override flags = {
    ...consentFlags,
    to: textFlag({ description: 'the last migration to apply, by name or number', helpValue: 'NAME' }),
    rehearse: Flags.boolean({
      description:
        'with --dry-run: run it all in a transaction that is rolled back; holds its locks meanwhile',
      dependsOn: ['dry-run'],
    }),
  };

  async perform(): Promise<Outcome> {
    const { describeStep, migrate } = await import('../../src/platform/migrations/index.js');
    const { kind } = await this.context();
    const options = {
      target: await this.ownerTarget(),
      to: this.flags.to,
      signal: this.signal,
      onStep: (step: Parameters<typeof describeStep>[0]) =>
        (step.type === 'done' ? this.finished : this.progress)(describeStep(step)),
    };
    const rehearse = this.flags.rehearse || (kind === 'local' && this.flags['dry-run']);
    const plan = await migrate({ ...options, dryRun: true, rehearse });
    for (const warning of plan.warnings) this.warning('migration', warning);
    if (plan.migrations.length === 0 && plan.roles.length === 0) {
      return { result: resultOf(plan), view: text(`Up to date: ${plan.before} applied.`, { mark: 'good' }) };
    }
    return await this.change({
      plan: async () => resultOf(plan),
      show: () => view(plan),
      ...(kind === 'local' ? {} : { question: () => `Apply ${plan.migrations.length} migrations?` }),
      apply: () => migrate(options),
      done: (report) => ({
        result: resultOf(report),
        view: text(`${report.migrations.length} migrations applied.`, { mark: 'good' }),
        next: 'nestctl db status',
      }),
    });
  }
}

function resultOf({ before, roles, migrations }: MigrationReport) {
  return { applied_before: before, roles, migrations };
}

function view(plan: MigrationReport): View[] {
  return [
    details({ 'applied before': plan.before, 'roles to make': plan.roles.join(', ') || 'none' }),
    table(
      plan.migrations,
      [
        { name: 'migration', value: ({ name }) => name },
        { name: 'kind', value: ({ kind }) => kind },
        { name: 'transaction', value: ({ transaction }) => (transaction ? 'yes' : 'no') },
        { name: 'rehearsed', value: ({ rehearsed }) => (rehearsed === true ? 'yes' : (rehearsed ?? 'no')) },
        { name: 'locks', value: ({ locks }) => locks },
      ],
      'No migration is pending.',
    ),
  ];
}
