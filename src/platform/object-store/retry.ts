import type { S3ClientConfig } from '@aws-sdk/client-s3';

export interface RetryTimings {
  /** How often a request is tried in all. */
  readonly attempts: number;
  /** The longest first wait, milliseconds; it doubles with each attempt. */
  readonly firstWait: number;
}

const LONGEST_WAIT = 20_000;
const PASSING_NAMES = new Set([
  ...['SlowDown', 'ServiceUnavailable', 'InternalError'],
  ...['RequestTimeout', 'TimeoutError', 'Throttling', 'ThrottlingException', 'TooManyRequestsException'],
]);
const PASSING_CODES = new Set([
  ...['ECONNRESET', 'ECONNREFUSED', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN'],
  ...['EHOSTUNREACH', 'ENETUNREACH', 'ERR_STREAM_PREMATURE_CLOSE'],
]);

/** What the SDK throws, as far as it is used. */
export interface SdkError extends Error {
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number };
  readonly $response?: {
    readonly statusCode?: number;
    readonly headers?: Readonly<Record<string, string>>;
  };
}

/** The status that the server answered with, if it answered. */
export function statusOf(error: SdkError): number | undefined {
  return error.$metadata?.httpStatusCode ?? error.$response?.statusCode;
}

/**
 * Whether the same request may well succeed a little later: the server's own trouble, its wish for us to slow
 * down, and a network that let go. What it refuses for good, any other 4xx, is not.
 */
export function isPassing(error: SdkError): boolean {
  if (PASSING_NAMES.has(error.name)) return true;
  const status = statusOf(error);
  if (status !== undefined && status >= 400) return (status >= 500 && status !== 501) || status === 429;
  return (error.code !== undefined && PASSING_CODES.has(error.code)) || error.message === 'aborted';
}

/** The wait before try number `attempt` (1 is the first repetition), milliseconds: exponential, full jitter. */
export function waitBefore(
  attempt: number,
  timings: RetryTimings,
  random: () => number = Math.random,
): number {
  return Math.round(random() * Math.min(LONGEST_WAIT, timings.firstWait * 2 ** (attempt - 1)));
}

/**
 * The SDK's own strategy also repeats requests that were refused for a wrong clock, and shares a budget that a
 * long upload uses up.
 */
export function retryStrategy(timings: RetryTimings): NonNullable<S3ClientConfig['retryStrategy']> {
  const token = (count: number, wait: number) => ({ getRetryCount: () => count, getRetryDelay: () => wait });
  return {
    acquireInitialRetryToken: async () => token(0, 0),
    refreshRetryTokenForRetry: async (before, { error, retryAfterHint }) => {
      const attempt = before.getRetryCount() + 1;
      if (attempt >= timings.attempts || error === undefined || !isPassing(error as SdkError)) throw error;
      const asked = Math.min(LONGEST_WAIT, (retryAfterHint?.getTime() ?? 0) - Date.now());
      return token(attempt, Math.max(asked, waitBefore(attempt, timings)));
    },
    recordSuccess: () => undefined,
  };
}
