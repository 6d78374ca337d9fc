import { ConsoleCommand } from '../../src/console/base-command.js';
import { passwordFlags } from '../../src/console/flags/operator-flags.js';
import { newPassword } from '../../src/console/new-password.js';
import type { Outcome } from '../../src/console/outcome.js';
import { text } from '../../src/console/views.js';

export default class OperatorPassword extends ConsoleCommand<typeof OperatorPassword> {
  static override summary = 'Set your own password';
  static override description =
    'Asked for twice, or printed by a program. Only what proves it (a SCRAM verifier) travels to the server.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --password-command "pass show nestsync/new"',
  ];
  static override flags = passwordFlags;

  async perform(): Promise<Outcome> {
    const { changePassword } = await import('../../src/platform/operators/index.js');
    return await this.withConnection(async (connection) => {
      const password = await newPassword({
        login: connection.target.user,
        command: this.flags['password-command'],
        json: this.jsonWanted,
        hint: 'Add --password-command PROGRAM.',
      });
      const changed = await changePassword(connection, password);
      return {
        result: changed,
        view: text(
          `The password of ${changed.login} is changed. Change it where the context takes it from too.`,
          {
            mark: 'good',
          },
        ),
        next: 'nestctl context check',
      };
    });
  }
}
