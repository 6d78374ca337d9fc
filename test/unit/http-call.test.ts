import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { call, type Service, type Timings } from '../../src/platform/http/index.js';

const TIMINGS: Timings = { attempts: 3, wait: 5, limit: 200 };

async function serving(listener: RequestListener): Promise<Service & { readonly asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    listener(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api`;
  return { asked, url, name: 'the service', key: async () => 'secret-1' };
}

const get = { method: 'GET', path: '/one' } as const;

test('sends the key and the body, and gives what is answered', async () => {
  const service = await serving((request, response) => {
    const { authorization, 'content-type': type, 'idempotency-key': once } = request.headers;
    response.writeHead(201, { 'x-id': '7' }).end(JSON.stringify({ authorization, type, once }));
  });
  const headers = { 'idempotency-key': 'a:b' };
  const answer = await call(
    service,
    { method: 'POST', path: '/one?a=1', body: { a: 'é' }, headers },
    TIMINGS,
  );
  expect(answer).toMatchObject({
    status: 201,
    body: { authorization: 'Bearer secret-1', type: 'application/json', once: 'a:b' },
  });
  expect(answer.headers.get('x-id')).toBe('7');
  expect(service.asked).toEqual(['POST /api/one?a=1']);
});

test('an empty answer is null, and a status that is expected is no failure', async () => {
  const service = await serving((_, response) => response.writeHead(404).end());
  expect(await call(service, { ...get, expects: [404] }, TIMINGS)).toMatchObject({ status: 404, body: null });
});

describe('what is only busy is asked again', () => {
  test.each([429, 500, 503])('%i, twice', async (status) => {
    let times = 0;
    const service = await serving((_, response) => {
      times += 1;
      response.writeHead(times < 3 ? status : 200).end('{}');
    });
    expect((await call(service, get, TIMINGS)).status).toBe(200);
    expect(service.asked).toHaveLength(3);
  });

  test('as late as it says', async () => {
    let times = 0;
    const service = await serving((_, response) => {
      times += 1;
      response.writeHead(times < 2 ? 429 : 200, { 'retry-after': '1' }).end('{}');
    });
    const begun = performance.now();
    await call(service, get, TIMINGS);
    expect(performance.now() - begun).toBeGreaterThan(900);
  });

  test('and one that breaks off', async () => {
    let times = 0;
    const service = await serving((request, response) => {
      times += 1;
      if (times < 3) request.socket.destroy();
      else response.end('{}');
    });
    expect((await call(service, get, TIMINGS)).status).toBe(200);
  });
});

describe('is given up with a sentence that repeats nothing of what was sent or answered', () => {
  const cases: Record<string, [RequestListener, { code: string; kind: string }, number]> = {
    'a key that is refused': [
      (_, response) => response.writeHead(401).end('secret-1'),
      { code: 'service_refused_key', kind: 'not_allowed' },
      1,
    ],
    'a refusal': [
      (_, response) => response.writeHead(400).end('Marie'),
      { code: 'service_refused', kind: 'failure' },
      1,
    ],
    'a redirect, which is not followed': [
      (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end(),
      { code: 'service_refused', kind: 'failure' },
      1,
    ],
    'no JSON': [
      (_, response) => response.end('<html>Marie'),
      { code: 'service_garbled', kind: 'failure' },
      1,
    ],
    'trouble that does not pass': [
      (_, response) => response.writeHead(503).end('Marie'),
      { code: 'service_failing', kind: 'failure' },
      3,
    ],
    silence: [() => undefined, { code: 'service_unreachable', kind: 'failure' }, 3],
  };
  test.each(Object.entries(cases))('%s', async (_, [listener, error, times]) => {
    const service = await serving(listener);
    const failure = await call(service, { ...get, path: '/Marie' }, TIMINGS).catch((thrown) => thrown);
    expect(failure).toMatchObject(error);
    expect(`${failure.message} ${failure.hint}`).not.toMatch(/Marie|secret-1/);
    expect(service.asked).toHaveLength(times);
  });

  test('nobody there', async () => {
    const service: Service = { name: 'it', url: 'http://127.0.0.1:9', key: async () => 'k' };
    const failure = call(service, get, TIMINGS);
    await expect(failure).rejects.toMatchObject({
      code: 'service_unreachable',
      message: /ECONNREFUSED|bad port/,
    });
  });
});

test('nothing is sent over a network in clear text', async () => {
  const service: Service = { name: 'it', url: 'http://example.ca', key: async () => 'k' };
  await expect(call(service, get, TIMINGS)).rejects.toMatchObject({ code: 'tls_disabled' });
});

test('interrupted, it ends at once', async () => {
  const service = await serving(() => undefined);
  const over = new AbortController();
  setTimeout(() => over.abort(), 50);
  const begun = performance.now();
  await expect(
    call(service, { ...get, signal: over.signal }, { ...TIMINGS, limit: 10_000 }),
  ).rejects.toThrow();
  expect(performance.now() - begun).toBeLessThan(2_000);
});
