import { open } from 'node:fs/promises';
import { encryptionOf } from '../../platform/age-head.js';
import type { KeySet } from '../../platform/signing/key-set.js';
import { endOf, LONGEST_END, type PackageRefusal, verifyPackage } from '../proof/verify-package.js';
import type { Checked } from './checked.js';

/** A package of a person by itself, encrypted or not; undefined where the file is neither. */
export async function verifyPackageFile(path: string, keySet: KeySet): Promise<Checked | undefined> {
  const encryption = await encryptionOf(path);
  if (encryption === 'damaged')
    return faulty(path, {
      kind: 'edited',
      detail: 'it is encrypted with age, and not as a file of age is made',
    });
  if (encryption !== undefined) {
    const opened = encryption === 'keys' ? 'to the key of somebody' : 'with a passphrase';
    return {
      path,
      chains: [],
      unchecked: `encrypted with age ${opened}, and made as a file of age is: what it holds was not looked at, and whether it is the file that was recorded, the chain exports tells (--file)`,
    };
  }
  if (!(await isZip(path))) return undefined;
  const judged = await verifyPackage(path, keySet);
  if (judged === undefined) return faulty(path, { kind: 'edited', detail: 'it is no package' });
  if ('refused' in judged) return faulty(path, judged.refused);
  if ('unchecked' in judged) return { path, chains: [], unchecked: judged.unchecked };
  return { path, chains: [], package: judged.proven };
}

const faulty = (path: string, refusal: PackageRefusal): Checked => ({
  path,
  chains: [
    {
      chain: 'package',
      size: 1,
      head: null,
      faults: [{ ...refusal, chain: 'package', number: null }],
      doubts: [],
    },
  ],
});

/** By its beginning, or by its end where that was changed. */
async function isZip(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const read = async (from: number, length: number) => {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, from);
      return buffer.subarray(0, bytesRead);
    };
    if ((await read(0, 2)).toString('latin1') === 'PK') return true;
    return endOf(await read(Math.max(0, size - LONGEST_END), LONGEST_END)) !== undefined;
  } finally {
    await file.close();
  }
}
