import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { DUTIES, type Duty } from '../../platform/database/duties.js';
import { programFlag } from './context-flags.js';
import { textFlag } from './values.js';

export const loginArg = Args.string({ required: true, description: 'the login, such as jo.tremblay' });

/** Duties separated by commas. */
export const dutiesFlag = Flags.custom<Duty[]>({
  helpValue: 'A,B',
  parse: async (input) => {
    const names = input.split(',').map((name) => name.trim());
    const unknown = names.find((name) => !(DUTIES as readonly string[]).includes(name));
    if (unknown !== undefined) throw new Error(`there is no duty "${unknown}": ${DUTIES.join(', ')} are`);
    return [...new Set(names)] as Duty[];
  },
});

export const untilFlag = textFlag({
  description: 'when it ends, a date or a time; the duty auditor always does',
  helpValue: 'DATE',
});

export const personFlags = {
  name: textFlag({ description: 'their name', required: true }),
  email: textFlag({ description: 'their e-mail address', helpValue: 'ADDRESS', required: true }),
};

/** Where a password comes from; there is none for the password itself. */
export const passwordFlags = {
  'password-command': programFlag({
    description: 'program that prints the new password, instead of a question at the terminal',
    helpGroup: 'PASSWORD',
  }),
};

export const noPasswordFlag = {
  'no-password': Flags.boolean({
    description: 'the login proves itself in another way (certificate, LDAP, the provider)',
    default: false,
    exclusive: ['password-command'],
    helpGroup: 'PASSWORD',
  }),
};
