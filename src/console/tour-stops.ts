import type { Stop } from './tour.js';

const OUTAGE = ['--reason', 'the provider of sign-in is down', '--ticket', 'INC-2'];
const WHY = ['--reason', 'a grandparent cannot see the log', '--ticket', 'SUP-1042'];

/** Whom the support job is about. */
interface Relative {
  readonly email: string;
  readonly family_id: string;
  readonly membership: string;
}

/** "Grandma can't see the baby's log any more." */
export function supportJob({ email, family_id: family, membership }: Relative): Stop[] {
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
      about: 'What is wrong? Every known cause, the likeliest first, with what mends it',
      words: ['access', 'diagnose', '--user', email, '--family', family, ...WHY],
    },
    {
      about: 'What everybody in that family may do, cell by cell as the database decides it',
      words: ['access', 'matrix', '--family', family, ...WHY],
    },
    {
      about: 'Why exactly? As the database decides it for one row, with the smallest missing fact',
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
      about: "That membership's whole life, from the log",
      words: ['audit', 'history', 'family_members', membership, '--family', family],
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
      about: 'Is the row security of this database sound? 44 rules, on any database',
      words: ['access', 'lint'],
    },
    {
      about:
        'Does it give members what the declared table says, and nothing else? Every command, for every standing',
      words: ['access', 'prove', '--table', 'usage_logs', '--no-mutation'],
    },
  ];
}

const DRILL = ['--reason', 'a look at recovery', '--ticket', 'OPS-9'];

/** What must be done again and again, what proves later that it was, and back to a moment beside everything live. */
export const recoveryJob: readonly Stop[] = [
  {
    about: 'A backup while the database is at work, read back before it counts as one',
    words: ['backup', 'create', ...DRILL],
  },
  {
    about: 'What backups promise: an hour at most is lost, 30 days are kept, and no more',
    words: ['backup', 'check'],
    passing: [0, 3, 9],
  },
  {
    about: 'Somebody deleted everything: which moment can be recovered to, and from which backup?',
    words: ['restore', 'target', '--latest', ...DRILL],
  },
  {
    about: 'There, beside everything live: no network, no archive, no jobs',
    words: ['restore', 'run', '--latest', ...DRILL],
  },
  {
    about:
      'Is it sound? Every page and index, catalogue, row security; who was erased is for a replay to tell',
    words: ['restore', 'verify'],
    passing: [0, 3, 9],
  },
  {
    about: 'What was restored is removed once nobody needs it',
    words: ['restore', 'discard', '--yes', ...DRILL],
  },
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
    about: 'Signed evidence of what must be provable later',
    words: ['evidence', 'verify'],
    passing: [0, 3, 9],
  },
];

const everything = ['access', 'open', '--break-glass', '--approved', '--for', '60m', ...OUTAGE];

export const askForEverything: Stop = {
  about: 'Four eyes: whoever breaks the glass asks a second operator first',
  words: everything,
  passing: [8],
};

/** The second operator of this machine grants it; the first goes on by the same command. */
export function fourEyes(approval: string, second: string): Stop[] {
  return [
    {
      about: 'The second operator reads the plan and grants it',
      words: [
        'approval',
        'grant',
        approval,
        '--context',
        second,
        '--reason',
        'spoken with them by phone',
        '--yes',
      ],
    },
    { about: 'The same command goes on', words: everything },
    { about: 'Done: close it', words: ['access', 'close', '--all', '--duty', 'admin'] },
  ];
}
