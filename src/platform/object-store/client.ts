import { readFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import type * as Sdk from '@aws-sdk/client-s3';
import { isLoopback } from '../database/target.js';
import { NestctlError } from '../errors.js';
import { readCredentials } from './credentials.js';
import { type RetryTimings, retryStrategy } from './retry.js';
import { endpointOf, type StoreSettings } from './settings.js';
import { storeError } from './store-errors.js';

export interface Timings extends RetryTimings {
  /** A connection on which nothing moves for so long is given up, milliseconds. */
  readonly idle: number;
}

export const TIMINGS: Timings = { attempts: 6, firstWait: 400, idle: 30_000 };

const nothing = (): void => undefined;
/** Else the SDK warns on the console, whose output is the command's. */
const SILENT = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** The SDK's client for one bucket, with our retries, and errors as sentences. */
export interface Client {
  readonly sdk: typeof Sdk;
  readonly s3: Sdk.S3Client;
  readonly settings: StoreSettings;
  readonly timings: Timings;
  /** Runs one request; throws NestctlErrors only. */
  run<T>(
    work: (s3: Sdk.S3Client, how: { abortSignal?: AbortSignal }) => Promise<T>,
    key?: string,
    signal?: AbortSignal,
  ): Promise<T>;
  /** An error of the SDK, caught outside of `run`, as ours. */
  explain(error: unknown, key?: string): unknown;
  /** When the credentials in use end, where they do. */
  credentialsEnd(): Date | undefined;
}

/** Loads the SDK, which takes longer than all the rest of a command. Throws `tls_disabled`. */
export async function makeClient(settings: StoreSettings, timings: Timings): Promise<Client> {
  refuseClearText(settings);
  // Its remark on the age of Node would stand between our messages.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  const sdk = await import('@aws-sdk/client-s3');
  let end: Date | undefined;
  const s3 = new sdk.S3Client({
    region: settings.region,
    endpoint: endpointOf(settings),
    forcePathStyle: settings.pathStyle,
    // AWS_ENDPOINT_URL would lead past the endpoint of the context.
    ignoreConfiguredEndpointUrls: true,
    followRegionRedirects: false,
    credentials: async () => {
      const found = await readCredentials(settings.credentials);
      end = found.expiration;
      return found;
    },
    retryStrategy: retryStrategy(timings),
    // We send SHA-256 ourselves and read it back; stores that are not Amazon's do not know the CRC trailers.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: Math.min(10_000, timings.idle),
      socketTimeout: timings.idle,
      ...(settings.caFile === undefined
        ? {}
        : { httpsAgent: new Agent({ keepAlive: true, ca: await readAuthority(settings.caFile) }) }),
    },
    logger: SILENT,
  });
  const explain = (error: unknown, key?: string) => storeError(error, { settings, key, credentialsEnd: end });
  return {
    sdk,
    s3,
    settings,
    timings,
    explain,
    run: async (work, key, signal) => {
      try {
        return await work(s3, signal === undefined ? {} : { abortSignal: signal });
      } catch (error) {
        throw explain(error, key);
      }
    },
    credentialsEnd: () => end,
  };
}

function refuseClearText(settings: StoreSettings): void {
  const { protocol, hostname } = new URL(endpointOf(settings));
  if (protocol === 'https:' || isLoopback(hostname.replace(/^\[|\]$/g, ''))) return;
  throw new NestctlError(`The endpoint of the object store, ${hostname}, would be sent data in clear text.`, {
    kind: 'usage',
    code: 'tls_disabled',
    hint: 'Use https, with ca_file where its certificate is from an authority of its own.',
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
