import { hash } from 'node:crypto';

const NODE = Buffer.of(1);

/** SHA-256(0x01 ‖ left ‖ right). */
export function nodeHash(left: Buffer, right: Buffer): Buffer {
  return hash('sha256', Buffer.concat([NODE, left, right]), 'buffer');
}

/** The root that follows from a leaf and its path; undefined where the path is not one of this leaf in such a tree. */
export function rootFromPath(
  leaf: Buffer,
  index: number,
  size: number,
  path: readonly Buffer[],
): Buffer | undefined {
  if (index >= size || index < 0) return undefined;
  let [node, at, last, root] = [0, index, size - 1, leaf];
  // RFC 9162, section 2.1.3.2.
  for (; node < path.length; node += 1) {
    const sibling = path[node] as Buffer;
    if (last === 0) return undefined;
    if (at % 2 === 1 || at === last) {
      root = nodeHash(sibling, root);
      while (at % 2 === 0 && at !== 0) [at, last] = [at / 2, Math.floor(last / 2)];
    } else {
      root = nodeHash(root, sibling);
    }
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  return last === 0 ? root : undefined;
}
