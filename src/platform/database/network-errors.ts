import { NestctlError } from '../errors.js';
import { type ConnectionTarget, describeTarget, isSocket } from './target.js';

const UNTRUSTED = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
]);

/** The error of a connection that could not be made or did not last; undefined where it is another kind. */
export function networkError(error: Error, target: ConnectionTarget): NestctlError | undefined {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const where = `${target.host}:${target.port}`;
  const start = target.context?.kind === 'local' ? 'nestctl local up' : undefined;
  const failure = (name: string, message: string, hint?: string, next?: string) =>
    new NestctlError(message, { kind: 'failure', code: name, hint, next });

  if (code === 'ECONNREFUSED' || (code === 'ENOENT' && isSocket(target.host))) {
    return failure(
      'server_down',
      `No PostgreSQL server answers at ${where}.`,
      start === undefined ? 'Is it running, and are host and port of the context right?' : undefined,
      start,
    );
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return failure('host_unknown', `The host ${target.host} cannot be resolved.`, 'Check the context.');
  }
  if (
    /^(ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN)$/.test(code) ||
    /timeout expired|connection timeout/.test(error.message)
  ) {
    return failure(
      'server_unreachable',
      `${where} did not answer within 10 seconds.`,
      'A firewall, a VPN that is off, or a wrong port.',
      start,
    );
  }
  if (error.message === 'The server does not support SSL connections') {
    return failure(
      'tls_refused',
      `${where} does not offer TLS.`,
      'Switch it on at the server; nothing was sent in clear text.',
    );
  }
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    return failure(
      'tls_unverified',
      `The certificate of ${where} has expired or is not valid yet.`,
      "Renew it, or check this machine's clock.",
    );
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return failure(
      'tls_unverified',
      `The certificate of ${where} is for another host name.`,
      'Use the name the certificate was made for.',
    );
  }
  if (UNTRUSTED.has(code)) {
    return failure(
      'tls_unverified',
      `The certificate of ${where} is not signed by an authority this machine trusts.`,
      "Name the authority's PEM file in sslrootcert of the context.",
    );
  }
  if (
    code === 'EPROTO' ||
    code.startsWith('ERR_SSL') ||
    error.message.includes('establishing an SSL connection')
  ) {
    return failure('tls_refused', `TLS with ${where} could not be set up.`, "Is that port PostgreSQL's?");
  }
  if (/^(ECONNRESET|EPIPE)$/.test(code) || /^Connection terminated|not queryable/.test(error.message)) {
    return failure(
      'connection_lost',
      `The connection to ${where} was lost.`,
      'The server stopped or cut it off.',
      start,
    );
  }
  if (error.message.startsWith('SASL')) {
    return new NestctlError(`${describeTarget(target)}: the password was not accepted.`, {
      kind: 'not_allowed',
      code: 'wrong_password',
    });
  }
  return undefined;
}
