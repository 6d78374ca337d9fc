import { setTimeout as sleep } from 'node:timers/promises';
import { isLoopback } from '../database/target.js';
import { NestctlError } from '../errors.js';

/** A service that answers in JSON, and how we are let in there. */
export interface Service {
  /** How errors name it: `the processor of payments`. */
  readonly name: string;
  /** Where its paths begin, without a slash at the end. */
  readonly url: string;
  /** Sent as a bearer; read once for each call, never kept. */
  readonly key: () => Promise<string>;
}

export interface Call {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With its query, beginning with a slash, or empty. */
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Statuses that are an answer and no failure, besides 2xx. */
  readonly expects?: readonly number[];
  readonly signal?: AbortSignal | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** As parsed; null where there is none. */
  readonly body: unknown;
}

export interface Timings {
  /** How often a call is tried in all. */
  readonly attempts: number;
  /** The first wait between two, milliseconds; it doubles. */
  readonly wait: number;
  /** What one try may take, milliseconds. */
  readonly limit: number;
}

export const TIMINGS: Timings = { attempts: 4, wait: 500, limit: 30_000 };
const LONGEST_WAIT = 30_000;

/**
 * Asks a service, again where it is only busy: every call has to be one that may be made twice. Follows no redirect, so that the
 * key goes nowhere else. Throws `service_unreachable`, `service_failing`, `service_refused_key`, `service_refused` and
 * `service_garbled`; none of them repeats what was sent or answered.
 */
export async function call(service: Service, asked: Call, timings: Timings = TIMINGS): Promise<Answer> {
  refuseClearText(service);
  const key = await service.key();
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await attemptCall(service, asked, key, timings).catch((error: unknown) => error);
    asked.signal?.throwIfAborted();
    const response = outcome instanceof Response ? outcome : undefined;
    const passing = response === undefined || response.status === 429 || response.status >= 500;
    if (passing && attempt < timings.attempts) {
      await response?.body?.cancel();
      await sleep(pause(attempt, response, timings), undefined, { signal: asked.signal });
      continue;
    }
    if (response === undefined) throw unreachable(service, outcome);
    return await answerOf(service, response, asked.expects ?? []);
  }
}

async function attemptCall(
  service: Service,
  { method, path, body, headers, signal }: Call,
  key: string,
  { limit }: Timings,
): Promise<Response> {
  const overdue = AbortSignal.timeout(limit);
  return await fetch(`${service.url}${path}`, {
    method,
    redirect: 'manual',
    headers: {
      authorization: `Bearer ${key}`,
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    body: body === undefined ? null : JSON.stringify(body),
    signal: signal === undefined ? overdue : AbortSignal.any([signal, overdue]),
  });
}

function pause(attempt: number, response: Response | undefined, { wait }: Timings): number {
  const told = Number(response?.headers.get('retry-after')) * 1000;
  return Math.min(LONGEST_WAIT, told > 0 ? told : wait * 2 ** (attempt - 1));
}

async function answerOf({ name }: Service, response: Response, expects: readonly number[]): Promise<Answer> {
  const { status, headers } = response;
  if (!response.ok && !expects.includes(status)) {
    await response.body?.cancel();
    if (status === 401 || status === 403)
      throw new NestctlError(`${name} refuses our key (${status}).`, {
        kind: 'not_allowed',
        code: 'service_refused_key',
        hint: 'It may have expired, or lack a right: see where the context takes it from.',
        next: 'nestctl context show',
      });
    throw status === 429 || status >= 500
      ? new NestctlError(`${name} does not manage at the moment (${status}).`, {
          kind: 'failure',
          code: 'service_failing',
          hint: 'Run it again later: what is done is not done twice.',
        })
      : new NestctlError(`${name} refuses what was asked (${status}).`, {
          kind: 'failure',
          code: 'service_refused',
          hint: 'See whether the URL in the context is the right one.',
          next: 'nestctl context show',
        });
  }
  let text: string;
  try {
    text = await response.text();
  } catch (error) {
    throw unreachable({ name }, error);
  }
  try {
    return { status, headers, body: text === '' ? null : JSON.parse(text) };
  } catch {
    throw new NestctlError(`${name} answers something else than JSON.`, {
      kind: 'failure',
      code: 'service_garbled',
      hint: 'See whether the URL in the context is the right one.',
      next: 'nestctl context show',
    });
  }
}

function unreachable({ name }: Pick<Service, 'name'>, error: unknown): NestctlError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = (cause as { code?: unknown })?.code;
  const why =
    error instanceof Error && error.name === 'TimeoutError'
      ? 'it did not answer in time'
      : typeof code === 'string'
        ? code
        : 'the connection broke';
  return new NestctlError(`${name} cannot be reached: ${why}.`, {
    kind: 'failure',
    code: 'service_unreachable',
    hint: 'Run it again later: what is done is not done twice.',
  });
}

function refuseClearText({ name, url }: Service): void {
  const { protocol, hostname } = new URL(url);
  if (protocol === 'https:' || isLoopback(hostname.replace(/^\[|\]$/g, ''))) return;
  throw new NestctlError(`${name} is named with http: what is sent there could be read by anybody.`, {
    kind: 'usage',
    code: 'tls_disabled',
    hint: 'Give an https URL.',
  });
}
