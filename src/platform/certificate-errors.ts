import { NestctlError } from './errors.js';

const UNTRUSTED =
  /^(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?|CERT_UNTRUSTED|CERT_SIGNATURE_FAILURE|INVALID_CA|CERT_CHAIN_TOO_LONG)$/;

/** What to do about each trouble, by whom the connection is to. */
export interface TlsAdvice {
  /** The certificate is for another host name. */
  readonly otherName: string;
  /** Nobody we trust has signed it. */
  readonly untrusted: string;
  /** No TLS could be set up at all. */
  readonly refused: string;
  /** A complete command to type next. */
  readonly next?: string | undefined;
}

/**
 * The error of a TLS connection to `where` (a database or an object store) that was refused or could not be
 * verified; undefined where it is another kind.
 */
export function certificateError(error: Error, where: string, advice: TlsAdvice): NestctlError | undefined {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const failure = (name: string, message: string, hint: string) =>
    new NestctlError(message, { kind: 'failure', code: name, hint, next: advice.next });
  const unverified = (what: string, hint: string) =>
    failure('tls_unverified', `The certificate of ${where} ${what}.`, hint);

  if (code === 'CERT_HAS_EXPIRED') {
    return unverified('has expired', "Have it renewed, or check this machine's clock. Nothing was sent.");
  }
  if (code === 'CERT_NOT_YET_VALID') {
    return unverified('is not valid yet', "Check this machine's clock. Nothing was sent.");
  }
  if (code === 'CERT_REVOKED') return unverified('was revoked', 'Do not connect; tell who runs the server.');
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return unverified('is for another host name', advice.otherName);
  if (UNTRUSTED.test(code)) {
    return unverified('is not signed by an authority this machine trusts', advice.untrusted);
  }
  // Only our side reads PEM files: the one that names the authority.
  if (/^ERR_OSSL_(PEM|ASN1|X509)/.test(code)) {
    return failure(
      'tls_authority_invalid',
      `The authority file for ${where} holds no certificate.`,
      advice.untrusted,
    );
  }
  if (code === 'EPROTO' || /^ERR_(SSL|OSSL|TLS)/.test(code)) {
    return failure('tls_refused', `TLS with ${where} could not be set up.`, advice.refused);
  }
  return undefined;
}
