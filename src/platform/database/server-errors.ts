import { type ErrorDetails, type ErrorKind, NestctlError } from '../errors.js';
import { constraintError } from './constraint-errors.js';
import type { ServerError } from './errors.js';
import { wayOn, wrongPassword } from './login-errors.js';
import { type ConnectionTarget, describeTarget } from './target.js';

/** Our own SQL raises with these; MESSAGE and HINT are written for people and shown as they are. */
const OUR_RAISES: Record<string, readonly [kind: ErrorKind, code: string]> = {
  NS001: ['needs_input', 'reason_missing'],
  NS002: ['not_allowed', 'no_grant'],
  NS003: ['not_allowed', 'quota_exceeded'],
  NS004: ['not_allowed', 'duty_not_allowed'],
  NS005: ['conflict', 'conflict'],
  NS006: ['not_found', 'not_found'],
  NS007: ['usage', 'invalid_input'],
  NS008: ['pending', 'approval_pending'],
};

type Rule = (
  error: ServerError,
  target: ConnectionTarget,
) => readonly [message: string, details: ErrorDetails];

const UNDONE = 'What it was about to change is undone.';
const again = `${UNDONE} Run the command again.`;
const migrate: Rule = (error) => [
  `The database lacks something this command needs (${plainMessage(error)}).`,
  {
    kind: 'conflict',
    code: 'not_migrated',
    hint: 'It is not migrated, or behind this nestctl.',
    next: 'nestctl db migrate',
  },
];
const stopped: Rule = (_, target) => [
  'The server is stopping or cut the connection off.',
  {
    kind: 'failure',
    code: 'connection_lost',
    hint: 'What was not committed is undone.',
    next: wayOn(target),
  },
];
const waitedTooLong: Rule = () => [
  'The server ended the session, which had been idle too long in a transaction.',
  { kind: 'failure', code: 'connection_lost', hint: again },
];
const diskOfServer: Rule = (error) => [
  `The server could not read or write its files (SQLSTATE ${error.code}).`,
  {
    kind: 'failure',
    code: 'server_disk_failing',
    hint: `${UNDONE} Look at the server's log and disk before anything else.`,
  },
];
const damaged: Rule = () => [
  'The server found damaged data.',
  {
    kind: 'failure',
    code: 'data_corrupted',
    hint: 'Write nothing more: keep a copy of the data folder, check the disk, and restore from a backup.',
  },
];

/** By SQLSTATE, then by its class (first two characters). */
const RULES: Record<string, Rule> = {
  '28000': (_, target) => [
    `The server does not let ${describeTarget(target)} in.`,
    {
      kind: 'not_allowed',
      code: 'login_refused',
      hint: 'The login does not exist, was revoked, or pg_hba.conf has no line for it.',
      next: target.context?.kind === 'server' ? wayOn(target) : undefined,
    },
  ],
  '3D000': (_, target) => [
    `There is no database "${target.database}" on ${target.host}:${target.port}.`,
    { kind: 'conflict', code: 'database_missing', hint: 'Check the context.', next: wayOn(target) },
  ],
  '3F000': migrate,
  '42P01': migrate,
  '42703': migrate,
  '42883': migrate,
  '42704': migrate,
  // The routine, since the message is in the server's language.
  '42501': (error, target) =>
    /^(ExecWithCheckOptions|check_enable_rls)$/.test(error.routine ?? '')
      ? [
          `Row Level Security refused: ${plainMessage(error)}.`,
          {
            kind: 'not_allowed',
            code: 'rls_refused',
            hint: 'An access grant that covers it, or another duty, is needed.',
            next: 'nestctl access list',
          },
        ]
      : [
          `${target.user} may not do this: ${plainMessage(error)}.`,
          {
            kind: 'not_allowed',
            code: 'permission_denied',
            hint: 'Choose another --duty, or ask an admin.',
            next: 'nestctl doctor',
          },
        ],
  '55P03': () => [
    'Something else holds a lock that this needs.',
    { kind: 'conflict', code: 'lock_timeout', hint: again },
  ],
  '55006': () => [
    'Somebody else is using it.',
    { kind: 'conflict', code: 'in_use', hint: 'Wait for them to end, then run the command again.' },
  ],
  '57014': () => [
    'The statement took longer than allowed, or was cancelled.',
    {
      kind: 'failure',
      code: 'statement_timeout',
      hint: `${UNDONE} Narrow the question, or try at a quieter time.`,
    },
  ],
  '40P01': () => [
    'Two changes waited for each other and this one was stopped.',
    { kind: 'conflict', code: 'deadlock', hint: again },
  ],
  '40001': () => ['Another change came between.', { kind: 'conflict', code: 'serialization', hint: again }],
  '25006': (_, target) => [
    `${target.host}:${target.port} takes no writes: it is a replica, or the session is read-only.`,
    {
      kind: 'conflict',
      code: 'read_only_server',
      hint: 'Use the context of the primary, with --context.',
      next: 'nestctl context list',
    },
  ],
  '25P03': waitedTooLong,
  '25P04': waitedTooLong,
  '57P01': stopped,
  '57P02': stopped,
  '57P03': () => [
    'The server is starting up or recovering.',
    { kind: 'failure', code: 'server_starting', hint: 'Try again in a moment.' },
  ],
  '57P04': stopped,
  '57P05': stopped,
  '53100': () => [
    'The disk of the server is full.',
    {
      kind: 'failure',
      code: 'disk_full',
      hint: 'What was not committed is undone. Make room before anything else.',
    },
  ],
  '53200': () => [
    'The server has no memory left.',
    {
      kind: 'failure',
      code: 'out_of_memory',
      hint: `${UNDONE} Narrow the question, or try at a quieter time.`,
    },
  ],
  '53300': () => [
    'The server has no free connection.',
    {
      kind: 'failure',
      code: 'too_many_connections',
      hint: 'Close some, or raise the limit; then try again.',
    },
  ],
  '54': (error) => [
    `This is more than the server can do at once (${plainMessage(error)}).`,
    { kind: 'failure', code: 'too_large', hint: 'Ask for less.' },
  ],
  '58': diskOfServer,
  XX001: damaged,
  XX002: damaged,
  '22023': () => [
    'A setting was not accepted by the server.',
    { kind: 'failure', code: 'invalid_parameter' },
  ],
  '08': stopped,
  '22': (error) => [
    `The database did not accept a value (SQLSTATE ${error.code}).`,
    { kind: 'usage', code: 'invalid_input' },
  ],
};

// In these classes the message names objects and settings of the server, never a value of a row.
const HARMLESS_CLASSES = new Set(['0A', '25', '2B', '3B', '3D', '3F', '42', '53', '54', '55', '57']);

export function serverError(error: ServerError, target: ConnectionTarget): NestctlError {
  const ours = OUR_RAISES[error.code];
  if (ours !== undefined) {
    const [kind, code] = ours;
    // A hint that is a command to type is offered as one.
    const way = error.hint?.startsWith('nestctl ') ? { next: error.hint } : { hint: error.hint };
    return new NestctlError(sentence(error.message), { kind, code, ...way });
  }
  if (error.code === '28P01') return wrongPassword(target);
  if (error.code.startsWith('23')) return constraintError(error);
  const rule = RULES[error.code] ?? RULES[error.code.slice(0, 2)];
  if (rule === undefined) {
    return new NestctlError(`PostgreSQL refused: ${plainMessage(error)}.`, {
      kind: 'failure',
      code: 'database_error',
      hint: "The server's log has the rest.",
    });
  }
  const [message, details] = rule(error, target);
  return new NestctlError(message, details);
}

/** SQL writes its messages without a capital and a period. A first word that may be a login is left alone. */
function sentence(message: string): string {
  const begun = /^[a-z]+ /.test(message) ? message.charAt(0).toUpperCase() + message.slice(1) : message;
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

function plainMessage(error: ServerError): string {
  return HARMLESS_CLASSES.has(error.code.slice(0, 2)) ? error.message : `SQLSTATE ${error.code}`;
}
