import { ConsoleCommand } from '../../src/console/base-command.js';
import { durationFlag, writeFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { details, table, text } from '../../src/console/views.js';

const DAY = 86_400_000;

export default class AuditArchive extends ConsoleCommand<typeof AuditArchive> {
  static override summary = 'Move whole sealed months of the audit log to the object store';
  static override description =
    'Skeletons and leaves go under Object Lock until the month has been kept for the years of its category (7, 3 or ' +
    '1); personal parts and their salts go into objects without a lock, which an approved erasure destroys. The head ' +
    'of the tree stays, so audit verify still proves every leaf. A partition is dropped only after every byte in the ' +
    'store was compared with it. Erasures that have still to reach archives are carried out first. Interrupted, even ' +
    'killed, the next run goes on.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --dry-run',
    '<%= config.bin %> <%= command.id %> --older-than 730d --reason "yearly archive" --ticket OPS-12',
  ];
  static override flags = {
    ...writeFlags,
    'older-than': durationFlag({
      description: 'months that ended before',
      default: 400 * DAY,
      min: DAY,
      max: 36_500 * DAY,
      helpValue: '400d',
    }),
  };

  async perform(): Promise<Outcome> {
    const { archiveLog, planArchive } = await import('../../src/audit/index.js');
    const context = await this.context();
    const before = new Date(Date.now() - this.flags['older-than']);
    return await this.withSession(['compliance', 'admin'], (session) =>
      this.change({
        plan: () => planArchive(session, before),
        show: ({ months, erasures }) => [
          details({
            'ended before': before,
            'erasures on their way': erasures.length === 0 ? undefined : erasures.length,
          }),
          table(
            months,
            [
              { name: 'month', value: ({ category, month }) => `${category} ${month}`, keep: true },
              { name: 'events', value: ({ events }) => events, align: 'right' },
              { name: 'state', value: ({ state }) => state },
            ],
            'No month is old enough and still in the database.',
          ),
        ],
        nothing: ({ months, erasures }) => months.length === 0 && erasures.length === 0,
        question: ({ months, erasures }) =>
          `Archive ${months.length} months and carry out ${erasures.length} erasures in archives?`,
        apply: (plan) =>
          archiveLog(session, context, plan, {
            signal: this.signal,
            onProgress: (events, what) => this.progress(`${what}: ${events} events`),
          }),
        done: (archived) => ({
          result: archived,
          view: [
            text(
              `${archived.months.length} months lie in ${archived.place}, compared byte for byte, and were dropped here.`,
              { mark: 'good' },
            ),
            ...(archived.erased_parts > 0
              ? [
                  text(
                    `${archived.erased_parts} parts of erased people were destroyed there, with ${archived.destroyed_versions} versions of objects.`,
                    { mark: 'good' },
                  ),
                ]
              : []),
          ],
          next: 'nestctl audit seal',
        }),
      }),
    );
  }
}
