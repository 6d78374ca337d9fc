import { ConsoleCommand } from '../../src/console/base-command.js';
import { consentFlags, textFlag } from '../../src/console/flags/index.js';
import {
  loginArg,
  noPasswordFlag,
  passwordFlags,
  personFlags,
} from '../../src/console/flags/operator-flags.js';
import { newPassword } from '../../src/console/new-password.js';
import { leftToDo } from '../../src/console/operator-views.js';
import type { Outcome } from '../../src/console/outcome.js';
import { details, text } from '../../src/console/views.js';

export default class OperatorBootstrap extends ConsoleCommand<typeof OperatorBootstrap> {
  static override summary = 'Make the first two admins, one a call (owner connection)';
  static override description =
    'Refused once two admins exist: from then on they manage operators, one asking and another approving. It is ' +
    "recorded under the owner's login. Like every new operator they approve nothing for a day.";
  static override examples = [
    '<%= config.bin %> <%= command.id %> camille.roy --name "Camille Roy" --email camille.roy@example.ca --reason "first admin of production" --ticket OPS-1',
  ];
  static override args = { login: loginArg };
  static override flags = {
    ...personFlags,
    ...passwordFlags,
    ...noPasswordFlag,
    ...consentFlags,
    reason: textFlag({
      description: 'why; it is kept in the audit log',
      env: 'NESTCTL_REASON',
      required: true,
    }),
    ticket: textFlag({
      description: 'the ticket this belongs to',
      env: 'NESTCTL_TICKET',
      helpValue: 'ID',
      required: true,
    }),
  };

  async perform(): Promise<Outcome> {
    const { bootstrapOperator, makeVerifier, planBootstrap } = await import(
      '../../src/platform/operators/index.js'
    );
    const { login } = this.args;
    const { name, email, reason, ticket } = this.flags;
    const json = this.jsonWanted;
    return await this.withOwner((owner) =>
      this.change({
        plan: () => planBootstrap(owner, { login, name, email }),
        show: (plan) =>
          details({
            do: 'make an admin',
            login,
            name: plan.name,
            email: plan.email,
            admins: plan.admins.join(', '),
          }),
        question: (plan) => `Make ${plan.name} (${login}) an admin?`,
        apply: async (plan) => {
          const bare = plan.login_exists || this.flags['no-password'];
          const command = this.flags['password-command'];
          const hint =
            'Add --password-command PROGRAM, or --no-password where it proves itself in another way.';
          const password =
            bare && command === undefined ? undefined : await newPassword({ login, command, json, hint });
          const verifier = password === undefined ? undefined : makeVerifier(password);
          return await bootstrapOperator(owner, plan, { reason, ticket }, verifier);
        },
        done: (change, { admins }) => ({
          result: { ...change, admins: [...admins, login] },
          view: [text(`${login} is an admin.`, { mark: 'good' }), ...leftToDo(change)],
          next: admins.length === 0 ? 'nestctl operator bootstrap …' : 'nestctl operator list',
        }),
      }),
    );
  }
}
