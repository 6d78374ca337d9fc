/**
 * RFC 6962, section 2.1, and C2SP's notes and proofs, written from the specifications alone: slow, and with nothing of
 * ours in it, to hold ours against.
 */
import { createHash, createPublicKey, verify } from 'node:crypto';

const sha256 = (...bytes: Buffer[]): Buffer => createHash('sha256').update(Buffer.concat(bytes)).digest();

export const leafHash = (entry: Buffer): Buffer => sha256(Buffer.of(0), entry);

/** The largest power of two smaller than n. */
function split(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

/** MTH, of leaves that are hashed already. */
export function treeHash(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return sha256();
  if (leaves.length === 1) return leaves[0] as Buffer;
  const k = split(leaves.length);
  return sha256(Buffer.of(1), treeHash(leaves.slice(0, k)), treeHash(leaves.slice(k)));
}

/** PATH(m, D[n]). */
export function auditPath(m: number, leaves: readonly Buffer[]): Buffer[] {
  if (leaves.length <= 1) return [];
  const k = split(leaves.length);
  return m < k
    ? [...auditPath(m, leaves.slice(0, k)), treeHash(leaves.slice(k))]
    : [...auditPath(m - k, leaves.slice(k)), treeHash(leaves.slice(0, k))];
}

/** Folds a path up again, by the same recursion. */
function rootFrom(m: number, n: number, leaf: Buffer, path: readonly Buffer[]): Buffer {
  if (n === 1) {
    if (path.length > 0) throw new Error('the path is too long');
    return leaf;
  }
  const last = path.at(-1);
  if (last === undefined) throw new Error('the path is too short');
  const k = split(n);
  return m < k
    ? sha256(Buffer.of(1), rootFrom(m, k, leaf, path.slice(0, -1)), last)
    : sha256(Buffer.of(1), last, rootFrom(m - k, n - k, leaf, path.slice(0, -1)));
}

/** Checks a note by its name and public key (32 bytes, base64url); returns its text. */
export function checkNote(note: string, name: string, x: string): string {
  const at = note.lastIndexOf('\n\n');
  const text = note.slice(0, at + 1);
  const key = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } });
  const id = sha256(Buffer.from(name), Buffer.of(0x0a, 0x01), Buffer.from(x, 'base64url')).subarray(0, 4);
  for (const line of note.slice(at + 2).split('\n')) {
    const [dash, who, encoded = ''] = line.split(' ');
    const bytes = Buffer.from(encoded, 'base64');
    if (dash !== '—' || who !== name || !bytes.subarray(0, 4).equals(id)) continue;
    if (verify(null, Buffer.from(text), key, bytes.subarray(4))) return text;
  }
  throw new Error('nobody who is known has signed this note');
}

/** Checks a tlog-proof for a leaf hash; throws where it does not hold. */
export function checkProof(proof: string, leaf: Buffer, x: string): { index: number; size: number } {
  const [head = '', ...rest] = proof.split('\n\n');
  const note = rest.join('\n\n');
  const lines = head.split('\n');
  if (lines.shift() !== 'c2sp.org/tlog-proof@v1') throw new Error('it is not a proof');
  if (lines[0]?.startsWith('extra ')) lines.shift();
  const index = Number(lines.shift()?.replace(/^index /, ''));
  const [origin = '', size = '', root] = checkNote(note, note.split('\n')[0] ?? '', x).split('\n');
  if (origin === '') throw new Error('it has no origin');
  const path = lines.map((line) => Buffer.from(line, 'base64'));
  if (rootFrom(index, Number(size), leaf, path).toString('base64') !== root) throw new Error('another root');
  return { index, size: Number(size) };
}
