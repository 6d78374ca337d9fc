import { Flags, textFlag, uuidFlag, writeFlags, zoneFlag } from '../../src/console/flags/index.js';
import { GrantedWrite } from '../../src/console/granted-write.js';
import type { Outcome } from '../../src/console/outcome.js';
import { details, text } from '../../src/console/views.js';

const PROVINCES = ['AB', 'BC', 'MB', 'NB', 'NL', 'NS', 'NT', 'NU', 'ON', 'PE', 'QC', 'SK', 'YT'];

export default class FamilyCreate extends GrantedWrite<typeof FamilyCreate> {
  static override summary = 'Make a family with its first family_core member';
  static override description =
    'Within an access grant for that person; the grant then opens the family too.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --name Tremblay --core 5c1e07d2-… --province QC --reason "…" --ticket SUP-1234',
  ];
  static override flags = {
    ...writeFlags,
    name: textFlag({ description: 'its name', required: true }),
    core: uuidFlag({ description: 'the account of its first family_core member', required: true }),
    type: Flags.string({
      description: 'what kind of family',
      options: ['personal', 'standard', 'institutional'],
      default: 'standard',
    }),
    province: Flags.string({ description: 'province or territory', options: PROVINCES }),
    'time-zone': zoneFlag({ description: 'IANA name of its time zone', default: 'America/Toronto' }),
  };

  async perform(): Promise<Outcome> {
    const { ensureAccess } = await import('../../src/access/index.js');
    const { createFamily, showAccount } = await import('../../src/families/index.js');
    const { name, core, type, province = null, 'time-zone': timezone } = this.flags;
    return await this.withSession(['support', 'admin'], async (session) => {
      await ensureAccess(session, { kind: 'user', id: core }, this.flags);
      return await this.change({
        plan: async () => ({
          core: await showAccount(session, core),
          family: { name, family_type: type, timezone, province, core_user: core },
        }),
        show: (plan) => details({ name, type, province, 'time zone': timezone, core: plan.core.email }),
        question: () => `Make the family ${name}?`,
        apply: ({ family }) => createFamily(session, family),
        done: ({ id }) => {
          const back = `nestctl family archive ${id}`;
          return {
            result: { id, way_back: back },
            view: [text('The family is made.', { mark: 'good' }), details({ id, 'way back': back })],
            next: `nestctl family show ${id}`,
          };
        },
      });
    });
  }
}
