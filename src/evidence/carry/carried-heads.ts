import { areHeads, type Heads } from '../../platform/signing/key-set.js';
import { readPrivateFile, replacePrivateFile } from '../../platform/signing/private-file.js';
import type { Evidence } from '../open-evidence.js';
import type { Carrier } from './carrier.js';

/** How far this console has carried the chains to this place, locked and read back. */
export async function carriedHeads({ places }: Evidence, { place }: Carrier): Promise<Heads> {
  const text = await readPrivateFile(places.carried);
  const all = text === undefined ? {} : parse(text);
  const heads = Object.hasOwn(all, place) ? all[place] : undefined;
  return areHeads(heads) ? heads : {};
}

/** Only while the evidence is locked. */
export async function rememberCarried({ places }: Evidence, { place }: Carrier, heads: Heads): Promise<void> {
  const text = await readPrivateFile(places.carried);
  const all = { ...(text === undefined ? {} : parse(text)), [place]: heads };
  await replacePrivateFile(places.carried, `${JSON.stringify(all, null, 2)}\n`);
}

/** A note that makes no sense is none: what it would spare is done again. */
function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
