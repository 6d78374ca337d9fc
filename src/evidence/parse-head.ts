import { NestctlError } from '../platform/errors.js';
import { areHeads, type Heads } from '../platform/signing/key-set.js';

/** A head as people note it, `CHAIN:SIZE:SHA256`. Throws `usage`. */
export function parseHead(text: string): Heads {
  const [chain = '', size = '', hash = '', ...rest] = text.split(':');
  const heads = { [chain]: { size: /^\d{1,15}$/.test(size) ? Number(size) : 0, hash } };
  if (rest.length === 0 && areHeads(heads)) return heads;
  throw new NestctlError(`"${text}" is not a head: write CHAIN:SIZE:SHA256, as verify prints it.`, {
    kind: 'usage',
    code: 'invalid_head',
  });
}
