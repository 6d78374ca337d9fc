import type { Encrypter } from 'age-encryption';
import { NestctlError } from '../../platform/errors.js';

/** For whom a package is encrypted with age: whoever holds the keys, or knows the passphrase. */
export type EncryptTo = { readonly recipients: readonly string[] } | { readonly passphrase: string };

/** What opens an encrypted package: lines of an identity file of age, or the passphrase. */
export type DecryptWith = { readonly identities: readonly string[] } | { readonly passphrase: string };

/** Shorter ones are guessed from the file alone, however slow a guess is made. In characters. */
const SHORTEST_PASSPHRASE = 12;
const MOST_RECIPIENTS = 20;

const SECRET = /^AGE-(SECRET-KEY|PLUGIN)-/i;
const CURVE = /^age1(?!.*1)[a-z0-9]+$/;
const HYBRID = /^age1pq1[a-z0-9]+$/;

/**
 * The library's encrypter for these. Throws `secret_key_given`, `bad_recipient`, `mixed_recipients`,
 * `too_many_recipients` and `short_passphrase`: none of them holds what was given but for public keys.
 */
export async function openEncrypter(to: EncryptTo): Promise<Encrypter> {
  const { Encrypter } = await import('age-encryption');
  const encrypter = new Encrypter();
  if ('passphrase' in to) {
    requireLong(to.passphrase);
    encrypter.setPassphrase(to.passphrase);
    return encrypter;
  }
  const recipients = [...new Set(to.recipients)];
  if (recipients.length > MOST_RECIPIENTS)
    throw usage('too_many_recipients', `A package is encrypted to ${MOST_RECIPIENTS} keys at most.`);
  for (const recipient of recipients) {
    if (SECRET.test(recipient))
      throw usage(
        'secret_key_given',
        'A secret key was given where a public key is meant.',
        'Whoever has seen it can read what is encrypted to it: make a new one. The public key begins with age1.',
      );
    try {
      if (!CURVE.test(recipient) && !HYBRID.test(recipient)) throw new Error('neither kind of key');
      encrypter.addRecipient(recipient);
    } catch (cause) {
      throw usage(
        'bad_recipient',
        'A key to encrypt to is no public key of age.',
        'It is one word that begins with age1 and is copied whole, as age-keygen -y prints it.',
        cause,
      );
    }
  }
  // Whoever breaks the weaker kind has the file: that they are asked for together is a mistake (age refuses it too).
  if (recipients.some((one) => HYBRID.test(one)) && recipients.some((one) => !HYBRID.test(one)))
    throw usage(
      'mixed_recipients',
      'Keys with and without post-quantum protection do not go together.',
      'Keys that begin with age1pq1 protect nothing beside one that does not.',
    );
  return encrypter;
}

/** Before anything is read or asked. Throws what `openEncrypter` does. */
export async function requireRecipients(recipients: readonly string[]): Promise<void> {
  await openEncrypter({ recipients });
}

/** Throws `short_passphrase`. */
function requireLong(passphrase: string): void {
  if ([...passphrase].length >= SHORTEST_PASSPHRASE && new Set(passphrase).size > 4) return;
  throw new NestctlError(
    passphrase === ''
      ? 'There is no passphrase in what was given.'
      : 'The passphrase is too easy to guess. Nothing was written.',
    {
      kind: 'usage',
      code: 'short_passphrase',
      hint: `At least ${SHORTEST_PASSPHRASE} characters, five of them different: five words at random are better.`,
    },
  );
}

function usage(code: string, message: string, hint?: string, cause?: unknown): NestctlError {
  return new NestctlError(message, {
    kind: 'usage',
    code,
    hint,
    next: 'nestctl export create --help',
    cause,
  });
}
