import { certificateError } from '../certificate-errors.js';
import { NestctlError } from '../errors.js';
import { expired } from './credentials.js';
import { isPassing, type SdkError, statusOf } from './retry.js';
import { describeStore, endpointOf, type StoreSettings } from './settings.js';

/** What was asked of the store when it failed. */
export interface Asked {
  readonly settings: StoreSettings;
  readonly key?: string | undefined;
  /** When the credentials in use end, where they do. */
  readonly credentialsEnd?: Date | undefined;
}

/** Servers refuse a request whose time is further than this from their own, milliseconds. */
const TOLERATED_SKEW = 15 * 60_000;

/**
 * Any error of the S3 client as a plain sentence with a hint. A NestctlError passes through; what is neither
 * the store's nor the network's is a defect of ours and passes through too. Only names and numbers of the
 * server's answer are used: its text can hold access keys.
 */
export function storeError(error: unknown, asked: Asked): unknown {
  if (error instanceof NestctlError || !(error instanceof Error)) return error;
  const failed = error as SdkError;
  if (failed.name === 'AbortError') {
    return new NestctlError('Interrupted.', {
      kind: 'interrupted',
      hint: 'What the object store has already taken is kept: run the command again to go on.',
    });
  }
  return refusal(failed, asked) ?? silence(failed, asked) ?? error;
}

/** True where the server answered that the thing is not there. */
export function isAbsent(error: unknown): boolean {
  return error instanceof Error && (statusOf(error) === 404 || /^NoSuch|^NotFound$/.test(error.name));
}

/** How far this machine's clock is from the server's, as told by its answer; milliseconds, positive: ahead. */
export function clockSkew(error: SdkError, now: number = Date.now()): number {
  const server = Date.parse(error.$response?.headers?.date ?? '');
  return Number.isNaN(server) ? 0 : now - server;
}

function refusal(error: SdkError, asked: Asked): NestctlError | undefined {
  const status = statusOf(error);
  if (status === undefined || status < 300) return undefined;
  const store = describeStore(asked.settings);
  const object = asked.key === undefined ? store : `${asked.key} in ${store}`;
  const refused = (
    kind: NestctlError['kind'],
    code: string,
    message: string,
    hint?: string,
    next?: string,
  ): NestctlError => new NestctlError(message, { kind, code, hint, next });

  if (/^(RequestTimeTooSkewed|RequestExpired|RequestInTheFuture)$/.test(error.name) || skewed(error)) {
    const minutes = Math.round(clockSkew(error) / 60_000);
    const how = minutes === 0 ? 'wrong' : `${Math.abs(minutes)} minutes ${minutes > 0 ? 'fast' : 'slow'}`;
    return refused(
      'failure',
      'clock_skew',
      `This machine's clock is ${how} by the clock of the object store, which refuses its requests.`,
      'Signatures and evidence carry the time: set the clock, by NTP if possible.',
      'timedatectl status',
    );
  }
  const over = asked.credentialsEnd !== undefined && asked.credentialsEnd.getTime() <= Date.now();
  if (
    /^(ExpiredToken|ExpiredTokenException|TokenRefreshRequired)$/.test(error.name) ||
    (status === 403 && over)
  )
    return expired();
  switch (error.name) {
    case 'InvalidAccessKeyId':
    case 'SignatureDoesNotMatch':
    case 'InvalidToken':
    case 'AuthFailure':
      return refused(
        'not_allowed',
        'store_credentials_refused',
        `${store} does not accept the credentials.`,
        'Is it the right key, and its secret whole?',
      );
    case 'NoSuchBucket':
      return refused('not_found', 'bucket_unknown', `There is no bucket ${store}.`, 'Check the context.');
    case 'NoSuchUpload':
      return refused('conflict', 'upload_gone', `The store no longer knows the upload of ${object}.`);
    case 'PreconditionFailed':
      return refused('conflict', 'object_exists', `${object} is there already.`);
    case 'QuotaExceeded':
    case 'InsufficientStorage':
    case 'StorageFull':
      return refused(
        'failure',
        'store_full',
        `${store} has no room left.`,
        'Make room or raise the quota, then run the command again: what it has taken is kept.',
      );
    case 'PermanentRedirect':
    case 'AuthorizationHeaderMalformed':
    case 'IllegalLocationConstraintException':
      return refused(
        'conflict',
        'store_region_wrong',
        `The bucket ${store} is not in ${asked.settings.region}.`,
        'Set the region of the object store in the context.',
      );
  }
  if (status === 401 || status === 403) {
    return refused(
      'not_allowed',
      'store_denied',
      `The object store refuses this: ${object}.`,
      'These credentials lack the permission, or were temporary and have expired.',
    );
  }
  if (status === 404) return refused('not_found', 'object_unknown', `There is no ${object}.`);
  if (isPassing(error)) {
    const tries = error.$metadata?.attempts ?? 1;
    return refused(
      'failure',
      'store_failing',
      `${store} failed ${tries === 1 ? 'once' : `${tries} times in a row`} (${name(error)}, ${status}).`,
      'The trouble is at the store: try again later; what it has taken is kept.',
    );
  }
  return refused('failure', 'store_refused', `${store} refused this (${name(error)}, ${status}).`);
}

/** The error of a connection that could not be made or did not last. */
function silence(error: SdkError, { settings }: Asked): NestctlError | undefined {
  const code = error.code ?? '';
  const where = endpointOf(settings);
  const failure = (name: string, message: string, hint: string) =>
    new NestctlError(message, { kind: 'failure', code: name, hint });
  if (code === 'ECONNREFUSED') {
    return failure(
      'store_down',
      `No object store answers at ${where}.`,
      'Is the endpoint of the context right?',
    );
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return failure(
      'host_unknown',
      `The host of ${where} cannot be resolved.`,
      'Check the endpoint and bucket.',
    );
  }
  const refused = certificateError(error, where, {
    otherName: 'A bucket name with dots, or a private endpoint, needs path_style = true.',
    untrusted: "Name the authority's PEM file in ca_file of the object store.",
    refused: 'Is that an https endpoint?',
  });
  if (refused !== undefined) return refused;
  if (error.name === 'TimeoutError' || /^(ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/.test(code)) {
    return failure(
      'store_unreachable',
      `${where} did not answer in time.`,
      'A firewall, a VPN that is off, or a store in trouble; what it has taken is kept.',
    );
  }
  if (isPassing(error)) {
    return failure(
      'connection_lost',
      `The connection to ${where} was lost.`,
      'Run the command again; what the store has taken is kept.',
    );
  }
  return undefined;
}

/** Answers to HEAD have no body: only the clocks tell why it was refused. */
function skewed(error: SdkError): boolean {
  return statusOf(error) === 403 && Math.abs(clockSkew(error)) > TOLERATED_SKEW;
}

function name(error: SdkError): string {
  return /^[A-Za-z.]{1,60}$/.test(error.name) ? error.name : 'an unnamed error';
}
