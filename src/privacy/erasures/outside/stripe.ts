import { NestctlError } from '../../../platform/errors.js';
import { type Call, call, type Service } from '../../../platform/http/index.js';
import type { OutsideAdapter, OutsideErasure } from './adapter.js';

/** The shapes that are read here; an account's own default may be another. */
const VERSION = { 'stripe-version': '2024-06-20' };

interface Customer {
  readonly deleted?: boolean;
}
interface List {
  readonly data: readonly unknown[];
}

/**
 * Stripe: deletes the customers that we know, which ends their subscriptions. Charges and invoices stay there under the
 * processor's own obligations, and are told as kept. Another customer with their address is reported, never deleted: it may be
 * somebody's who came later. https://docs.stripe.com/api/customers/delete
 */
export const stripe =
  (service: Service): OutsideAdapter =>
  async ({ handles, signal }) => {
    const ask = async <T>(path: string, more: Partial<Call> = {}) => {
      const asked: Call = { method: 'GET', path, headers: VERSION, expects: [404], signal, ...more };
      const { status, headers, body } = await call(service, asked);
      return { found: status === 404 ? undefined : (body as T), id: headers.get('request-id') };
    };
    const references: string[] = [];
    let kept = false;
    const customers = named(handles, 'customer');
    for (const customer of customers) {
      const path = `/v1/customers/${encodeURIComponent(customer)}`;
      const { found } = await ask<Customer>(path);
      // It remembers those that were deleted: one that it never knew is another account's.
      if (found === undefined) throw unknown(service);
      const charges = await ask<List>(`/v1/charges?${new URLSearchParams({ customer, limit: '1' })}`);
      kept ||= (charges.found?.data.length ?? 0) > 0;
      if (found.deleted !== true) {
        const deleted = await ask<Customer>(path, { method: 'DELETE' });
        references.push(deleted.id ?? 'deleted');
      }
      if ((await ask<Customer>(path)).found?.deleted !== true) throw left(service);
    }
    // It tells capitals apart where an address is asked for.
    const addresses = named(handles, 'address').flatMap((address) => [address, address.toLowerCase()]);
    for (const email of new Set(addresses)) {
      const { found } = await ask<List>(`/v1/customers?${new URLSearchParams({ email, limit: '1' })}`);
      if (found === undefined || found.data.length > 0) throw left(service);
    }
    return {
      outcome: kept ? 'kept' : customers.length > 0 ? 'erased' : 'not_held',
      reference: references.join(' ') || (customers.length > 0 ? 'deleted before' : 'no customer'),
    };
  };

const named = (handles: OutsideErasure['handles'], names: string) =>
  handles.filter((handle) => handle.names === names).map(({ value }) => value);

const left = ({ name }: Service) =>
  new NestctlError(`${name} still has a customer of theirs, or another one with their address.`, {
    kind: 'partial',
    code: 'outside_left',
    hint: 'Look there whose it is, and run the erasure again.',
  });

const unknown = ({ name }: Service) =>
  new NestctlError(`${name} knows no customer with the number that stands here.`, {
    kind: 'partial',
    code: 'outside_unknown',
    hint: 'See whether the key is that of the right account, and no test key.',
    next: 'nestctl context show',
  });
