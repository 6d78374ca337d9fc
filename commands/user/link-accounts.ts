import { uuidFlag, writeFlags } from '../../src/console/flags/index.js';
import { GrantedWrite } from '../../src/console/granted-write.js';
import type { Outcome } from '../../src/console/outcome.js';
import { details, heading, table, text } from '../../src/console/views.js';

export default class UserLinkAccounts extends GrantedWrite<typeof UserLinkAccounts> {
  static override summary = "Give one of a person's two accounts the memberships of the other";
  static override description =
    'Needs an access grant for each of the two. The other account is suspended, not deleted; what it wrote keeps its writer.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --keep 5c1e07d2-… --duplicate 77aa10f3-… --reason "…" --ticket SUP-1234',
  ];
  static override flags = {
    ...writeFlags,
    keep: uuidFlag({ description: 'the account that stays', required: true }),
    duplicate: uuidFlag({ description: 'the account that is given up', required: true }),
  };

  async perform(): Promise<Outcome> {
    const { ensureAccess } = await import('../../src/access/index.js');
    const { linkAccounts, planAccountLink } = await import('../../src/families/index.js');
    const { keep, duplicate } = this.flags;
    return await this.withSession(['support', 'admin'], async (session) => {
      await ensureAccess(session, { kind: 'user', id: keep }, this.flags);
      return await this.change({
        plan: async () => {
          await ensureAccess(session, { kind: 'user', id: duplicate }, this.flags);
          return await planAccountLink(session, keep, duplicate);
        },
        show: (plan) => [
          details({ keeps: plan.kept.email, 'is suspended': plan.duplicate.email }),
          heading('Memberships that move'),
          table(
            plan.moving,
            [
              { name: 'family', value: ({ family_id }) => family_id },
              { name: 'name', value: ({ name }) => name },
              { name: 'role', value: ({ role }) => role },
              { name: 'status', value: ({ status }) => status },
            ],
            'None.',
          ),
        ],
        question: (plan) => `Move ${plan.moving.length} memberships to ${plan.kept.email}?`,
        apply: (plan) => linkAccounts(session, plan),
        done: ({ seen, ...account }, plan) => {
          const back = [
            `nestctl user reinstate ${duplicate}`,
            ...plan.moving.map(
              ({ family_id }) => `nestctl member reinstate --family ${family_id} --user ${duplicate}`,
            ),
            ...plan.moving.map(
              ({ family_id }) => `nestctl member remove --family ${family_id} --user ${keep}`,
            ),
          ];
          return {
            result: { account, moved: plan.moving, way_back: back },
            view: [
              text(`${account.email} has all memberships now.`, { mark: 'good' }),
              ...back.map((line, at) => details({ [at === 0 ? 'way back' : `then ${at}`]: line })),
            ],
            next: `nestctl user show ${keep}`,
          };
        },
      });
    });
  }
}
