import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { NestctlError } from '../errors.js';
import { printedBy } from '../program.js';
import { thumbprint } from './key-set.js';
import { readPrivateFile } from './private-file.js';

/** Where a signing key is: a file of mode 0600, or a command that prints it. Either holds PKCS #8 PEM. */
export type KeySource = { readonly file: string } | { readonly command: readonly string[] };

/** An Ed25519 private key and the name its public key goes by. */
export interface SigningKey {
  readonly kid: string;
  readonly key: KeyObject;
}

/** A new Ed25519 key. */
export function generateSigningKey(): SigningKey {
  return named(generateKeyPairSync('ed25519').privateKey);
}

/** The key as `openssl genpkey -algorithm ed25519` writes it. */
export function signingKeyPem({ key }: SigningKey): string {
  return key.export({ format: 'pem', type: 'pkcs8' }).toString();
}

/** Loads the key; undefined where its file does not exist. Throws `key_open`, `key_invalid`, `key_command_failed`. */
export async function loadSigningKey(source: KeySource): Promise<SigningKey | undefined> {
  const pem = 'file' in source ? await readPrivateFile(source.file) : await fromCommand(source.command);
  if (pem === undefined) return undefined;
  const from = 'file' in source ? source.file : `the output of ${source.command[0]}`;
  return named(parsePem(pem, from));
}

function parsePem(pem: string, from: string): KeyObject {
  const invalid = () =>
    // Never the parser's words: they may hold what it read.
    new NestctlError(`There is no Ed25519 private key in ${from}.`, {
      kind: 'failure',
      code: 'key_invalid',
      hint: 'It must be PKCS #8 PEM without a passphrase, as openssl genpkey -algorithm ed25519 writes it.',
    });
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw invalid();
  }
  if (key.asymmetricKeyType !== 'ed25519') throw invalid();
  return key;
}

function named(key: KeyObject): SigningKey {
  return { key, kid: thumbprint(createPublicKey(key).export({ format: 'jwk' }).x ?? '') };
}

async function fromCommand(command: readonly string[]): Promise<string> {
  try {
    return await printedBy(command);
  } catch {
    // Not the program's words: they may hold what it knows.
    throw new NestctlError(`The command of the signing key failed: ${command[0]}.`, {
      kind: 'failure',
      code: 'key_command_failed',
      hint: 'Run it by hand to see why.',
    });
  }
}
