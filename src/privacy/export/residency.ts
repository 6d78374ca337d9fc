import { setTimeout as wait } from 'node:timers/promises';
import { type Context, operatorTarget } from '../../platform/config/contexts.js';
import { exportStoreSettings, residencyPolicy, storeSettings } from '../../platform/config/services.js';
import { NestctlError } from '../../platform/errors.js';
import { findBucketRegion, type StoreSettings } from '../../platform/object-store/index.js';
import { allowsRegion, type ResidencyPolicy } from '../../platform/residency-policy.js';

/** Where one of the places lies in which a person's data is kept, as far as it was measured. */
export interface MeasuredPlace {
  readonly place: 'database' | 'package_store' | 'archive_store';
  /** null: unknown. */
  readonly region: string | null;
  /** Whether the residency policy allows it; null where it is unknown. */
  readonly allowed: boolean | null;
  /** How it was found out; null where it was not. */
  readonly how: 'pooler_name' | 'bucket_head' | null;
  /** Why not; null where it was. */
  readonly why: 'host_tells_nothing' | 'store_does_not_tell' | 'store_does_not_answer' | null;
}

/** The pooler of Supabase: provider, a number that is not always the same, region. */
const POOLER = /^[a-z]+-\d+-([a-z0-9-]+)\.pooler\.supabase\.com$/;
const PATIENCE = 10_000;
const TIMINGS = { attempts: 2, firstWait: 400, idle: 5_000 };

/** Measures the places of a context, each within ten seconds. What cannot be found out is unknown, never a fault. */
export async function measureResidency(context: Context): Promise<readonly MeasuredPlace[]> {
  const policy = residencyPolicy(context);
  const stores = [
    ['package_store', context.export_store === undefined ? undefined : exportStoreSettings(context)],
    ['archive_store', storeSettings(context)],
  ] as const;
  return await Promise.all([
    measureDatabase(operatorTarget(context).host, policy),
    ...stores.flatMap(([place, settings]) =>
      settings === undefined ? [] : [measureStore(place, settings, policy)],
    ),
  ]);
}

export function measureDatabase(host: string, policy: ResidencyPolicy): MeasuredPlace {
  const region = POOLER.exec(host.toLowerCase())?.[1];
  return region === undefined
    ? unknown('database', 'host_tells_nothing')
    : { place: 'database', region, allowed: allowsRegion(policy, region), how: 'pooler_name', why: null };
}

async function measureStore(
  place: MeasuredPlace['place'],
  settings: StoreSettings,
  policy: ResidencyPolicy,
): Promise<MeasuredPlace> {
  const late = new AbortController();
  const asked = findBucketRegion(settings, TIMINGS).catch((error: unknown) => {
    if (error instanceof NestctlError) return null;
    throw error;
  });
  const told = await Promise.race([asked, wait(PATIENCE, null, { signal: late.signal }).catch(() => null)]);
  late.abort();
  if (told === null) return unknown(place, 'store_does_not_answer');
  if (told === undefined) return unknown(place, 'store_does_not_tell');
  return { place, region: told, allowed: allowsRegion(policy, told), how: 'bucket_head', why: null };
}

const unknown = (place: MeasuredPlace['place'], why: NonNullable<MeasuredPlace['why']>): MeasuredPlace => ({
  ...{ place, region: null, allowed: null, how: null, why },
});
