import type { Head, Heads, KeySet } from '../platform/signing/key-set.js';
import type { RecordStore } from './record-store.js';
import { type ChainReport, type KeptChain, verifyChain } from './verify-chain.js';

/** Verifies some chains of a store, all when `only` is absent, and those that are gone though they were seen. */
export async function verifyRecords(
  store: Pick<RecordStore, 'chains' | 'list' | 'read'>,
  options: {
    readonly keySet: KeySet;
    /** Heads from elsewhere; several of one chain are all asked for. */
    readonly known?: readonly Heads[];
    readonly only?: readonly string[] | undefined;
  },
): Promise<ChainReport[]> {
  const { keySet, only } = options;
  const known = [...(options.known ?? []), ...headsAtRetirement(keySet)];
  const names = new Set([...(await store.chains()), ...known.flatMap(Object.keys)]);
  const reports: ChainReport[] = [];
  for (const chain of [...names].sort()) {
    if (only !== undefined && !only.includes(chain)) continue;
    const heads = known.flatMap((each): Head[] => {
      const head = Object.hasOwn(each, chain) ? each[chain] : undefined;
      return head === undefined ? [] : [head];
    });
    reports.push(verifyChain(await readChain(store, chain), keySet, heads));
  }
  return reports;
}

/** A chain that is gone altogether names no context any more: told only where the set knows a single one. */
function headsAtRetirement({ keys }: KeySet): Heads[] {
  const contexts = new Set(keys.flatMap(({ heads = {} }) => Object.keys(heads)));
  return contexts.size === 1 ? keys.flatMap(({ heads = {} }) => Object.values(heads)) : [];
}

async function readChain(store: Pick<RecordStore, 'list' | 'read'>, chain: string): Promise<KeptChain> {
  const { numbers, others } = await store.list(chain);
  const read = async (name: number | string) => (await store.read(chain, name)) ?? Buffer.alloc(0);
  const records: { number: number; bytes: Buffer }[] = [];
  for (const number of numbers) records.push({ number, bytes: await read(number) });
  const strays: { name: string; bytes: Buffer }[] = [];
  for (const name of others) strays.push({ name, bytes: await read(name) });
  return { chain, records, others: strays };
}
