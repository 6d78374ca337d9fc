import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

export interface TakenLetter {
  readonly from: string;
  readonly to: readonly string[];
  readonly encrypted: boolean;
  readonly user: string | undefined;
  /** Headers and body as they came, and the parts of the body decoded. */
  readonly raw: string;
  readonly text: string;
  readonly html: string;
}

export interface MailServer {
  readonly port: number;
  readonly letters: readonly TakenLetter[];
  /** Every login and sender that was told, whether or not a letter followed. */
  readonly told: readonly string[];
  stop(): Promise<void>;
}

export interface MailServerWish {
  readonly certificate?: Certificate;
  /** TLS from the first byte. */
  readonly implicit?: boolean;
  /** What is lost or refused on the way: see the tests. */
  readonly fault?:
    | 'no-starttls'
    | 'recipient'
    | 'sender'
    | 'later'
    | 'refused-after-data'
    | 'stalls-at-recipient'
    | 'stalls-after-data'
    | 'drops-before-data'
    | 'drops-after-data';
  readonly login?: { readonly user: string; readonly password: string };
}

export interface Certificate {
  readonly key: string;
  readonly cert: string;
  /** The PEM file of the authority: the certificate itself. */
  readonly path: string;
}

const folder = mkdtempSync(join(tmpdir(), 'nestctl-mail-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

/** A certificate of its own authority for a host name. */
export function makeCertificate(host: string, days = 2): Certificate {
  const [key, path] = [join(folder, `${host}.key`), join(folder, `${host}.crt`)];
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', String(days), '-subj', `/CN=${host}`],
      ...['-addext', `subjectAltName=DNS:${host}`, '-keyout', key, '-out', path],
    ],
    { stdio: 'ignore' },
  );
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(path, 'utf8'), path };
}

/** A real SMTP server on this machine, which keeps what it takes. */
export async function startMailServer(wish: MailServerWish = {}): Promise<MailServer> {
  const { fault, login, certificate } = wish;
  const letters: TakenLetter[] = [];
  const told: string[] = [];
  const refusal = (code: number, message: string) =>
    Object.assign(new Error(message), { responseCode: code });
  const disabled = [
    ...(fault === 'no-starttls' || certificate === undefined ? ['STARTTLS'] : []),
    ...(login === undefined ? ['AUTH'] : []),
  ];
  const options: SMTPServerOptions = {
    ...(certificate === undefined ? {} : { key: certificate.key, cert: certificate.cert }),
    secure: wish.implicit === true,
    disabledCommands: disabled,
    authOptional: login === undefined,
    // Asked at a wrong time, a login is still seen here.
    allowInsecureAuth: true,
    disableReverseLookup: true,
    closeTimeout: 100,
    onAuth: ({ username = '', password }, _session, callback) => {
      told.push(`login ${username}`);
      if (username === login?.user && password === login?.password) callback(null, { user: username });
      else callback(refusal(535, '5.7.8 wrong secret for somebody@example.ca'));
    },
    onMailFrom: ({ address }, _session, callback) => {
      told.push(`from ${address}`);
      callback(fault === 'sender' ? refusal(553, '5.7.1 not yours') : null);
    },
    onRcptTo: ({ address }, session, callback) => {
      if (fault === 'stalls-at-recipient') return;
      if (fault === 'drops-before-data') return drop(session.id);
      if (fault === 'recipient') callback(refusal(550, `5.1.1 no mailbox ${address}`));
      else callback(fault === 'later' ? refusal(451, '4.7.1 greylisted') : null);
    },
    onData: (stream, session, callback) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.once('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        const taken = () =>
          letters.push({
            from: mailFrom === false ? '' : mailFrom.address,
            to: rcptTo.map(({ address }) => address),
            encrypted: session.secure,
            user: session.user as string | undefined,
            ...readLetter(Buffer.concat(chunks).toString('utf8')),
          });
        if (fault === 'refused-after-data') return callback(refusal(554, '5.6.0 it looks like junk'));
        taken();
        if (fault === 'drops-after-data') return drop(session.id);
        if (fault !== 'stalls-after-data') callback(null);
      });
    },
  };
  const server = new SMTPServer(options);
  server.on('error', () => undefined);
  const drop = (session: string) => {
    for (const connection of server.connections as Iterable<{ id: string; _socket: Socket }>)
      if (connection.id === session) connection._socket.destroy();
  };
  await new Promise<void>((resolve) => server.listen(0, 'localhost', () => resolve()));
  const { port } = server.server.address() as { port: number };
  return { port, letters, told, stop: () => new Promise((resolve) => server.close(() => resolve())) };
}

/** Something that takes a connection and never says a word. */
export async function startSilence(): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => sockets.add(socket.on('error', () => undefined)));
  await new Promise<void>((resolve) => server.listen(0, 'localhost', () => resolve()));
  const { port } = server.address() as { port: number };
  return {
    port,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The code in a letter, as somebody reads it. */
export function codeIn({ text }: TakenLetter): string {
  const found = /^(?:Your code: |Votre code : )([0-9 ]+)$/m.exec(text)?.[1];
  if (found === undefined) throw new Error(`no code in:\n${text}`);
  return found;
}

function readLetter(raw: string): Pick<TakenLetter, 'raw' | 'text' | 'html'> {
  const boundary = /boundary="([^"]+)"/.exec(raw)?.[1];
  const parts = boundary === undefined ? [] : raw.split(`--${boundary}`);
  const part = (type: string) => {
    const found = parts.find((one) => one.includes(`Content-Type: ${type}`)) ?? '';
    const at = found.indexOf('\r\n\r\n');
    return decoded(found.slice(0, at), found.slice(at + 4))
      .replaceAll('\r\n', '\n')
      .trim();
  };
  return { raw, text: part('text/plain'), html: part('text/html') };
}

function decoded(head: string, body: string): string {
  if (/base64/i.test(head)) return Buffer.from(body, 'base64').toString('utf8');
  if (!/quoted-printable/i.test(head)) return body;
  const joined = body.replace(/=\r\n/g, '');
  return Buffer.from(
    joined.replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  ).toString('utf8');
}
