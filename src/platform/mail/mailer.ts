import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type SmtpConnection from 'nodemailer/lib/smtp-connection';
import { isLoopback } from '../database/target.js';
import { NestctlError } from '../errors.js';
import { mailError } from './mail-errors.js';
import { describeMail, type MailSettings } from './settings.js';

/** A letter to one person. */
export interface Letter {
  /** Unique for ever: its Message-ID is made of it, by which the log of the mail server knows it again. */
  readonly id: string;
  readonly to: string;
  /** The name that the address it comes from is shown with. */
  readonly fromName: string;
  readonly subject: string;
  readonly language: string;
  readonly text: string;
  readonly html: string;
}

/** A mail server that has let us in. */
export interface Mailer {
  /** Resolves once the server has taken the letter. Throws `mail_unsure` where it may have, and else where it has not. */
  send(letter: Letter): Promise<void>;
  close(): void;
}

export interface Timings {
  /** Until there is a connection, encrypted where it is to be, milliseconds. */
  readonly connect: number;
  /** A server that says nothing for so long is given up. */
  readonly idle: number;
  /** What one step may take in all, for a server that says a little now and then. */
  readonly step: number;
}

export const TIMINGS: Timings = { connect: 10_000, idle: 30_000, step: 60_000 };

/**
 * Connects and logs in. Throws `tls_disabled`, `tls_refused`, `tls_unverified`, `mail_down`, `mail_unreachable`,
 * `mail_login_refused` and what the source of the password does.
 */
export async function openMailer(settings: MailSettings, timings: Timings = TIMINGS): Promise<Mailer> {
  refuseClearText(settings);
  const ca = settings.caFile === undefined ? undefined : await readAuthority(settings.caFile);
  const password = await settings.login?.password();
  if (password === '')
    throw new NestctlError('The password for the mail server is empty.', {
      kind: 'not_allowed',
      code: 'password_missing',
      hint: 'See where the mail section of the context takes it from.',
      next: 'nestctl context show',
    });
  const { default: Connection } = await import('nodemailer/lib/smtp-connection');
  const connection = new Connection({
    host: settings.host,
    port: settings.port,
    secure: settings.tls === 'implicit',
    requireTLS: settings.tls === 'starttls',
    ignoreTLS: settings.tls === 'none',
    // Else localhost is not looked up where a machine has no other network.
    allowInternalNetworkInterfaces: true,
    tls: { minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca }) },
    connectionTimeout: timings.connect,
    greetingTimeout: timings.connect,
    dnsTimeout: timings.connect,
    socketTimeout: timings.idle,
    socketCloseTimeout: 1_000,
    // It would hold the letter.
    logger: false,
  });
  const step = stepsOf(connection, timings);
  try {
    await step((done) => connection.connect(done));
    const { login } = settings;
    if (login !== undefined)
      await step((done) => connection.login({ user: login.user, pass: password ?? '' }, done));
  } catch (error) {
    connection.close();
    throw mailError(error, settings, { handedOver: false });
  }
  return {
    send: async (letter) => {
      const raw = await compose(settings, letter);
      let handedOver = false;
      // Read from once the server has said that it wants the letter, and no sooner.
      const message = new Readable({
        read() {
          handedOver = true;
          this.push(raw);
          this.push(null);
        },
      });
      try {
        await step((done) => connection.send({ from: settings.from, to: letter.to }, message, done));
      } catch (error) {
        throw mailError(error, settings, { handedOver });
      }
    },
    close: () => {
      connection.quit();
      // A server that does not take leave must not keep the process.
      setTimeout(() => connection.close(), 1_000).unref();
    },
  };
}

/** Runs one step of a conversation at a time, which ends as well where the connection does, or when it takes too long. */
function stepsOf(connection: SmtpConnection, { step: limit }: Timings) {
  let fail: (error: Error) => void = () => undefined;
  connection.on('error', (error: Error) => fail(error));
  connection.on('end', () => fail(Object.assign(new Error('closed'), { code: 'ECONNECTION' })));
  return async (work: (done: (error?: Error | null) => void) => void): Promise<void> => {
    let overdue: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        fail = reject;
        overdue = setTimeout(() => {
          reject(Object.assign(new Error('too slow'), { code: 'ETIMEDOUT' }));
          connection.close();
        }, limit);
        work((error) => (error ? reject(error) : resolve()));
      });
    } finally {
      clearTimeout(overdue);
      fail = () => undefined;
    }
  };
}

async function compose({ from, replyTo }: MailSettings, letter: Letter): Promise<Buffer> {
  const { default: Composer } = await import('nodemailer/lib/mail-composer');
  const mail = new Composer({
    from: { name: letter.fromName, address: from },
    to: { name: '', address: letter.to },
    ...(replyTo === undefined ? {} : { replyTo }),
    subject: letter.subject,
    messageId: `<${letter.id}@${from.slice(from.lastIndexOf('@') + 1)}>`,
    text: letter.text,
    html: letter.html,
    headers: {
      'Content-Language': letter.language,
      // No machine answers it that somebody is away.
      'Auto-Submitted': 'auto-generated',
      'X-Auto-Response-Suppress': 'All',
    },
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return await mail.compile().build();
}

function refuseClearText({ host, port, tls }: MailSettings): void {
  if (tls !== 'none' || isLoopback(host)) return;
  throw new NestctlError(`Letters would go to ${describeMail({ host, port })} in clear text.`, {
    kind: 'usage',
    code: 'tls_disabled',
    hint: 'In the mail section of the context use tls = "starttls" or "implicit", with ca_file where the certificate is from an authority of its own.',
  });
}

async function readAuthority(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new NestctlError(`The certificate file ${path} (ca_file) cannot be read.`, {
      kind: 'failure',
      code: 'tls_authority_missing',
      cause,
    });
  }
}
