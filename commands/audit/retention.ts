import type { Pruned } from '../../src/audit/index.js';
import { ConsoleCommand } from '../../src/console/base-command.js';
import { writeFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { table, text } from '../../src/console/views.js';

export default class AuditRetention extends ConsoleCommand<typeof AuditRetention> {
  static override summary = 'Prune months of the audit log whose years are over: 7, 3 or 1 by category';
  static override description =
    'Consent, emergency and modification are kept for 7 years from the end of their month, access 3, authentication 1. ' +
    'A second operator approves the months. Each is signed for first, in a record that is itself an event of the log; ' +
    'once that is sealed (audit seal, or maintenance), the next run drops the month. Its leaves stay in the tree, so ' +
    'audit verify tells pruning from tampering. Of archived months every version of every object goes whose lock has ' +
    'ended, what belongs to people at once. Interrupted, even killed, the next run goes on.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --dry-run',
    '<%= config.bin %> <%= command.id %> --reason "yearly retention" --ticket PRIV-12',
  ];
  static override flags = writeFlags;

  async perform(): Promise<Outcome> {
    const { planRetention, pruneLog } = await import('../../src/audit/index.js');
    const { requestApproval } = await import('../../src/platform/approvals/index.js');
    const context = await this.context();
    return await this.withSession(['compliance'], (session) =>
      this.change({
        plan: () => planRetention(session),
        show: ({ months }) =>
          table(
            months,
            [
              { name: 'month', value: ({ category, month }) => `${category} ${month}`, keep: true },
              { name: 'events', value: ({ events }) => events, align: 'right' },
              { name: 'kept until', value: ({ kept_until }) => kept_until },
              {
                name: 'lies in',
                value: ({ archive }) => (archive === null ? 'database' : 'object store'),
              },
              { name: 'state', value: ({ state }) => state },
              { name: 'held', value: ({ held }) => held },
            ],
            'No month of the audit log has been kept for all its years.',
          ),
        nothing: ({ months }) => months.every(({ state }) => state === 'held'),
        question: ({ months }) =>
          `Destroy the events of ${months.filter(({ state }) => state !== 'held').length} months for good?`,
        approved: ({ approvable }) => approvable.months.length === 0,
        approval: ({ approvable }) => requestApproval(session, 'audit_retention', approvable),
        apply: (plan) => pruneLog(session, context, plan, { signal: this.signal, tell: this.progress }),
        done: (result) => ({
          result,
          verdict: verdictOf(result),
          view: [
            text(`${result.pruned.length} months were pruned; their leaves stay in the tree.`, {
              mark: 'good',
            }),
            ...(result.waiting.length > 0
              ? [
                  text(
                    `${result.waiting.length} months are signed for, and are dropped once that is sealed: run this again after it.`,
                    { mark: 'unknown' },
                  ),
                ]
              : []),
            ...result.held.map(({ category, month, why }) =>
              text(`${category} ${month} is held: ${why}.`, { mark: 'unknown' }),
            ),
            ...result.locked.map(({ category, month, until }) =>
              text(
                `${category} ${month}: what belongs to people is destroyed; the rest is locked until ${until.toISOString()}.`,
                { mark: 'unknown' },
              ),
            ),
          ],
          next: result.waiting.length > 0 ? 'nestctl audit seal' : 'nestctl audit verify',
        }),
      }),
    );
  }
}

function verdictOf({ waiting, locked, held }: Pruned): Outcome['verdict'] {
  if (waiting.length > 0) return 'pending';
  return locked.length + held.length > 0 ? 'partial' : undefined;
}
