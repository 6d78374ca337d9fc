import { ConsoleCommand } from '../src/console/base-command.js';
import type { Outcome } from '../src/console/outcome.js';
import {
  answerRequest,
  askForDeletion,
  complianceJob,
  planDeletion,
} from '../src/console/tour-compliance.js';
import { askForEverything, fourEyes, recoveryJob, supportJob } from '../src/console/tour-stops.js';
import { text } from '../src/console/views.js';

const CONTEXT = 'local';
const SECOND = 'local-second';

export default class Demo extends ConsoleCommand<typeof Demo> {
  static override summary = 'Set up an embedded database and walk through the jobs on it';
  static override description =
    'Needs nothing installed. Each command is printed before its output; the database stays up for you to go on.';
  static override examples = ['<%= config.bin %> <%= command.id %>'];

  async perform(): Promise<Outcome> {
    const { takeTour } = await import('../src/console/tour.js');
    const options = { context: CONTEXT, json: this.jsonWanted };
    const visits = await takeTour(
      [{ about: 'A real PostgreSQL of your own, archiving its WAL', words: ['local', 'up'] }],
      options,
    );
    const relative = await this.#lockedOut();
    if (relative === undefined) {
      const seed = {
        about: 'Canadian families: every province and territory, English and French',
        words: ['local', 'seed', '--families', '65'],
      };
      visits.push(...(await takeTour([seed], options)));
    }
    const them = relative ??
      (await this.#lockedOut()) ?? { user_id: '', email: '', family_id: '', membership: '' };
    const folder = await this.#newFolder();
    const first = [...supportJob(them), ...complianceJob(them, `${folder}/family.bundle`)];
    visits.push(...(await takeTour(first, options)));
    const asked = await this.#request(them.user_id, 'access');
    const answer = answerRequest(asked, them.user_id, `${folder}/package.zip`);
    visits.push(...(await takeTour([...answer, askForDeletion(them.user_id)], options)));
    const deletion = planDeletion(await this.#request(them.user_id, 'deletion'));
    visits.push(...(await takeTour([...deletion, ...recoveryJob, askForEverything], options)));
    visits.push(...(await takeTour(fourEyes(await this.#approval(), SECOND), options)));
    return {
      result: { visits },
      view: [
        text(''),
        text('Those were the jobs so far. The database is still up; try next:', { mark: 'good' }),
        text('  nestctl                                                 the three jobs, to choose from'),
        text('  nestctl audit query --operator camille.roy --since 1h   what the log says about you'),
        text(
          '  nestctl family list --context local-second              the same as another operator: nothing',
        ),
        text(
          '  nestctl db docs --help                                  the schema and its policies as documents',
        ),
        text('  nestctl --help                                          all that exists'),
        text(
          '  nestctl local down                                      stop the database; local reset makes it anew',
        ),
      ],
    };
  }

  async #newFolder(): Promise<string> {
    const { mkdtemp } = await import('node:fs/promises');
    const { tmpdir } = await import('node:os');
    const { join } = await import('node:path');
    return await mkdtemp(join(tmpdir(), 'nestctl-tour-'));
  }

  /** The number of what they have asked for. */
  async #request(user: string, kind: 'access' | 'deletion'): Promise<string> {
    const { operatorTarget, resolveContext } = await import('../src/platform/config/contexts.js');
    const { findOpenRequest } = await import('../src/privacy/index.js');
    return (await findOpenRequest(operatorTarget(await resolveContext(CONTEXT)), user, kind)) ?? '';
  }

  /** The request that the second operator is about to read. */
  async #approval(): Promise<string> {
    const { pendingApproval } = await import('../src/platform/approvals/index.js');
    const { operatorTarget, resolveContext } = await import('../src/platform/config/contexts.js');
    return (await pendingApproval(operatorTarget(await resolveContext(SECOND)))) ?? '';
  }

  async #lockedOut() {
    const { lockedOutRelative } = await import('../src/families/index.js');
    const { ownerTarget, resolveContext } = await import('../src/platform/config/contexts.js');
    const { withConnection } = await import('../src/platform/database/connection.js');
    return await withConnection(ownerTarget(await resolveContext(CONTEXT)), lockedOutRelative);
  }
}
