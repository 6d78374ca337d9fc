import type { Stop } from './tour.js';

const ASKED = ['--reason', 'their letter of today', '--ticket', 'PRV-2'];

/** Who changed what, and how anybody can check later that the log of it is whole. */
export const complianceJob = (
  { family_id: family, user_id }: { readonly family_id: string; readonly user_id: string },
  file: string,
): readonly Stop[] => [
  {
    about: 'How much was changed, by hour, table and login',
    words: ['audit', 'stats', '--since', '3h'],
  },
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
    about: 'A key of your own for signed evidence; that it was made is its first record',
    words: ['evidence', 'key', 'create', '--reason', 'a first key for the tour', '--ticket', 'OPS-7'],
    // 6: a tour before has made one.
    passing: [0, 6],
  },
  {
    about: 'Seal the log: a leaf for every event, and a signed head of the tree',
    words: ['audit', 'seal'],
  },
  {
    about: 'Was anything edited, deleted, backdated, cut off or rolled back since?',
    words: ['audit', 'verify'],
  },
  {
    about: 'And is everything that changed in the log at all?',
    words: ['audit', 'coverage'],
  },
  {
    about:
      'Months whose seven, three or one years are over: pruned with a record of it, so never taken for tampering',
    words: ['audit', 'retention', '--dry-run', '--reason', 'yearly round', '--ticket', 'PRIV-11'],
  },
  {
    about: "A family's whole history for somebody outside, less who acted and what is said of others",
    words: [
      'audit',
      'export',
      '--family',
      family,
      '--bundle',
      file,
      '--withhold',
      'actor',
      '--withhold',
      'others',
    ],
  },
  {
    about: 'Which they check without this database: nothing is missing',
    words: ['audit', 'verify', '--offline', file, '--family', family],
  },
  {
    about: 'What is kept of whom, why, how long, and what an erasure does to it: here for one table',
    words: ['datamap', 'show', '--table', 'usage_logs'],
  },
  {
    about: 'One column in words, with the law',
    words: ['datamap', 'explain', 'emergency_profiles.contact_name'],
  },
  {
    about: 'Does every column of every table answer that?',
    words: ['datamap', 'check'],
  },
  {
    about: 'What somebody has agreed to; consent withdraw says what follows before it does it',
    words: ['consent', 'show', user_id, '--reason', 'asks what they agreed to', '--ticket', 'PRIV-13'],
  },
  {
    about: 'Who may ask for a child’s data? Not every family_core member: whoever is on record',
    words: [
      'guardian',
      'list',
      '--family',
      family,
      '--reason',
      'a request for a child’s log',
      '--ticket',
      'PRIV-12',
    ],
  },
  {
    about: 'Somebody without an account writes and asks what is held about them: the clock of the law starts',
    words: [
      ...['request', 'open', '--kind', 'access', '--email', 'oncle@example.ca', '--channel', 'mail'],
      ...['--asks', 'Que savez-vous de moi?', '--zone', 'America/Toronto', '--language', 'fr'],
      ...['--reason', 'a letter that came in today', '--ticket', 'PRV-1', '--yes'],
    ],
    // 6: a tour before has opened it.
    passing: [0, 6],
  },
  {
    about: 'What waits for an answer, the most urgent first',
    words: ['request', 'list'],
  },
  {
    about: 'What somebody would be given who asks for all that we hold of them, and what not and why',
    words: ['export', 'plan', '--user', user_id, ...ASKED],
  },
  {
    about: 'They do ask. One of a kind is open at a time, so that two officers never answer twice',
    words: [
      ...['request', 'open', '--kind', 'access', '--user', user_id, '--channel', 'email'],
      ...['--asks', 'all that you hold about me', ...ASKED, '--yes'],
    ],
    // 6: a tour that was cut short has opened it.
    passing: [0, 6],
  },
];

/** From an open request to its answer. */
export const answerRequest = (request: string, user: string, file: string): readonly Stop[] => [
  {
    about: 'Nothing is handed out before it is known who asks: what was seen is recorded, never its number',
    words: [
      ...['request', 'verify-identity', request, '--method', 'document', '--document', 'passport'],
      ...[...ASKED, '--yes'],
    ],
    passing: [0, 6],
  },
  {
    about:
      'What they would be given, against what they see in the app: held but unseen, seen but about others',
    words: ['export', 'review', request, ...ASKED],
  },
  {
    about:
      'Their package: a page to read, every table as JSON and CSV, everybody else under another name, signed',
    words: ['export', 'create', request, '--file', file, ...ASKED, '--yes'],
  },
  { about: 'Is it whole, to the last byte? Anybody can ask that offline', words: ['export', 'verify', file] },
  {
    about: 'Answered within the limit of the law',
    words: [
      ...['request', 'fulfil', request, '--told', 'given at the counter on a stick, with the key apart'],
      ...[...ASKED, '--yes'],
    ],
  },
  {
    about: 'The packages that were made for them, and where they are shared: until when, revoked or never',
    words: ['export', 'list', '--user', user, ...ASKED],
  },
];

export const askForDeletion = (user: string): Stop => ({
  about: 'And then they ask to be forgotten',
  words: [
    ...['request', 'open', '--kind', 'deletion', '--user', user, '--channel', 'email'],
    ...['--asks', 'delete my account and all of it', ...ASKED, '--yes'],
  ],
  // 6: a tour before has opened it.
  passing: [0, 6],
});

/** From an open request for deletion as far as a day goes: thirty of them lie between its approval and its run. */
export const planDeletion = (request: string): readonly Stop[] => [
  {
    about: 'Again it is known first who asks',
    words: ['request', 'verify-identity', request, '--method', 'signed_in', ...ASKED, '--yes'],
    passing: [0, 6],
  },
  {
    about:
      'What erasing them would do, table by table, and what stands against it: what they were just given can still be complained of (exit 3)',
    words: ['erasure', 'plan', request, ...ASKED],
    passing: [0, 3],
  },
  {
    about: 'Erasures stand in a ledger that outlives a restore: after one, has anybody come back?',
    words: ['erasure', 'replay', '--after-restore', '--dry-run', ...ASKED],
  },
];
