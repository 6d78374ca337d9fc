import { ConsoleCommand } from '../src/console/base-command.js';
import type { Outcome } from '../src/console/outcome.js';
import type { Stop } from '../src/console/tour.js';
import { text } from '../src/console/views.js';

const CONTEXT = 'local';
const SECOND = 'local-second';
const OUTAGE = ['--reason', 'the provider of sign-in is down', '--ticket', 'INC-2'];
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
    visits.push(
      ...(await takeTour([...supportJob(email, family_id), ...recoveryJob, askForEverything], options)),
    );
    visits.push(...(await takeTour(fourEyes(await this.#pendingApproval()), options)));
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

  /** The request that the second operator is about to read. */
  async #pendingApproval(): Promise<string> {
    const { listApprovals } = await import('../src/platform/approvals/index.js');
    const { operatorTarget, resolveContext } = await import('../src/platform/config/contexts.js');
    const { openSession } = await import('../src/platform/database/session.js');
    const session = await openSession(operatorTarget(await resolveContext(SECOND)), { duty: 'admin' });
    try {
      const { approvals } = await listApprovals(session, { forMe: true, ended: false, limit: 1 });
      return approvals[0]?.id ?? '';
    } finally {
      await session.close();
    }
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
    { about: 'Who is in it', words: ['family', 'show', family] },
    {
      about: 'Why not? As the database decides it, with the smallest missing fact and what mends it',
      words: [
        'access',
        'explain',
        '--user',
        email,
        '--family',
        family,
        '--table',
        'families',
        '--row',
        family,
        ...WHY,
      ],
    },
    {
      about: 'Mend it: bound to what was shown, with the way back',
      words: ['member', 'extend', '--family', family, '--user', email, '--until', '365d', '--yes'],
    },
    {
      about: 'Who changed what, and why?',
      words: ['audit', 'query', '--family', family, '--table', 'family_members', '--limit', '5'],
    },
    {
      about: 'How the children are doing, by week',
      words: ['analytics', 'refresh', '--reason', 'figures for the tour', '--ticket', 'OPS-7'],
    },
    { about: 'As of that refresh', words: ['analytics', 'usage', '--family', family] },
    { about: 'Done: close the access', words: ['access', 'close', '--all'] },
    {
      about: 'And what the log says about us, for a spreadsheet',
      words: [
        'audit',
        'query',
        '--operator',
        'camille.roy',
        '--limit',
        '6',
        '--format',
        'csv',
        '--columns',
        'time,what,table,by,reason',
      ],
    },
    {
      about: 'Is the row security of this database sound? 44 rules, on any database',
      words: ['access', 'lint'],
    },
  ];
}

/** What must be done again and again, and what proves later that it was. */
const recoveryJob: readonly Stop[] = [
  {
    about: 'The jobs that must be done again and again; each run is on record',
    words: ['maintenance', 'run', '--reason', 'first round of the tour', '--ticket', 'OPS-7'],
    passing: [0, 3, 9],
  },
  {
    about: 'What nobody keeps yet is unknown, never ok',
    words: ['maintenance', 'status'],
    passing: [0, 3, 9],
  },
  {
    about: 'A key of your own for signed evidence; that it was made is its first record',
    words: ['evidence', 'key', 'create', '--reason', 'a first key for the tour', '--ticket', 'OPS-7'],
    // 6: a tour before has made one.
    passing: [0, 6],
  },
  {
    about: 'Signed evidence of what must be provable later',
    words: ['evidence', 'verify'],
    passing: [0, 3, 9],
  },
];

const everything = ['access', 'open', '--break-glass', '--approved', '--for', '60m', ...OUTAGE];

const askForEverything: Stop = {
  about: 'Four eyes: whoever breaks the glass asks a second operator first',
  words: everything,
  passing: [8],
};

/** The second operator of this machine grants it; the first goes on by the same command. */
function fourEyes(approval: string): Stop[] {
  return [
    {
      about: 'The second operator reads the plan and grants it',
      words: [
        'approval',
        'grant',
        approval,
        '--context',
        SECOND,
        '--reason',
        'spoken with them by phone',
        '--yes',
      ],
    },
    { about: 'The same command goes on', words: everything },
    { about: 'Done: close it', words: ['access', 'close', '--all', '--duty', 'admin'] },
  ];
}
