import { familyChange } from '../../src/console/family-views.js';
import { uuidArg, writeFlags } from '../../src/console/flags/index.js';
import { GrantedWrite } from '../../src/console/granted-write.js';
import type { Outcome } from '../../src/console/outcome.js';

export default class FamilyRestore extends GrantedWrite<typeof FamilyRestore> {
  static override summary = 'Bring an archived family back to life';
  static override examples = [
    '<%= config.bin %> <%= command.id %> 9f3a0c1e-… --reason "…" --ticket SUP-1234',
  ];
  static override args = { family: uuidArg({ required: true, description: 'its id' }) };
  static override flags = { ...writeFlags };

  protected override readonly directories = async () =>
    (await import('../../src/access/index.js')).directories;

  async perform(): Promise<Outcome> {
    const { ensureAccess } = await import('../../src/access/index.js');
    const { changeFamily, planFamilyChange } = await import('../../src/families/index.js');
    const id = this.args.family;
    return await this.withSession(['support', 'admin'], async (session) => {
      await ensureAccess(session, { kind: 'family', id }, this.flags);
      return await this.change({
        ...familyChange,
        plan: () => planFamilyChange(session, id, { verb: 'restore' }),
        apply: (plan) => changeFamily(session, plan),
      });
    });
  }
}
