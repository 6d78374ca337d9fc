import type { Context } from '../../platform/config/contexts.js';
import { NestctlError } from '../../platform/errors.js';
import { lockMissing } from '../../platform/object-store/index.js';
import { type Appended, appendRecord, type Draft } from '../append-record.js';
import { recordFile } from '../folder-store.js';
import type { Evidence } from '../open-evidence.js';
import type { RecordStore } from '../record-store.js';
import { carriedRecords } from './carried-records.js';
import { type Carrier, withCarrier } from './carrier.js';
import { carriedDiffers } from './carry-evidence.js';

/**
 * As appendRecord, for a chain that all consoles of a context write: where the context names an object store the record is
 * first kept there, locked, under the next number that none has taken, and then here. Throws what appendRecord does,
 * `lock_missing`, `carried_differs`, and what the object store does; the record is then nowhere, or in both places once this
 * is called again.
 */
export async function appendShared(evidence: Evidence, context: Context, draft: Draft): Promise<Appended> {
  if (context.object_store === undefined) return await appendRecord(evidence, draft);
  return await withSharedStore(evidence, context, draft.chain, (store) =>
    appendRecord({ ...evidence, store }, draft),
  );
}

/** Brings here what other consoles wrote into a chain, and there what was never carried. */
export async function shareChain(evidence: Evidence, context: Context, chain: string): Promise<void> {
  if (context.object_store !== undefined)
    await withSharedStore(evidence, context, chain, async () => undefined);
}

async function withSharedStore<T>(
  evidence: Evidence,
  context: Context,
  chain: string,
  work: (store: RecordStore) => Promise<T>,
): Promise<T> {
  return await withCarrier(context, async (carrier) => {
    if ((await carrier.store.takesLocks()) === false)
      throw lockMissing(`What is carried to ${carrier.place}`, 'Nothing was sent.');
    await mirror(evidence.store, carrier, chain);
    return await work({
      ...evidence.store,
      add: async (name, number, bytes) => {
        if (await send(carrier, name, number, bytes)) {
          // It may have been fetched here meanwhile.
          await evidence.store.add(name, number, bytes);
          return true;
        }
        // Another console's: what it wrote is what the next one follows.
        await mirror(evidence.store, carrier, name);
        return false;
      },
    });
  });
}

/** Makes both have all records of a chain; which of them came first is for their hashes to tell. */
async function mirror(local: RecordStore, carrier: Carrier, chain: string): Promise<void> {
  const here = (await local.list(chain)).numbers;
  const { records } = await carriedRecords(carrier, chain);
  const there = (await records.list(chain)).numbers;
  const requireSame = async (number: number, carried = records) => {
    const [ours, theirs] = [await local.read(chain, number), await carried.read(chain, number)];
    if (ours === undefined || theirs?.equals(ours) !== true) throw carriedDiffers(chain, number);
  };
  const known = new Set(here);
  for (const number of there.filter((each) => !known.has(each))) {
    const bytes = await records.read(chain, number);
    if (bytes !== undefined) await local.add(chain, number, bytes);
  }
  const last = Math.min(here.at(-1) ?? 0, there.at(-1) ?? 0);
  if (last > 0) await requireSame(last);
  const carried = new Set(there);
  for (const number of here.filter((each) => !carried.has(each))) {
    const bytes = await local.read(chain, number);
    if (bytes !== undefined && !(await send(carrier, chain, number, bytes)))
      await requireSame(number, (await carriedRecords(carrier, chain)).records);
  }
}

/** False where the number is taken there. */
async function send(carrier: Carrier, chain: string, number: number, bytes: Buffer): Promise<boolean> {
  const { store, prefix, retainDays } = carrier;
  const key = `${prefix}${chain}/${recordFile(number)}`;
  try {
    const { version } = await store.put(key, bytes, { ifAbsent: true, contentType: 'application/json' });
    // Some stores let two through that come at once: the first is the record, and what is not locked yet can go again.
    const first = (await carriedRecords(carrier, chain)).versionOf(chain, number);
    if (version !== null && version !== first) {
      await store.removeVersion(key, version);
      return false;
    }
    await store.retain(key, new Date(Date.now() + retainDays * 86_400_000), version ?? undefined);
    return true;
  } catch (error) {
    if (error instanceof NestctlError && error.code === 'object_exists') return false;
    throw error;
  }
}
