import { execFile } from 'node:child_process';
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { NestctlError } from '../errors.js';
import type { Context } from './contexts.js';
import { contextFilePath, resolveBeside } from './paths.js';

/**
 * The Ed25519 key (PKCS #8, PEM) with which the context signs; undefined where it names none. Throws
 * `signing_key_missing`, `signing_key_open` where others can read the file, `signing_key_invalid`.
 */
export async function readSigningKey({ signing_key: source }: Context): Promise<KeyObject | undefined> {
  if (source === undefined) return undefined;
  if (source.command !== undefined) {
    const [program = ''] = source.command;
    return parse(await printed(source.command), `the command ${program}`);
  }
  const path = resolveBeside(contextFilePath(), source.file ?? '');
  await refuseIfShared(path);
  return parse(await readFile(path, 'utf8'), path);
}

async function printed([program = '', ...args]: readonly string[]): Promise<string> {
  try {
    return (await promisify(execFile)(program, args, { timeout: 60_000, encoding: 'utf8' })).stdout;
  } catch {
    throw new NestctlError(`The command of the signing key failed: ${program}.`, {
      kind: 'failure',
      code: 'signing_key_missing',
      hint: 'Run it by hand to see why.',
    });
  }
}

async function refuseIfShared(path: string): Promise<void> {
  const file = await stat(path).catch(() => undefined);
  if (file === undefined) {
    throw new NestctlError(`The signing key ${path} cannot be read.`, {
      kind: 'failure',
      code: 'signing_key_missing',
    });
  }
  const ours = file.uid === process.getuid?.() || file.uid === 0;
  if (ours && (file.mode & 0o077) === 0) return;
  throw new NestctlError(
    `The signing key ${path} ${ours ? 'can be read by' : 'belongs to'} other users of this machine.`,
    {
      kind: 'not_allowed',
      code: 'signing_key_open',
      hint: 'Who has read it can sign in our name: replace it.',
      next: ours ? `chmod 600 ${path}` : undefined,
    },
  );
}

function parse(pem: string, from: string): KeyObject {
  const key = tryParse(pem);
  if (key?.asymmetricKeyType === 'ed25519') return key;
  throw new NestctlError(`What ${from} holds is no Ed25519 private key in PEM.`, {
    kind: 'failure',
    code: 'signing_key_invalid',
  });
}

function tryParse(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}
