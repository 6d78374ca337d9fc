import type { Context } from '../../../platform/config/contexts.js';
import { type OutsideService, outsideServices } from '../../../platform/config/services.js';
import type { OutsideAdapter } from './adapter.js';

const KINDS: Readonly<
  Record<OutsideService['adapter'], () => Promise<(service: OutsideService) => OutsideAdapter>>
> = {
  stripe: async () => (await import('./stripe.js')).stripe,
  'supabase-storage': async () => (await import('./supabase-storage.js')).supabaseStorage,
  webhook: async () => (await import('./webhook.js')).webhook,
};

/** The adapter of somebody outside; undefined where the context names none, and somebody has to write to them. */
export async function adapterFor(context: Context, recipient: string): Promise<OutsideAdapter | undefined> {
  const service = outsideServices(context)[recipient];
  return service === undefined ? undefined : (await KINDS[service.adapter]())(service);
}
