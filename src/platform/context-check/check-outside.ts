import type { Context } from '../config/contexts.js';
import { outsideServices } from '../config/services.js';
import { type Finding, finding } from '../doctor/finding.js';
import { call } from '../http/index.js';
import { attempt } from './attempt.js';

/** What changes nothing there and wants our key; of a service of our own nothing is known that does. */
const HARMLESS: Readonly<Record<string, string>> = {
  stripe: '/v1/customers?limit=1',
  'supabase-storage': '/storage/v1/bucket',
};

/** Whether those outside who are asked to erase somebody let us in. */
export async function checkOutside(context: Context): Promise<Finding[]> {
  const services = Object.entries(outsideServices(context));
  const parts = await Promise.all(
    services.map(([recipient, service]) =>
      attempt(`outside ${recipient}`, async () => {
        const path = HARMLESS[service.adapter];
        const object = service.url;
        if (path === undefined) {
          await service.key();
          const unasked = 'not asked: whatever it is sent it takes for an erasure';
          return [finding(`outside ${recipient}`, 'info', unasked, { object })];
        }
        await call(service, { method: 'GET', path });
        return [finding(`outside ${recipient}`, 'ok', 'lets us in', { object })];
      }),
    ),
  );
  return parts.length > 0
    ? parts.flat()
    : [finding('outside', 'info', 'none is named: what others hold of somebody erased is settled by hand')];
}
