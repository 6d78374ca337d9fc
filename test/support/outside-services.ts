import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { withConnection } from '../../src/platform/database/connection.js';
import type { ConnectionTarget } from '../../src/platform/database/target.js';

export const KEYS = { payments: 'sk_test_1', storage: 'service-role-1', email: 'hook-1' } as const;

export interface StripeCustomer {
  readonly id: string;
  readonly email: string;
  deleted: boolean;
  readonly charges: number;
}

export interface Asked {
  readonly service: keyof typeof KEYS;
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

/** What an answer is held up by, or replaced with. */
export type Trouble = (asked: Asked, when: 'before' | 'after') => Promise<Reply | undefined>;

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A string is sent as it is. */
  readonly body?: unknown;
}

/** Stripe, Supabase Storage and a service of ours, as far as an erasure asks them: they do what they are asked. */
export interface OutsideServices {
  readonly url: string;
  readonly customers: Map<string, StripeCustomer>;
  readonly asked: Asked[];
  /** The people that our own service has erased, by its Idempotency-Key. */
  readonly erased: Map<string, unknown>;
  trouble: Trouble | undefined;
  /** For a context file. */
  settings(context: string): string;
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** `storage`: the superuser of the database whose storage.objects it keeps. */
export async function startOutsideServices(storage: ConnectionTarget): Promise<OutsideServices> {
  const customers: OutsideServices['customers'] = new Map();
  const erased: OutsideServices['erased'] = new Map();
  const asked: Asked[] = [];
  const reply = async (request: Asked): Promise<Reply> => {
    if (request.headers.authorization !== `Bearer ${KEYS[request.service]}`)
      return { status: 401, body: { error: { type: 'invalid_request_error' } } };
    if (request.service === 'payments') return stripe(customers, request);
    if (request.service === 'storage') return await deleteFiles(storage, request);
    const key = String(request.headers['idempotency-key']);
    if (!erased.has(key)) erased.set(key, request.body);
    return { status: 200, body: { outcome: 'erased', reference: `job ${erased.size}` } };
  };
  const services: OutsideServices = {
    ...{ customers, erased, asked, trouble: undefined },
    url: '',
    settings: (context) =>
      [
        `[contexts.${context}.outside.payments]`,
        ...['adapter = "stripe"', `url = "${services.url}/payments"`, 'key_env = "STRIPE_KEY"'],
        `[contexts.${context}.outside.storage]`,
        ...['adapter = "supabase-storage"', `url = "${services.url}/storage"`, 'key_env = "STORAGE_KEY"'],
        `[contexts.${context}.outside.email]`,
        ...['adapter = "webhook"', `url = "${services.url}/email"`, 'key_env = "HOOK_KEY"'],
      ].join('\n'),
    env: { STRIPE_KEY: KEYS.payments, STORAGE_KEY: KEYS.storage, HOOK_KEY: KEYS.email },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const [, service = '', path = ''] = /^\/(\w+)(.*)$/.exec(request.url ?? '') ?? [];
    const sent = Buffer.concat(await request.toArray()).toString();
    const one: Asked = {
      ...{ service: service as Asked['service'], path, headers: request.headers },
      method: request.method ?? '',
      body: sent === '' ? undefined : JSON.parse(sent),
    };
    asked.push(one);
    const instead = await services.trouble?.(one, 'before');
    const done = instead ?? (await reply(one));
    const { status, headers = {}, body } = (await services.trouble?.(one, 'after')) ?? done;
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body));
  };
  const server = createServer((request, response) => {
    // Whoever asked may have been killed.
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(services, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

/** As https://docs.stripe.com/api/customers tells: a deleted customer is still found, as deleted. */
function stripe(customers: Map<string, StripeCustomer>, { method, path, headers }: Asked): Reply {
  const { pathname, searchParams } = new URL(path, 'http://stripe');
  const list = (data: readonly unknown[]): Reply => ({
    status: 200,
    body: { object: 'list', url: pathname, has_more: false, data },
  });
  if (headers['stripe-version'] === undefined) return { status: 400, body: { error: {} } };
  if (pathname === '/v1/charges') {
    const { charges = 0 } = customers.get(searchParams.get('customer') ?? '') ?? {};
    return list(charges > 0 ? [{ id: 'ch_1', object: 'charge' }] : []);
  }
  if (pathname === '/v1/customers') {
    const email = searchParams.get('email');
    return list([...customers.values()].filter((one) => one.email === email && !one.deleted));
  }
  const id = decodeURIComponent(pathname.replace('/v1/customers/', ''));
  const customer = customers.get(id);
  if (customer === undefined)
    return {
      status: 404,
      body: { error: { code: 'resource_missing', param: 'id', type: 'invalid_request_error' } },
    };
  if (method === 'DELETE') customer.deleted = true;
  const { email, deleted } = customer;
  return {
    status: 200,
    headers: { 'request-id': `req_${customers.size}Kx` },
    body: deleted ? { id, object: 'customer', deleted } : { id, object: 'customer', email },
  };
}

/** As storage-api does it: the rows of exactly these names go, and are returned. */
async function deleteFiles(storage: ConnectionTarget, { path, body }: Asked): Promise<Reply> {
  const bucket = decodeURIComponent(path.replace('/storage/v1/object/', ''));
  const { prefixes } = body as { prefixes: string[] };
  const gone = await withConnection(
    storage,
    (connection) =>
      connection.query(
        'delete from storage.objects where bucket_id = $1 and name = any ($2) returning bucket_id, name',
        [bucket, prefixes],
      ),
    { settings: { 'storage.allow_delete_query': 'true' } },
  );
  return { status: 200, body: gone };
}
