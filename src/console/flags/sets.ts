import * as Flags from '@oclif/core/flags';
import { DUTIES, type Duty } from '../../platform/database/duties.js';
import { formatFlag, textFlag } from './values.js';

/** On every command. */
export const globalFlags = {
  context: Flags.string({
    description: 'the context to work on [env: NESTCTL_CONTEXT]',
    helpGroup: 'GLOBAL',
    helpValue: 'NAME',
  }),
  format: formatFlag(['table', 'json'], 'how the result is printed; json is the bare result'),
  output: textFlag({
    description: 'write the result to this file, readable by you only; - is stdout',
    helpGroup: 'GLOBAL',
    helpValue: 'FILE',
  }),
  overwrite: Flags.boolean({
    description: 'replace the file of --output where it is there already',
    dependsOn: ['output'],
    helpGroup: 'GLOBAL',
  }),
  json: Flags.boolean({
    description: 'print an envelope of result, warnings and meta as JSON',
    helpGroup: 'GLOBAL',
  }),
  verbose: Flags.boolean({ description: 'tell on stderr what is done', helpGroup: 'GLOBAL' }),
};

/** For what is read as staff. */
export const staffFlags = {
  duty: Flags.custom<Duty>({ options: [...DUTIES], env: 'NESTCTL_DUTY', noCacheDefault: true })({
    description: 'the duty to act under, where several would serve; the narrowest is the default',
    helpGroup: 'STAFF',
  }),
  reason: textFlag({
    description: 'why; it is kept in the audit log',
    env: 'NESTCTL_REASON',
    helpGroup: 'STAFF',
    helpValue: 'TEXT',
  }),
  ticket: textFlag({
    description: 'the ticket this belongs to',
    env: 'NESTCTL_TICKET',
    helpGroup: 'STAFF',
    helpValue: 'ID',
  }),
};

/** For what is changed outside of the database; read them with `this.why()`. */
export const whyFlags = {
  reason: textFlag({
    description: 'why; it is kept with what is changed',
    env: 'NESTCTL_REASON',
    helpGroup: 'WRITE',
    helpValue: 'TEXT',
  }),
  ticket: textFlag({
    description: 'the ticket this belongs to',
    env: 'NESTCTL_TICKET',
    helpGroup: 'WRITE',
    helpValue: 'ID',
  }),
  'dry-run': Flags.boolean({ description: 'show the plan and change nothing', helpGroup: 'WRITE' }),
};

/** For heavy reads, which a replica may answer. */
export const serverFlags = {
  server: Flags.option({ options: ['auto', 'primary', 'replica'] as const })({
    description:
      "who answers; auto: the context's replica once it has replayed all that was committed before, else the primary",
    default: 'auto',
    helpGroup: 'STAFF',
  }),
};

/** For what asks before it changes something. */
export const consentFlags = {
  'dry-run': Flags.boolean({ description: 'show the plan and change nothing', helpGroup: 'WRITE' }),
  yes: Flags.boolean({ description: 'do not ask', char: 'y', helpGroup: 'WRITE' }),
};

/** For every write as staff. */
export const writeFlags = { ...staffFlags, ...consentFlags };
