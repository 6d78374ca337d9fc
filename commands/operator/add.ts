import { ConsoleCommand } from '../../src/console/base-command.js';
import { timeRange, writeFlags, zoneFlags } from '../../src/console/flags/index.js';
import {
  dutiesFlag,
  loginArg,
  noPasswordFlag,
  passwordFlags,
  personFlags,
  untilFlag,
} from '../../src/console/flags/operator-flags.js';
import { newPassword } from '../../src/console/new-password.js';
import { leftToDo, operatorPlan } from '../../src/console/operator-views.js';
import type { Outcome } from '../../src/console/outcome.js';
import { text } from '../../src/console/views.js';

export default class OperatorAdd extends ConsoleCommand<typeof OperatorAdd> {
  static override summary = 'Make a person an operator, with a second admin’s approval';
  static override description =
    'Makes their login where it is absent, gives it the duties and registers both. Run it again once it was approved. ' +
    'The first password comes from a question or a program, never from the command line; they change it themselves.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> jo.tremblay --name "Jo Tremblay" --email jo@example.ca --duties support --reason "joins the support team" --ticket HR-7',
    '<%= config.bin %> <%= command.id %> kim.lee --name "Kim Lee" --email kim@audit.example --duties auditor --until 2027-03-31 --reason "yearly audit" --ticket AUD-1',
  ];
  static override args = { login: loginArg };
  static override flags = {
    ...writeFlags,
    ...zoneFlags,
    ...personFlags,
    duties: dutiesFlag({ description: 'their duties', required: true }),
    until: untilFlag,
    ...passwordFlags,
    ...noPasswordFlag,
  };

  async perform(): Promise<Outcome> {
    const { addOperator, loginExists, makeVerifier, planOperator } = await import(
      '../../src/platform/operators/index.js'
    );
    const { requestApproval } = await import('../../src/platform/approvals/index.js');
    const { login } = this.args;
    const { duties, until, zone } = this.flags;
    const { name, email } = this.flags;
    const wish = { login, name, email, duties, until: timeRange({ until, zone }).until };
    return await this.withSession(['admin'], (session) =>
      this.change({
        plan: () => planOperator(session, wish),
        show: operatorPlan,
        question: () => `Make ${name} (${login}) an operator with ${duties.join(', ')}?`,
        approval: (plan) => requestApproval(session, 'operator', plan),
        apply: async (plan) => {
          const command = this.flags['password-command'];
          const bare =
            command === undefined && (this.flags['no-password'] || (await loginExists(session, login)));
          const hint =
            'Add --password-command PROGRAM, or --no-password where it proves itself in another way.';
          const password = bare
            ? undefined
            : await newPassword({ login, command, json: this.jsonWanted, hint });
          return await addOperator(
            session,
            plan,
            password === undefined ? undefined : makeVerifier(password),
          );
        },
        done: (change) => ({
          result: change,
          view: [
            text(`${login} is an operator.`, { mark: 'good' }),
            ...leftToDo(change),
            text('They describe the server with `nestctl context add`, and set their own password with:'),
            text('  nestctl operator password'),
          ],
          next: 'nestctl operator list',
        }),
      }),
    );
  }
}
