import { certificateError } from '../certificate-errors.js';
import { NestctlError } from '../errors.js';
import { describeMail, type MailSettings } from './settings.js';

/** The errors of the SMTP client, as far as they are gone by; its messages hold the server's words and are not. */
interface SmtpError extends Error {
  readonly code?: string;
  /** Of the system or of TLS, where `code` is the client's own. */
  readonly originalCode?: string;
  readonly response?: string;
  readonly responseCode?: number;
  /** What was said last: `MAIL FROM`, `RCPT TO`, `DATA`, `AUTH PLAIN`, … */
  readonly command?: string;
}

const NEXT = 'nestctl context check';

/**
 * Any error of the SMTP client as a sentence with a way on. `handedOver`: the server had asked for the letter, so that
 * what breaks off then may have been taken. What the server said is not repeated but for its numbers: it can hold an
 * address.
 */
export function mailError(
  error: unknown,
  settings: MailSettings,
  { handedOver }: { readonly handedOver: boolean },
): unknown {
  if (error instanceof NestctlError || !(error instanceof Error)) return error;
  const failed = error as SmtpError;
  if (failed.responseCode !== undefined) return refused(failed, settings);
  if (handedOver) return unsure(settings);
  return broken(failed, settings) ?? error;
}

function refused(error: SmtpError, settings: MailSettings): NestctlError {
  const where = describeMail(settings);
  const said = numbers(error);
  const refusal = (code: string, message: string, hint: string, next: string | null = NEXT) =>
    new NestctlError(`${message} (${said}).`, {
      kind: code === 'mail_login_refused' ? 'not_allowed' : 'failure',
      code,
      hint,
      next: next ?? undefined,
    });
  const command = error.command ?? '';
  if (command === 'STARTTLS')
    return refusal(
      'tls_refused',
      `${where} does not offer TLS`,
      'Whoever is in between may have taken the offer out. Nothing was sent in clear text; a server that wants TLS from the first byte takes tls = "implicit".',
    );
  if (error.code === 'EAUTH')
    return refusal(
      'mail_login_refused',
      `${where} does not let ${settings.login?.user ?? 'us'} in`,
      'Check user and password of the mail section. Some servers want a password made for programs.',
    );
  const later = error.responseCode !== undefined && error.responseCode < 500;
  if (later)
    return refusal(
      'mail_deferred',
      `${where} does not take letters just now`,
      'It may be busy, or make strangers wait: try again in a few minutes.',
      null,
    );
  if (command === 'RCPT TO')
    return refusal(
      'mail_recipient_refused',
      `${where} does not take letters for this address`,
      'The mailbox may be gone or full, or the server may not send for us.',
      null,
    );
  if (command === 'MAIL FROM')
    return refusal(
      'mail_sender_refused',
      `${where} does not take letters from ${settings.from}`,
      'It must be an address that this login may send from: see from in the mail section.',
    );
  return refusal('mail_refused', `${where} refused the letter`, 'The log of that server says why.');
}

/** `550 5.1.1` */
function numbers({ response = '', responseCode }: SmtpError): string {
  return /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})/.exec(response)?.[0].replace('-', ' ') ?? String(responseCode);
}

function unsure(settings: MailSettings): NestctlError {
  return new NestctlError(
    `${describeMail(settings)} was given the letter and did not say whether it takes it: it may arrive, or not.`,
    { kind: 'partial', code: 'mail_unsure' },
  );
}

function broken(error: SmtpError, settings: MailSettings): NestctlError | undefined {
  const where = describeMail(settings);
  const failure = (code: string, message: string, hint: string) =>
    new NestctlError(message, { kind: 'failure', code, hint, next: NEXT });
  const codes = [error.originalCode, error.code].filter((code) => code !== undefined);
  for (const code of codes) {
    const tls = certificateError(Object.assign(new Error(error.message), { code }), where, {
      otherName: 'Use the name the certificate was made for.',
      untrusted: "Name the authority's PEM file in ca_file of the mail section.",
      refused: 'A server that begins in the clear takes tls = "starttls", by custom on port 587.',
      next: NEXT,
    });
    if (tls !== undefined) return tls;
  }
  if (codes.includes('ECONNREFUSED'))
    return failure(
      'mail_down',
      `No mail server answers at ${where}.`,
      'Are host and port of the mail section right?',
    );
  if (codes.some((code) => /^(EDNS|ENOTFOUND|EAI_AGAIN)$/.test(code)))
    return failure(
      'host_unknown',
      `The host ${settings.host} cannot be resolved.`,
      'A typing error in the context, or a VPN or name server that is off.',
    );
  if (codes.some((code) => /^(ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/.test(code)))
    return failure(
      'mail_unreachable',
      `${where} did not answer in time.`,
      'A firewall, a VPN that is off, or a wrong port: what is 465 by custom takes tls = "implicit", what is 587 "starttls".',
    );
  if (error.code === 'EAUTH')
    return failure(
      'mail_login_refused',
      `${where} takes no login that we know.`,
      'Some servers offer one only once TLS is on; leave user out where it takes letters without.',
    );
  if (codes.some((code) => /^(ECONNECTION|ESOCKET|ETLS|EPROTOCOL|ECONNRESET|EPIPE)$/.test(code)))
    return failure(
      'connection_lost',
      `The connection to ${where} was lost.`,
      'The server or the network let go, or that port is no mail server of this kind.',
    );
  return undefined;
}
