import { ConsoleCommand } from '../../src/console/base-command.js';
import { Flags, timeRange, writeFlags, zoneFlags } from '../../src/console/flags/index.js';
import { loginArg, untilFlag } from '../../src/console/flags/operator-flags.js';
import { leftToDo, operatorPlan } from '../../src/console/operator-views.js';
import type { Outcome } from '../../src/console/outcome.js';
import { text } from '../../src/console/views.js';
import { DUTIES, type Duty } from '../../src/platform/database/duties.js';

const one = { options: [...DUTIES], exactlyOne: ['add', 'remove'] };

export default class OperatorDuty extends ConsoleCommand<typeof OperatorDuty> {
  static override summary = 'Give an operator a duty or take one away, with a second admin’s approval';
  static override description =
    'Nobody gives themselves a duty. Giving one that is held already changes its end. Taking one closes the grants under it.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> jo.tremblay --add auditor --until 2027-03-31 --reason "yearly audit" --ticket AUD-1',
    '<%= config.bin %> <%= command.id %> jo.tremblay --remove sre --reason "moves to the support team" --ticket HR-8',
  ];
  static override args = { login: loginArg };
  static override flags = {
    ...writeFlags,
    ...zoneFlags,
    add: Flags.custom<Duty>(one)({ description: 'the duty to give' }),
    remove: Flags.custom<Duty>(one)({ description: 'the duty to take away' }),
    until: untilFlag,
  };

  async perform(): Promise<Outcome> {
    const { changeDuty, planDuty } = await import('../../src/platform/operators/index.js');
    const { requestApproval } = await import('../../src/platform/approvals/index.js');
    const { login } = this.args;
    const { add, remove, until, zone } = this.flags;
    const duty = (add ?? remove) as Duty;
    const wish = { login, duty, remove: add === undefined, until: timeRange({ until, zone }).until };
    const what = wish.remove ? `Take the duty ${duty} from ${login}` : `Give the duty ${duty} to ${login}`;
    return await this.withSession(['admin'], (session) =>
      this.change({
        plan: () => planDuty(session, wish),
        show: operatorPlan,
        question: () => `${what}?`,
        approval: (plan) => requestApproval(session, 'operator', plan),
        apply: (plan) => changeDuty(session, plan),
        done: (change) => ({
          result: change,
          verdict: change.remaining.length > 0 ? 'partial' : undefined,
          view: [
            text(
              wish.remove ? `${login} holds the duty ${duty} no longer.` : `${login} holds the duty ${duty}.`,
              {
                mark: 'good',
              },
            ),
            ...leftToDo(change),
          ],
          next: 'nestctl operator list',
        }),
      }),
    );
  }
}
