import { ConsoleCommand } from '../../src/console/base-command.js';
import { staffFlags, tableFlags, uuidFlag, zoneFlags } from '../../src/console/flags/index.js';
import { GUARDIAN_COLUMNS } from '../../src/console/guardian-views.js';
import type { Outcome } from '../../src/console/outcome.js';
import { table } from '../../src/console/views.js';

export default class GuardianList extends ConsoleCommand<typeof GuardianList> {
  static override summary = 'List who stands for the children of a family, and whether they may act today';
  static override description =
    'Ended records too. A membership of the family, family_core too, makes nobody a guardian. Needs an access grant.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --family 9f3a0c1e-… --reason "access request of a father" --ticket PRIV-12',
    '<%= config.bin %> <%= command.id %> --family 9f3a0c1e-… --child 5c1e07d2-… --json',
  ];
  static override flags = {
    ...staffFlags,
    ...zoneFlags,
    ...tableFlags(GUARDIAN_COLUMNS),
    family: uuidFlag({ description: 'the family', required: true }),
    child: uuidFlag({ description: 'only of this child' }),
  };

  protected override readonly directories = async () =>
    (await import('../../src/access/index.js')).directories;

  async perform(): Promise<Outcome> {
    const { ensureAccess } = await import('../../src/access/index.js');
    const { listGuardians } = await import('../../src/privacy/index.js');
    const { family, child } = this.flags;
    const found = await this.withSession(['compliance'], async (session) => {
      await ensureAccess(session, { kind: 'family', id: family }, this.flags);
      return await listGuardians(session, family, child);
    });
    const guardians = this.sorted(found, GUARDIAN_COLUMNS);
    return {
      result: { guardians: guardians.map(({ seen, ...guardian }) => guardian) },
      view: table(guardians, GUARDIAN_COLUMNS, 'Nobody is on record: nobody may act for them.'),
    };
  }
}
