import * as Flags from '@oclif/core/flags';
import { programFlag } from './context-flags.js';
import { textFlag } from './values.js';

const group = { helpGroup: 'ENCRYPTION' };

/** For whom a new file is encrypted. There is no flag for the passphrase itself. */
export const encryptFlags = {
  'encrypt-to': textFlag({
    description: 'encrypt it with age to this public key; again for more of them',
    helpValue: 'AGE1…',
    multiple: true,
    exclusive: ['passphrase', 'passphrase-command'],
    ...group,
  }),
  passphrase: Flags.boolean({
    description: 'encrypt it with age by a passphrase, which is asked for',
    exclusive: ['passphrase-command'],
    ...group,
  }),
  'passphrase-command': programFlag({ description: 'the passphrase, printed by this program', ...group }),
};

/** What opens a file that is encrypted. */
export const openingFlags = {
  identity: textFlag({
    description: 'decrypt it with the secret keys in this file, as age-keygen writes it',
    helpValue: 'FILE',
    exclusive: ['passphrase', 'passphrase-command'],
    ...group,
  }),
  passphrase: Flags.boolean({
    description: 'decrypt it with its passphrase, which is asked for',
    exclusive: ['passphrase-command'],
    ...group,
  }),
  'passphrase-command': programFlag({ description: 'the passphrase, printed by this program', ...group }),
};
