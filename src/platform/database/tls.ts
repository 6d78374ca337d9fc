import { readFile } from 'node:fs/promises';
import type { ConnectionOptions } from 'node:tls';
import { NestctlError } from '../errors.js';
import { type ConnectionTarget, sslModeOf } from './target.js';

/** The driver's TLS options for a target's sslmode, with libpq's meaning of each mode. */
export async function sslOptions(target: ConnectionTarget): Promise<false | ConnectionOptions> {
  const mode = sslModeOf(target);
  if (mode === 'disable') return false;
  if (mode === 'require') return { rejectUnauthorized: false };
  const ca = target.sslrootcert === undefined ? {} : { ca: await readAuthority(target.sslrootcert) };
  // The driver keeps the host's name for SNI; only the comparison with the certificate is left out.
  const identity = mode === 'verify-ca' ? { checkServerIdentity: () => undefined } : {};
  return { rejectUnauthorized: true, ...ca, ...identity };
}

async function readAuthority(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new NestctlError(`The certificate file ${path} (sslrootcert) cannot be read.`, {
      kind: 'failure',
      code: 'tls_authority_missing',
      cause,
    });
  });
  // Node trusts nobody where there is none, and says no more than that.
  if (/-----BEGIN (TRUSTED )?CERTIFICATE-----/.test(text)) return text;
  throw new NestctlError(`The file ${path} (sslrootcert) holds no certificate.`, {
    kind: 'failure',
    code: 'tls_authority_invalid',
    hint: 'It must be the PEM file of the authority, with BEGIN CERTIFICATE in it.',
  });
}
