import { buffer } from 'node:stream/consumers';
import type { Version } from '../../platform/object-store/index.js';
import type { Fault } from '../fault.js';
import { recordFile, recordNumber } from '../folder-store.js';
import { NAME } from '../record.js';
import type { RecordStore } from '../record-store.js';
import type { Carrier } from './carrier.js';

/** What lies in the object store of the records of a context. */
export interface CarriedRecords {
  /** Read only: what came first under a name is the record, whatever was put over it later. */
  readonly records: Pick<RecordStore, 'chains' | 'list' | 'read'>;
  /** When the store was given a record, by its own clock; undefined where it has none of that number. */
  takenAt(chain: string, number: number): Date | undefined;
  /** The version that is the record. */
  versionOf(chain: string, number: number): string | undefined;
  /** Records that somebody deleted: a locked version outlives that. */
  readonly hidden: readonly Fault[];
}

interface Kept {
  readonly first: Version;
  /** Versions with other bytes under the same name. */
  readonly later: readonly Version[];
}

/** Lists all that was carried, or one chain, with every version: a listing without them shows what was put over a record. */
export async function carriedRecords({ store, prefix }: Carrier, only?: string): Promise<CarriedRecords> {
  const chains = new Map<string, Map<string, Kept>>();
  const hidden: Fault[] = [];
  for (const [key, versions] of await byKey(
    store.versions(only === undefined ? prefix : `${prefix}${only}/`),
  )) {
    const [chain = '', name = '', ...deeper] = key.slice(prefix.length).split('/');
    const kept = versions.filter(({ marker }) => !marker).reverse();
    const [first] = kept;
    if (first === undefined || !NAME.test(chain) || name === '' || deeper.length > 0) continue;
    const names = chains.get(chain) ?? new Map<string, Kept>();
    names.set(name, { first, later: kept.filter(({ etag }) => etag !== first.etag) });
    chains.set(chain, names);
    const marker = versions.find(({ marker, latest }) => marker && latest);
    if (marker === undefined) continue;
    const when = marker.modified.toISOString();
    hidden.push({
      kind: 'hidden',
      chain,
      number: recordNumber(name) ?? null,
      detail: `deleted in the object store at ${when}; the version it was given first is still there`,
    });
  }
  const firstOf = (chain: string, number: number) => chains.get(chain)?.get(recordFile(number))?.first;
  return {
    hidden,
    takenAt: (chain, number) => firstOf(chain, number)?.modified,
    versionOf: (chain, number) => firstOf(chain, number)?.id,
    records: {
      chains: async () => [...chains.keys()].sort(),
      list: async (chain) => {
        const names = [...(chains.get(chain) ?? [])];
        const numbers = names.flatMap(([name]) => recordNumber(name) ?? []);
        return {
          numbers: numbers.sort((a, b) => a - b),
          others: names.flatMap(([name, { later }]) => [
            ...(recordNumber(name) === undefined ? [name] : []),
            ...later.map(({ id }) => `${name}?version=${id}`),
          ]),
        };
      },
      read: async (chain, name) => {
        const [file = '', version] = (typeof name === 'number' ? recordFile(name) : name).split('?version=');
        const id = version ?? chains.get(chain)?.get(file)?.first.id;
        if (id === undefined) return undefined;
        return await buffer(store.get(`${prefix}${chain}/${file}`, { version: id }));
      },
    },
  };
}

async function byKey(versions: AsyncIterable<Version>): Promise<Map<string, Version[]>> {
  const keys = new Map<string, Version[]>();
  for await (const version of versions) {
    const those = keys.get(version.key);
    if (those === undefined) keys.set(version.key, [version]);
    else those.push(version);
  }
  // Pages can part the versions of one key from its markers.
  for (const those of keys.values()) those.sort((a, b) => Number(b.modified) - Number(a.modified));
  return keys;
}
