import { ConsoleCommand } from '../../src/console/base-command.js';
import { staffFlags, uuidArg, uuidFlag, zoneFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { details, heading, table } from '../../src/console/views.js';

export default class ChildShow extends ConsoleCommand<typeof ChildShow> {
  static override summary = 'Show a child and the families it has lived in; needs an access grant';
  static override description = 'Without health columns, which neither support nor a family grant opens.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> 5c1e07d2-… --family 9f3a0c1e-… --reason "Which family is Léa in?" --ticket SUP-1234',
  ];
  static override args = { child: uuidArg({ required: true, description: 'its id' }) };
  static override flags = {
    ...staffFlags,
    ...zoneFlags,
    family: uuidFlag({ description: 'the family it is in', required: true }),
  };

  protected override readonly directories = async () =>
    (await import('../../src/access/index.js')).directories;

  async perform(): Promise<Outcome> {
    const { ensureAccess } = await import('../../src/access/index.js');
    const { showChild } = await import('../../src/families/index.js');
    const { family } = this.flags;
    const child = await this.withSession(['support', 'compliance', 'admin'], async (session) => {
      await ensureAccess(session, { kind: 'family', id: family }, this.flags);
      return await showChild(session, family, this.args.child);
    });
    return {
      result: child,
      view: [
        details({
          child: child.name,
          id: child.id,
          family: `${child.family} ${child.family_id}`,
          born: child.date_of_birth,
          gender: child.gender ?? undefined,
          province: child.province ?? undefined,
          'diaper size': child.current_diaper_size ?? undefined,
          removed: child.deleted_at ?? undefined,
          'usage logs': child.usage_logs,
          'last usage': child.last_logged_at,
          'inventory items': child.inventory_items,
          suggestions: child.reorder_suggestions,
        }),
        heading('Families it has lived in'),
        table(
          child.families,
          [
            { name: 'family', value: ({ family_id }) => family_id, keep: true },
            { name: 'since', value: ({ since }) => since },
            { name: 'until', value: ({ until }) => until },
            { name: 'came by', value: ({ came_by }) => came_by },
            { name: 'left by', value: ({ left_by }) => left_by },
          ],
          'The log does not say.',
        ),
      ],
    };
  }
}
