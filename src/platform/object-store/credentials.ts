import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { NestctlError } from '../errors.js';
import { printedBy } from '../program.js';
import type { CredentialSource } from './settings.js';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

/**
 * The credentials of a source, read anew at each call. Throws `store_credentials_missing`,
 * `store_credentials_open` where others can read the file, and `store_credentials_expired`.
 */
export async function readCredentials(source: CredentialSource): Promise<Credentials> {
  const found = await read(source);
  if (found.expiration !== undefined && found.expiration.getTime() <= Date.now()) throw expired();
  return found;
}

/** The error for temporary credentials whose time is over. */
export function expired(): NestctlError {
  return new NestctlError('The credentials for the object store have expired.', {
    kind: 'not_allowed',
    code: 'store_credentials_expired',
    hint: 'They were temporary: obtain new ones, then run the command again; it goes on where it stopped.',
  });
}

/** Where credentials come from, for people. */
export function describeSource(source: CredentialSource): string {
  if (source.from === 'profile') return `profile ${source.name} of ${profileFile(source)}`;
  return source.from === 'command' ? `the command ${source.command[0]}` : 'AWS_ACCESS_KEY_ID';
}

async function read(source: CredentialSource): Promise<Credentials> {
  if (source.from === 'environment') return fromEnvironment();
  return source.from === 'command' ? await fromCommand(source.command) : await fromProfile(source);
}

function fromEnvironment(env: NodeJS.ProcessEnv = process.env): Credentials {
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret, AWS_SESSION_TOKEN: token } = env;
  if (!id || !secret) {
    throw missing(
      'The environment holds no credentials for the object store.',
      'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile or credentials_command in the context.',
    );
  }
  return { accessKeyId: id, secretAccessKey: secret, ...(token ? { sessionToken: token } : {}) };
}

async function fromCommand(command: readonly string[]): Promise<Credentials> {
  const failed = (what: string) =>
    missing(
      `The credentials_command of the object store ${what}: ${command[0]}.`,
      'It must print JSON with AccessKeyId and SecretAccessKey, as a credential_process of AWS does.',
    );
  const printed = await printedBy(command).catch(() => {
    // Not the program's words: they may hold what it knows.
    throw failed('failed');
  });
  const answer = parse(printed);
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = answer;
  if (typeof AccessKeyId !== 'string' || typeof SecretAccessKey !== 'string') {
    throw failed('gave no credentials');
  }
  const end = typeof Expiration === 'string' ? new Date(Expiration) : undefined;
  if (end !== undefined && Number.isNaN(end.getTime())) throw failed('gave an Expiration that is no time');
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    ...(typeof SessionToken === 'string' ? { sessionToken: SessionToken } : {}),
    ...(end === undefined ? {} : { expiration: end }),
  };
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

async function fromProfile(source: Extract<CredentialSource, { from: 'profile' }>): Promise<Credentials> {
  const path = profileFile(source);
  await refuseIfShared(path);
  const { fromIni } = await import('@aws-sdk/credential-provider-ini');
  const provide = fromIni({ profile: source.name, filepath: path, ignoreCache: true });
  return await provide().catch(() => {
    throw missing(
      `The profile ${source.name} of ${path} gives no credentials.`,
      'It needs aws_access_key_id and aws_secret_access_key, a role, or a credential_process.',
    );
  });
}

function profileFile({ file }: Extract<CredentialSource, { from: 'profile' }>): string {
  return file ?? process.env.AWS_SHARED_CREDENTIALS_FILE ?? join(homedir(), '.aws', 'credentials');
}

async function refuseIfShared(path: string): Promise<void> {
  const file = await stat(path).catch(() => undefined);
  if (file === undefined) throw missing(`The credentials file ${path} cannot be read.`);
  if ((file.mode & 0o077) === 0) return;
  throw new NestctlError(`The credentials file ${path} can be read by other users of this machine.`, {
    kind: 'not_allowed',
    code: 'store_credentials_open',
    hint: 'Close it, and consider its keys known to others.',
    next: `chmod 600 ${path}`,
  });
}

function missing(message: string, hint?: string): NestctlError {
  return new NestctlError(message, { kind: 'not_allowed', code: 'store_credentials_missing', hint });
}
