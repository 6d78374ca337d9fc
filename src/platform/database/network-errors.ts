import { certificateError } from '../certificate-errors.js';
import { NestctlError } from '../errors.js';
import { wayOn, wrongPassword } from './login-errors.js';
import { type ConnectionTarget, isSocket } from './target.js';

/** The error of a connection that could not be made or did not last; undefined where it is another kind. */
export function networkError(error: Error, target: ConnectionTarget): NestctlError | undefined {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const where = `${target.host}:${target.port}`;
  const next = wayOn(target);
  const failure = (name: string, message: string, hint?: string) =>
    new NestctlError(message, { kind: 'failure', code: name, hint, next });

  if (code === 'ECONNREFUSED' || (code === 'ENOENT' && isSocket(target.host))) {
    return failure(
      'server_down',
      `No PostgreSQL server answers at ${where}.`,
      target.context?.kind === 'local'
        ? undefined
        : 'Is it running, and are host and port of the context right?',
    );
  }
  if (code === 'EACCES' && isSocket(target.host)) {
    return new NestctlError(`This user may not use the socket in ${target.host}.`, {
      kind: 'not_allowed',
      code: 'file_denied',
      hint: 'Check the permissions of the folder, or connect by host name.',
    });
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return failure(
      'host_unknown',
      `The host ${target.host} cannot be resolved.`,
      'A typing error in the context, or a VPN or name server that is off.',
    );
  }
  if (
    /^(ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN)$/.test(code) ||
    /timeout expired|connection timeout/.test(error.message)
  ) {
    return failure(
      'server_unreachable',
      `${where} did not answer within 10 seconds.`,
      'A firewall, a VPN that is off, or a wrong port.',
    );
  }
  if (error.message === 'The server does not support SSL connections') {
    return failure(
      'tls_refused',
      `${where} does not offer TLS.`,
      'Switch it on at the server; nothing was sent in clear text.',
    );
  }
  const refused = certificateError(error, where, {
    otherName: 'Use the name the certificate was made for.',
    untrusted: "Name the authority's PEM file in sslrootcert of the context.",
    refused: "Is that port PostgreSQL's?",
    next,
  });
  if (refused !== undefined) return refused;
  if (error.message.includes('establishing an SSL connection')) {
    return failure('tls_refused', `TLS with ${where} could not be set up.`, "Is that port PostgreSQL's?");
  }
  if (
    /^(ECONNRESET|ECONNABORTED|EPIPE)$/.test(code) ||
    /^Connection terminated|not queryable|Client was closed/.test(error.message)
  ) {
    return failure(
      'connection_lost',
      `The connection to ${where} was lost.`,
      'The server or the network let go; what was not committed is undone.',
    );
  }
  return error.message.startsWith('SASL') ? wrongPassword(target) : undefined;
}
