import { moveFlags, sharedFlags, uuidArg, uuidFlag } from '../../src/console/flags/index.js';
import { GrantedWrite } from '../../src/console/granted-write.js';
import { choiceWords, confirmMove, moveDone, movePlan } from '../../src/console/move-views.js';
import type { Outcome } from '../../src/console/outcome.js';
import { NestctlError } from '../../src/platform/errors.js';

export default class ChildMove extends GrantedWrite<typeof ChildMove> {
  static override summary = 'Move a child and everything under it to another family, or take a move back';
  static override description =
    'Needs an access grant for each of the two. One transaction, ids kept. What belongs to no child alone stays, unless ' +
    '--shared says otherwise. With --undo a merge, split or move returns: the children with all they have by now, and what ' +
    'had moved with them by decision.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> 5c1e07d2-… --family 9f3a0c1e-… --to 77aa10f3-… --dry-run --reason "…" --ticket SUP-1234',
    '<%= config.bin %> <%= command.id %> --undo 0b7d33a4-… --family 77aa10f3-… --to 9f3a0c1e-… --confirm Tremblay',
  ];
  static override args = { child: uuidArg({ description: 'the child' }) };
  static override flags = {
    ...moveFlags,
    ...sharedFlags,
    family: uuidFlag({ description: 'the family it is in', required: true }),
    to: uuidFlag({ description: 'the family it is to live in', required: true }),
    undo: uuidFlag({ description: 'the move to take back, instead of a child', helpValue: 'MOVE' }),
  };

  protected override readonly directories = async () =>
    (await import('../../src/access/index.js')).directories;

  async perform(): Promise<Outcome> {
    const { ensureAccess } = await import('../../src/access/index.js');
    const { makeMove, planMove, planUndo, refuseUndecided } = await import('../../src/families/index.js');
    const { child } = this.args;
    const { family: from, to, undo, shared = [], conflict = [], confirm: given, json } = this.flags;
    if ((child === undefined) === (undo === undefined)) throw notOne();
    return await this.withSession(['support', 'admin'], async (session) => {
      await ensureAccess(session, { kind: 'family', id: from }, this.flags);
      return await this.change({
        plan: async () => {
          await ensureAccess(session, { kind: 'family', id: to }, this.flags);
          if (undo !== undefined) return await planUndo(session, undo, { from, to }, { conflicts: conflict });
          const wish = { kind: 'child', from, to, children: [child as string] } as const;
          const otherwise = { table: null, key: null, choice: 'stay' } as const;
          return await planMove(session, wish, { shared: [otherwise, ...shared], conflicts: conflict });
        },
        show: movePlan,
        apply: async (plan) => {
          refuseUndecided(plan);
          const what = undo === undefined ? [child as string] : ['--undo', undo];
          const choices = choiceWords({ shared, conflict });
          await confirmMove(plan, {
            given,
            json,
            words: ['child', 'move', ...what, '--family', from, '--to', to, ...choices],
          });
          return await makeMove(session, plan);
        },
        done: moveDone,
      });
    });
  }
}

const notOne = () =>
  new NestctlError('Name the child that moves, or the move to take back with --undo.', {
    kind: 'usage',
    code: 'usage',
    next: 'nestctl child move --help',
  });
