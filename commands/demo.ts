import { ConsoleCommand } from '../src/console/base-command.js';
import type { Outcome } from '../src/console/outcome.js';
import type { Stop } from '../src/console/tour.js';
import { text } from '../src/console/views.js';

const CONTEXT = 'local';
const WHY = ['--reason', 'a grandparent cannot see the log', '--ticket', 'SUP-1042'];

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
    const { email, family_id } = relative ?? (await this.#lockedOut()) ?? { email: '', family_id: '' };
    visits.push(...(await takeTour(supportJob(email, family_id), options)));
    return {
      result: { visits },
      view: [
        text(''),
        text('That was the support job. The database is still up; try next:', { mark: 'good' }),
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

  async #lockedOut() {
    const { lockedOutRelative } = await import('../src/families/index.js');
    const { ownerTarget, resolveContext } = await import('../src/platform/config/contexts.js');
    const { withConnection } = await import('../src/platform/database/connection.js');
    return await withConnection(ownerTarget(await resolveContext(CONTEXT)), lockedOutRelative);
  }
}

/** "Grandma can't see the baby's log any more." */
function supportJob(email: string, family: string): Stop[] {
  return [
    { about: 'Is everything in order?', words: ['doctor'], passing: [0, 3, 9] },
    {
      about: `A grandparent cannot see the baby's log any more. All we have is an e-mail address: the directory answers masked, and on record`,
      words: ['family', 'list', '--email', email, ...WHY],
    },
    {
      about: 'No reason, no rows: open access to that one family, for half an hour',
      words: ['access', 'open', '--family', family, ...WHY, '--for', '30m'],
    },
    { about: 'The cause: that membership has expired', words: ['family', 'show', family] },
    {
      about: 'Who gave it, and when?',
      words: ['audit', 'query', '--family', family, '--table', 'family_members', '--limit', '5'],
    },
    {
      about: 'How the children are doing, by week',
      words: ['analytics', 'refresh', '--reason', 'figures for the tour', '--ticket', 'OPS-7'],
    },
    { about: 'As of that refresh', words: ['analytics', 'usage', '--family', family] },
    { about: 'Done: close the access', words: ['access', 'close', '--all'] },
    {
      about: 'And what the log says about us',
      words: ['audit', 'query', '--operator', 'camille.roy', '--limit', '6'],
    },
  ];
}
