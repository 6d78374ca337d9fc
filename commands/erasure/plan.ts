import { ConsoleCommand } from '../../src/console/base-command.js';
import { erasureViews, STEP_COLUMNS, stepTable } from '../../src/console/erasure-views.js';
import { requestArgs, rowFlags, staffFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';

export default class ErasurePlan extends ConsoleCommand<typeof ErasurePlan> {
  static override summary =
    'What answering a request by erasing its account would do, and what stands against it';
  static override description =
    'Reads the data map and the live catalogue in one snapshot and counts, table by table: what is deleted, anonymized, severed, kept and under which obligation, and what stays with a family of others. Tells what becomes of each family, and who outside has data from us. Shows no data and changes nothing. Its hash is of the catalogue, the map and the counts: an erasure carries out this plan or none. Exit code 3: something stands against it.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> REQ-2026-0004 --reason "her request of 3 November" --ticket DSR-21',
    '<%= config.bin %> <%= command.id %> REQ-2026-0004 --format csv --output plan.csv',
  ];
  static override args = requestArgs;
  static override flags = { ...staffFlags, ...rowFlags(STEP_COLUMNS) };

  protected override readonly directories = async () =>
    (await import('../../src/access/index.js')).directories;

  async perform(): Promise<Outcome> {
    const { ensureAccess } = await import('../../src/access/index.js');
    const { recordReading } = await import('../../src/audit/index.js');
    const { erasableRequest, planErasure } = await import('../../src/privacy/index.js');
    const { number } = this.args;
    const plan = await this.withSession(['compliance'], async (session) => {
      const { user_id: id } = await erasableRequest(session, number);
      await ensureAccess(session, { kind: 'user', id }, this.flags);
      this.warning('archived_months', await recordReading(session, { kind: 'stats', filter: { user: id } }));
      return await planErasure(session, number);
    });
    const rows = stepTable(plan);
    return {
      result: plan,
      view: erasureViews(plan, rows),
      rows,
      verdict: plan.gates.length === 0 ? undefined : 'finding',
      next: plan.gates[0]?.next,
    };
  }
}
