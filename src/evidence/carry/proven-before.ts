import type { Context } from '../../platform/config/contexts.js';
import { NestctlError } from '../../platform/errors.js';
import type { Heads } from '../../platform/signing/key-set.js';
import { withCarrier } from './carrier.js';
import { headsBefore } from './verify-carried.js';

/**
 * What the object store of a context had been given before a time, or a sentence why that cannot be said: a theft is
 * reported also where the store does not answer, and reported again it can be proven. Neither where the context names
 * no store.
 */
export async function provenBefore(
  context: Context,
  time: Date | undefined,
): Promise<{ readonly proven?: Heads; readonly problem?: string }> {
  if (context.object_store === undefined || time === undefined) return {};
  try {
    return { proven: await withCarrier(context, (carrier) => headsBefore(carrier, time)) };
  } catch (error) {
    if (error instanceof NestctlError) return { problem: error.message };
    throw error;
  }
}
