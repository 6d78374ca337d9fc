import { familyChange } from '../../src/console/family-views.js';
import { textFlag, uuidArg, writeFlags } from '../../src/console/flags/index.js';
import { GrantedWrite } from '../../src/console/granted-write.js';
import type { Outcome } from '../../src/console/outcome.js';

export default class FamilyRename extends GrantedWrite<typeof FamilyRename> {
  static override summary = 'Give a family another name';
  static override examples = [
    '<%= config.bin %> <%= command.id %> 9f3a0c1e-… --name Tremblay-Roy --reason "…" --ticket SUP-1234',
  ];
  static override args = { family: uuidArg({ required: true, description: 'its id' }) };
  static override flags = { ...writeFlags, name: textFlag({ description: 'its new name', required: true }) };

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
        plan: () => planFamilyChange(session, id, { verb: 'rename', name: this.flags.name }),
        apply: (plan) => changeFamily(session, plan),
      });
    });
  }
}
