import { readFile } from 'node:fs/promises';
import { NestctlError } from '../platform/errors.js';
import { readPassphrase } from './new-password.js';
import type { OutputFile } from './output-file.js';

interface PassphraseFlags {
  readonly passphrase: boolean;
  readonly 'passphrase-command': readonly string[] | undefined;
}

/** How a file is to be encrypted, as far as it is known before a passphrase is asked for. */
export type EncryptionWish = { readonly recipients: readonly string[] } | 'passphrase' | undefined;

export function encryptionWish(
  flags: PassphraseFlags & { readonly 'encrypt-to': readonly string[] | undefined },
): EncryptionWish {
  const recipients = flags['encrypt-to'];
  if (recipients !== undefined) return { recipients };
  return flags.passphrase || flags['passphrase-command'] !== undefined ? 'passphrase' : undefined;
}

/** In words, behind what it is said of: `, encrypted to age1…`. */
export function encryptionWords(wish: EncryptionWish): string {
  if (wish === undefined) return '';
  return wish === 'passphrase'
    ? ', encrypted with a passphrase'
    : `, encrypted to ${wish.recipients.join(' and ')}`;
}

/** What is encrypted with, which may be asked for now. */
export async function encryptionOfWish(
  wish: EncryptionWish,
  flags: PassphraseFlags,
  json: boolean,
): Promise<{ readonly recipients: readonly string[] } | { readonly passphrase: string } | undefined> {
  if (wish !== 'passphrase') return wish;
  return { passphrase: await readPassphrase({ command: flags['passphrase-command'], json, isNew: true }) };
}

/** That a name tells no lie of what the file is. Throws `misleading_name`. */
export function requireName({ path, special, flag }: OutputFile, wish: EncryptionWish): void {
  const named = path.endsWith('.age');
  if (special || named === (wish !== undefined)) return;
  throw new NestctlError(
    named
      ? `--${flag}: ${path} would not be encrypted, and its name says that it is.`
      : `--${flag}: ${path} would be encrypted, and its name does not say so.`,
    {
      kind: 'usage',
      code: 'misleading_name',
      hint: named ? 'Add --encrypt-to or --passphrase, or leave .age off.' : `Name it ${path}.age.`,
      next: 'nestctl export create --help',
    },
  );
}

/** What opens an encrypted file; undefined where no flag says. Throws `bad_identity`. */
export async function openingOf(
  flags: PassphraseFlags & { readonly identity: string | undefined },
  json: boolean,
): Promise<{ readonly identities: readonly string[] } | { readonly passphrase: string } | undefined> {
  const { identity, passphrase, 'passphrase-command': command } = flags;
  if (identity !== undefined) return { identities: await readIdentities(identity) };
  if (!passphrase && command === undefined) return undefined;
  return { passphrase: await readPassphrase({ command, json, isNew: false }) };
}

async function readIdentities(path: string): Promise<string[]> {
  const lines = (await readFile(path, 'utf8')).split(/\r?\n/).map((line) => line.trim());
  const identities = lines.filter((line) => line !== '' && !line.startsWith('#'));
  const locked = lines[0]?.startsWith('age-encryption.org/') === true || lines[0]?.startsWith('-----BEGIN');
  if (identities.length > 0 && !locked) return identities;
  throw new NestctlError(
    locked ? `${path} is encrypted itself.` : `There is no secret key of age in ${path}.`,
    {
      kind: 'usage',
      code: 'bad_identity',
      hint: locked
        ? 'Decrypt it with age first, into a place that only you read.'
        : 'It is what age-keygen writes: lines that begin with AGE-SECRET-KEY-1, and comments that begin with #.',
      next: 'nestctl export verify --help',
    },
  );
}
