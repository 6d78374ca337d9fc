import { ConsoleCommand } from '../../src/console/base-command.js';
import { writeFlags } from '../../src/console/flags/index.js';
import { loginArg } from '../../src/console/flags/operator-flags.js';
import { leftToDo, operatorPlan } from '../../src/console/operator-views.js';
import type { Outcome } from '../../src/console/outcome.js';
import { details, text } from '../../src/console/views.js';

export default class OperatorRevoke extends ConsoleCommand<typeof OperatorRevoke> {
  static override summary =
    'End an operator, with a second admin’s approval: login off, duties and grants gone';
  static override description =
    'Nothing opens to them from that moment on. The role is switched off, never dropped, and left on where another ' +
    'database of the cluster needs it. Their sessions are ended where the owner has the right to, else that is said.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> jo.tremblay --reason "leaves the company today" --ticket HR-9',
  ];
  static override args = { login: loginArg };
  static override flags = writeFlags;

  async perform(): Promise<Outcome> {
    const { planRevocation, revokeOperator } = await import('../../src/platform/operators/index.js');
    const { requestApproval } = await import('../../src/platform/approvals/index.js');
    const { login } = this.args;
    return await this.withSession(['admin'], (session) =>
      this.change({
        plan: () => planRevocation(session, login),
        show: operatorPlan,
        question: () => `Revoke ${login}?`,
        approval: (plan) => requestApproval(session, 'operator', plan),
        apply: (plan) => revokeOperator(session, plan),
        done: (done) => ({
          result: done,
          verdict: done.remaining.length > 0 || done.sessions_left > 0 ? 'partial' : undefined,
          view: [
            text(`${login} is no operator any more.`, { mark: 'good' }),
            details({ 'grants closed': done.grants_closed, 'sessions ended': done.sessions_ended }),
            ...(done.sessions_left === 0
              ? []
              : [
                  text(
                    `${done.sessions_left} of their sessions could not be ended; they show them nothing.`,
                    {
                      mark: 'warn',
                    },
                  ),
                ]),
            ...leftToDo(done),
          ],
          next: 'nestctl operator list --revoked',
        }),
      }),
    );
  }
}
