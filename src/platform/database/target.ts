import { NestctlError } from '../errors.js';

export type SslMode = 'disable' | 'require' | 'verify-ca' | 'verify-full';

/** Where and as whom to connect. Everything but the password may be shown. */
export interface ConnectionTarget {
  /** A host name, an address, or the folder of a Unix socket (starting with `/`). */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password?: string | (() => Promise<string>) | undefined;
  /** A file in libpq's pgpass format, readable by its owner only. */
  readonly passfile?: string | undefined;
  /** Default: `verify-full`, but `disable` on a loopback address or socket. */
  readonly sslmode?: SslMode | undefined;
  /** PEM file of the authority that signed the server's certificate, where the system does not know it. */
  readonly sslrootcert?: string | undefined;
  /** The context this came from: lets an error name the command that mends it. */
  readonly context?: { readonly name: string; readonly kind: 'local' | 'server' } | undefined;
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

export function isSocket(host: string): boolean {
  return host.startsWith('/');
}

/** True where the bytes cannot leave this machine. */
export function isLoopback(host: string): boolean {
  return isSocket(host) || LOOPBACK.test(host);
}

/** The mode a target asks for. Throws `usage` where plain text would cross a network. */
export function sslModeOf(target: Pick<ConnectionTarget, 'host' | 'sslmode'>): SslMode {
  if (isSocket(target.host)) return 'disable';
  const mode = target.sslmode ?? (isLoopback(target.host) ? 'disable' : 'verify-full');
  if (mode === 'disable' && !isLoopback(target.host)) {
    throw new NestctlError(`sslmode "disable" would send personal data in clear text to ${target.host}.`, {
      kind: 'usage',
      code: 'tls_disabled',
      hint: 'Use verify-full, with sslrootcert where the server has a certificate of its own authority.',
    });
  }
  return mode;
}

/** `camille.roy@db.example.ca:5432/nestsync`, for banners and errors. */
export function describeTarget(target: ConnectionTarget): string {
  return `${target.user}@${target.host}:${target.port}/${target.database}`;
}
