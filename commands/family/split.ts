import {
  memberChoiceFlag,
  moveFlags,
  sharedFlags,
  textFlag,
  uuidArg,
  uuidFlag,
} from '../../src/console/flags/index.js';
import { GrantedWrite } from '../../src/console/granted-write.js';
import { choiceWords, confirmMove, moveDone, movePlan } from '../../src/console/move-views.js';
import type { Outcome } from '../../src/console/outcome.js';

export default class FamilySplit extends GrantedWrite<typeof FamilySplit> {
  static override summary = 'Move chosen children to a new family, as after a separation';
  static override description =
    'Everything under these children moves with them, in one transaction, ids kept. What belongs to no child alone ' +
    '(members, invitations, shared stock, analytics) is listed, and each table or row needs a decision: stay, move or copy. ' +
    'The new family needs a family_core member, so let one come along.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> 9f3a0c1e-… --child 5c1e07d2-… --name "Roy (Luc)" --dry-run --reason "…" --ticket SUP-1234',
    '<%= config.bin %> <%= command.id %> 9f3a0c1e-… --child 5c1e07d2-… --name Roy --member dad@example.ca=move --member gran@example.ca=copy --shared all=stay --confirm Roy',
  ];
  static override args = { family: uuidArg({ required: true, description: 'the family they leave' }) };
  static override flags = {
    ...moveFlags,
    ...sharedFlags,
    child: uuidFlag({
      description: 'a child that goes',
      required: true,
      multiple: true,
      multipleNonGreedy: true,
    }),
    name: textFlag({ description: 'the name of the new family', required: true }),
    member: memberChoiceFlag({
      description: 'what becomes of one membership',
      multiple: true,
      multipleNonGreedy: true,
      helpGroup: 'WRITE',
    }),
  };

  protected override readonly directories = async () =>
    (await import('../../src/access/index.js')).directories;

  async perform(): Promise<Outcome> {
    const { ensureAccess } = await import('../../src/access/index.js');
    const { makeMove, memberDecisions, planMove, refuseUndecided } = await import(
      '../../src/families/index.js'
    );
    const from = this.args.family;
    const { child, name, member = [], shared = [], conflict = [], confirm: given, json } = this.flags;
    return await this.withSession(['support', 'admin'], async (session) => {
      await ensureAccess(session, { kind: 'family', id: from }, this.flags);
      return await this.change({
        plan: async () => {
          const members = await memberDecisions(session, from, member);
          const wish = { kind: 'split', from, name, children: child } as const;
          return await planMove(session, wish, { shared: [...shared, ...members], conflicts: conflict });
        },
        show: movePlan,
        apply: async (plan) => {
          refuseUndecided(plan);
          const children = child.flatMap((id) => ['--child', id]);
          const choices = choiceWords({ shared, conflict, member });
          const words = ['family', 'split', from, ...children, '--name', name, ...choices];
          await confirmMove(plan, { given, json, words });
          return await makeMove(session, plan);
        },
        done: moveDone,
      });
    });
  }
}
