import { moveFlags, uuidFlag } from '../../src/console/flags/index.js';
import { GrantedWrite } from '../../src/console/granted-write.js';
import { choiceWords, confirmMove, moveDone, movePlan } from '../../src/console/move-views.js';
import type { Outcome } from '../../src/console/outcome.js';

export default class FamilyMerge extends GrantedWrite<typeof FamilyMerge> {
  static override summary = 'Make two families of one household into one';
  static override description =
    'Needs an access grant for each of the two. Members, children and everything under them move in one transaction, ids ' +
    'kept; the family that gives is archived. The plan names who would see more than before, and whatever cannot be twice ' +
    'in one family, such as a person who is a member of both with different rights: keep the membership that is there, or ' +
    'swap the two.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --from 9f3a0c1e-… --into 77aa10f3-… --dry-run --reason "…" --ticket SUP-1234',
    '<%= config.bin %> <%= command.id %> --from 9f3a0c1e-… --into 77aa10f3-… --conflict family_members=keep --confirm Tremblay',
  ];
  static override flags = {
    ...moveFlags,
    from: uuidFlag({ description: 'the family that is given up', required: true }),
    into: uuidFlag({ description: 'the family that stays', required: true }),
  };

  async perform(): Promise<Outcome> {
    const { ensureAccess } = await import('../../src/access/index.js');
    const { makeMove, planMove, refuseUndecided } = await import('../../src/families/index.js');
    const { from, into: to, conflict: conflicts = [], confirm: given, json } = this.flags;
    return await this.withSession(['support', 'admin'], async (session) => {
      await ensureAccess(session, { kind: 'family', id: from }, this.flags);
      return await this.change({
        plan: async () => {
          await ensureAccess(session, { kind: 'family', id: to }, this.flags);
          return await planMove(session, { kind: 'merge', from, to }, { conflicts });
        },
        show: movePlan,
        apply: async (plan) => {
          refuseUndecided(plan);
          const words = [
            'family',
            'merge',
            '--from',
            from,
            '--into',
            to,
            ...choiceWords({ conflict: conflicts }),
          ];
          await confirmMove(plan, { given, json, words });
          return await makeMove(session, plan);
        },
        done: moveDone,
      });
    });
  }
}
