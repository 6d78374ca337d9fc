import type { Context } from '../../platform/config/contexts.js';
import { residencyPolicy, storeSettings } from '../../platform/config/services.js';
import { NestctlError } from '../../platform/errors.js';
import { describeStore, type ObjectStore, openObjectStore } from '../../platform/object-store/index.js';

/**
 * Where the records of a context are carried to, out of the reach of whoever can change them here: its object store,
 * under `evidence/CONTEXT/CHAIN/000001.json`, each locked (Object Lock, compliance mode).
 */
export interface Carrier {
  readonly store: ObjectStore;
  /** Before the name of a chain. */
  readonly prefix: string;
  /** The bucket, for people, and to know it again. */
  readonly place: string;
  readonly retainDays: number;
}

/** 24 months: what PIPEDA asks of records of a breach. A compliance lock can be made longer, never shorter. */
const RETAIN_DAYS = 731;

/**
 * Work with the carrier of a context. Throws `no_object_store` where the context names none, and what
 * `openObjectStore` does.
 */
export async function withCarrier<T>(context: Context, work: (carrier: Carrier) => Promise<T>): Promise<T> {
  const carrier = await openCarrier(context);
  try {
    return await work(carrier);
  } finally {
    carrier.store.close();
  }
}

async function openCarrier(context: Context): Promise<Carrier> {
  const settings = storeSettings(context);
  if (settings === undefined) {
    throw new NestctlError(`The context "${context.name}" names no object store.`, {
      kind: 'conflict',
      code: 'no_object_store',
      hint: `Evidence is carried to a bucket with Object Lock: add [contexts.${context.name}.object_store] to the context file.`,
      next: `nestctl context show ${context.name}`,
    });
  }
  const { prefix } = settings;
  return {
    store: await openObjectStore(settings, residencyPolicy(context)),
    prefix: `evidence/${context.name}/`,
    place: `${describeStore(settings)}${prefix === '' ? '' : `, ${prefix}`}`,
    retainDays: context.evidence?.retain_days ?? RETAIN_DAYS,
  };
}
