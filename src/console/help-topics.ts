import { EXIT } from '../platform/errors.js';

export interface HelpTopic {
  /** One line for the list. */
  readonly summary: string;
  /** Its lines, at most 100 columns wide. */
  readonly lines: () => string[];
}

const MEANING: Readonly<Record<keyof typeof EXIT, string>> = {
  done: 'done; also where a list is empty',
  failure: 'something failed: a server that is down, a disk that is full, a defect',
  usage: 'the command line or a value on it is wrong',
  finding: 'a check found something; it wins where several would do',
  not_allowed: 'not allowed: no grant, no duty, a refused password',
  not_found: 'what was named is not there',
  conflict: 'a conflict or a missing precondition: a lock, a change in between, no migration',
  needs_input: 'it needs consent or input, and there is no terminal to ask at',
  pending: 'it waits for somebody: an approval, for instance',
  partial: 'partly done; of a check: nothing found, but something could not be checked',
  interrupted: 'interrupted by Ctrl-C, SIGTERM or SIGHUP; a second one ends at once',
};

/** What each variable does, for the topic and for the test that none is left out. */
export const ENVIRONMENT: Readonly<Record<string, string>> = {
  NESTCTL_CONTEXT: 'the context to work on where --context is not given',
  NESTCTL_DUTY: 'the duty to act under where --duty is not given',
  NESTCTL_REASON: 'why, where --reason is not given: one reason for the commands of one call',
  NESTCTL_TICKET: 'the ticket, where --ticket is not given',
  NESTCTL_CONFIG: 'the context file; else below XDG_CONFIG_HOME or ~/.config',
  NESTCTL_HOME: 'the data folder; else below XDG_DATA_HOME or ~/.local/share, for root /var/lib',
  NESTCTL_LOG: '"off": runs leave no line in the log (nestctl help log)',
  XDG_CONFIG_HOME: 'see NESTCTL_CONFIG',
  XDG_DATA_HOME: 'see NESTCTL_HOME',
  PGPASSWORD: 'the password, where the context names no source of it',
  PGPASSFILE: 'the pgpass file, where the context names none; else ~/.pgpass',
  SUPABASE_ACCESS_TOKEN: 'the token of Supabase, where the context names no token_command',
  NESTCTL_PAGER: 'the program that shows what is longer than the screen; empty for none',
  PAGER: 'as NESTCTL_PAGER, where that is not set; else less',
  NO_COLOR: 'set: no colour',
  CLICOLOR: '"0": no colour',
  CLICOLOR_FORCE: 'set, but for "0": colour, also in a pipe',
  FORCE_COLOR: 'as CLICOLOR_FORCE; "0": no colour',
  TERM: '"dumb": no colour, no bars, no questions',
  CI: 'set: no bars',
};

const exitCodes = () =>
  Object.entries(EXIT)
    .sort(([, a], [, b]) => a - b)
    .map(([name, code]) => `${String(code).padStart(3)}  ${MEANING[name as keyof typeof EXIT]}`);

const environment = () => {
  const width = Math.max(...Object.keys(ENVIRONMENT).map((name) => name.length));
  return Object.entries(ENVIRONMENT).map(([name, about]) => `${name.padEnd(width)}  ${about}`);
};

/** Fields of --where; a test compares them with those that the filter knows. */
export const FILTER_FIELDS: Readonly<Record<string, string>> = {
  event: "the event's number",
  time: 'when: 3h (ago), 2026-11-20 (that whole day), 2026-11-20T14:02',
  operation: 'insert, update, delete',
  table: 'of public where no schema is named',
  category: 'modification, consent, emergency, access, authentication',
  login: 'the login of the session',
  duty: 'the duty of the operator who did it',
  request: 'one request, or one run of a command',
  xid: 'the transaction',
  epoch: 'the life of the cluster it belongs to',
  by: 'the id of the person who did it',
  person: 'the id of the person whose row it is',
  user: 'the id of a person, as either of both',
  family: 'the id of the family whose row it is',
  row: "the row's id, or its key's parts joined by /",
  reason: 'why',
  ticket: 'the ticket',
  changed: 'a list: the columns that an update changed',
  erased: 'a list: the requests under which parts of the event were erased',
};

const filterFields = () =>
  Object.entries(FILTER_FIELDS).map(([name, about]) => `  ${name.padEnd(10)}  ${about}`);

/** Topics of `nestctl help`, by name. */
export const TOPICS: Readonly<Record<string, HelpTopic>> = {
  'exit-codes': {
    summary: 'What the exit codes mean',
    lines: () => [
      'The same in text and under --json, and stable: scripts may depend on them.',
      '',
      ...exitCodes(),
    ],
  },
  environment: {
    summary: 'Environment variables that nestctl reads',
    lines: () => [
      'What is given on the command line comes before what stands in the environment.',
      '',
      ...environment(),
    ],
  },
  formats: {
    summary: 'How results are printed, for people and for programs',
    lines: () => [
      'Data goes to stdout and all else to stderr, so a pipe gets data alone: without colour, and never cut.',
      '',
      '--json prints one envelope:',
      '  {"ok": true, "command", "context", "result", "warnings": [{"code", "message"}], "meta"}',
      '  {"ok": false, "command", "context", "error": {"code", "message", "hint", "next", "exitCode"}}',
      'Its shape and the codes in it are stable; sentences for people may change.',
      '"meta.events" is what a write left in the audit log: {"count", "tables", "transactions", "first", "look"};',
      'null where that is not known. An error has "meta" only where something was committed before it.',
      '--format json is the bare result; of lists, ndjson and csv are the rows. --output FILE writes any of them.',
      '',
      'On a terminal that is too narrow a table drops its last columns and says so; --columns chooses.',
      'Control characters in data are made visible, so that nothing in a row can act on a terminal.',
    ],
  },
  contexts: {
    summary: 'How to say which server and database to work on, and as whom',
    lines: () => [
      'A context names a server, a database, your login there, and the services around it.',
      'Commands work on the one given by --context, else by NESTCTL_CONTEXT, else on the current one.',
      'A write says which one it is about to touch before it asks.',
      '',
      '  nestctl local up                an embedded PostgreSQL of your own, with two contexts',
      '  nestctl context add NAME        describe a server; asks for what is missing',
      '  nestctl context check NAME      can it be reached, and is all of it right?',
      '  nestctl context use NAME        make it the current one',
      '',
      'The file holds no secret: it names a pgpass file, a variable or a program that has it.',
      'It must be closed to others (chmod 600), and TLS is verified unless the server is on this machine.',
    ],
  },
  log: {
    summary: 'What is left in the log of this machine, and how to see more',
    lines: () => [
      'Each run leaves one line of JSON in log/nestctl.ndjson of the data folder, readable by you alone:',
      'time, command, names of its flags, context, duty, request, duration, exit code and error code;',
      'of a defect also where it happened. Never a value of a flag, an argument, a message, or a row.',
      'The request is in the audit log too, and ties both together: nestctl audit query --help.',
      '',
      'It is put aside at 1 MB, and four of those are kept. NESTCTL_LOG=off keeps none.',
      'A log that cannot be written is no reason for a command to fail.',
      '',
      '--verbose tells on stderr what a command does: connections, statements without their values, times.',
    ],
  },
  filter: {
    summary: 'The filters of --where, which audit events are found by',
    lines: () => [
      'FIELD = VALUE, and != < <= > >= ~ (contains, in whatever case) !~ (does not)',
      'FIELD in (A, B), FIELD not in (A, B), FIELD has VALUE (a list), FIELD is null, FIELD is not null',
      'and, or, not, brackets. Text with spaces or signs stands in quotes: "night shift".',
      '',
      'Of the event:',
      ...filterFields(),
      '',
      'Of the row, by its columns:',
      '  old.COLUMN  the value before; of an update only where it changed',
      '  new.COLUMN  the value after',
      '  any.COLUMN  either of both',
      'Numbers are compared as numbers, all else as text. Only events that tell a value of the column count.',
      'What a duty does not read it cannot ask about: the same columns are masked in both.',
      '',
      `  nestctl audit query --where 'table = usage_logs and operation in (update, delete) and new.notes ~ "night"'`,
      `  nestctl audit query --where 'duty is not null and not (login = dev.singh or ticket ~ SUP-)'`,
      `  nestctl audit query --where 'changed has role and old.role = institutional and time >= 2026-11-20'`,
      '',
      'Fields with indexes answer at once, however large the log is: event, family, person, by, row, request,',
      'ticket, login together with "duty is not null", and any span of time.',
    ],
  },
};
