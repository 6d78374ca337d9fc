import { ConsoleCommand } from '../../src/console/base-command.js';
import { tableFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { type Column, table, toned } from '../../src/console/views.js';
import type { MigrationStatus } from '../../src/platform/migrations/index.js';

const TONES = { applied: 'good', pending: 'warn', changed: 'bad', unknown: 'bad', skipped: 'bad' } as const;

const COLUMNS: readonly Column<MigrationStatus>[] = [
  { name: 'migration', value: ({ name }) => name },
  { name: 'state', value: ({ state }) => toned(TONES[state], state), keep: true },
  { name: 'kind', value: ({ kind }) => kind },
  { name: 'reversible', value: ({ reversible }) => reversible, extra: true },
  { name: 'applied', value: ({ appliedAt }) => appliedAt },
  { name: 'by', value: ({ appliedBy }) => appliedBy },
];

export default class DbStatus extends ConsoleCommand<typeof DbStatus> {
  static override summary = 'Show which migrations are applied and which are pending';
  static override description =
    'Exit code 3: an applied migration has another file now (changed), is not known to this nestctl (unknown), ' +
    'or one was left out (skipped).';
  static override examples = ['<%= config.bin %> <%= command.id %>'];
  static override flags = tableFlags(COLUMNS);

  async perform(): Promise<Outcome> {
    const { migrationStatus } = await import('../../src/platform/migrations/index.js');
    const migrations = this.sorted(await migrationStatus(await this.ownerTarget()), COLUMNS);
    const pending = migrations.some(({ state }) => state === 'pending');
    return {
      result: {
        migrations: migrations.map(({ appliedAt, appliedBy, ...migration }) => ({
          ...migration,
          applied_at: appliedAt,
          applied_by: appliedBy,
        })),
      },
      view: table(migrations, COLUMNS, 'There are no migrations.'),
      verdict: migrations.some(({ state }) => TONES[state] === 'bad') ? 'finding' : undefined,
      ...(pending ? { next: 'nestctl db migrate' } : {}),
    };
  }
}
