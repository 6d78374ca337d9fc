/**
 * A checker of bundles written from sql/docs/audit-bundle.md and audit-leaf.md alone: with nothing of ours in it, to
 * hold ours against. Throws where a bundle does not hold.
 */
import { createHash } from 'node:crypto';
import { checkNote } from './tree-by-the-rfc.js';

const sha256 = (...bytes: Buffer[]): Buffer => createHash('sha256').update(Buffer.concat(bytes)).digest();
const base64 = (text: string): Buffer => Buffer.from(text, 'base64');

function int64(value: bigint | number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt.asUintN(64, BigInt(value)));
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

const ns = (value: string | null): Buffer =>
  value === null ? Buffer.from(':,') : Buffer.from(`${Buffer.byteLength(value)}:${value},`);

type Part = Record<string, unknown> | null;

function blockOf(part: Part, number: number): Buffer {
  if (part === null) return Buffer.alloc(32);
  if (typeof part.hash === 'string') return base64(part.hash);
  const names =
    number === 1
      ? ['app_user']
      : number === 2
        ? ['family_id', 'subject_user', 'record_id', 'record_key', 'changed_columns', 'old_row', 'new_row']
        : number === 3
          ? ['reason', 'ticket']
          : ['column', 'old', 'new'];
  const content = names.map((name) => {
    const value = part[name] as string | string[] | null;
    return ns(Array.isArray(value) ? value.map((one) => ns(one).toString()).join('') : value);
  });
  return sha256(base64(part.salt as string), ...content);
}

function leafOf(event: Record<string, string | number | null>, parts: readonly Part[]): Buffer {
  const [actor, subject, purpose, ...named] = parts.map((part, at) => blockOf(part, at + 1));
  const clear = ['operation', 'table_name', 'category', 'session_login', 'duty', 'request_id'];
  return sha256(
    Buffer.of(0),
    Buffer.from('nestsync-audit-1'),
    actor as Buffer,
    purpose as Buffer,
    int32(event.epoch as number),
    int64(BigInt(event.xid as string)),
    int64(BigInt(event.occurred_at as string)),
    ...clear.map((name) => ns(event[name] as string | null)),
    int64(BigInt(event.id as string)),
    subject as Buffer,
    ...named,
  );
}

/** Checks a bundle under a public key (32 bytes, base64url); returns the numbers of its events. */
export function checkBundle(bundle: string, x: string): { family: string; size: number; events: string[] } {
  const lines = bundle.split('\n');
  if (lines[0] !== 'nestsync-audit-bundle-1') throw new Error('it is not a bundle');
  const header = JSON.parse(lines[1] ?? '') as {
    family: string;
    checkpoint: string;
    walk: { key: string; count: number; head: string; steps: [number, string][] } | null;
  };
  const { family, checkpoint, walk } = header;
  const head = checkNote(checkpoint, checkpoint.split('\n')[0] ?? '', x).split('\n');
  const size = Number(head[1]);
  const families = /^families (.*)$/.exec(head[3] ?? '')?.[1];
  const key = sha256(Buffer.from(family.replaceAll('-', ''), 'hex'));
  const bit = (of: Buffer, at: number) => (BigInt(`0x${of.toString('hex')}`) >> BigInt(255 - at)) & 1n;

  let root = sha256();
  if (walk !== null) {
    const reached = Buffer.from(walk.key, 'hex');
    root = sha256(Buffer.of(3), reached, int64(walk.count), base64(walk.head));
    let last = 256;
    for (const [at, sibling] of walk.steps) {
      if (at >= last || bit(reached, at) !== bit(key, at))
        throw new Error('the way is not one of this family');
      last = at;
      const [left, right] = bit(key, at) === 0n ? [root, base64(sibling)] : [base64(sibling), root];
      root = sha256(Buffer.of(4, at), left, right);
    }
  }
  if (root.toString('base64') !== families) throw new Error('another root of families was signed');
  const count = walk !== null && walk.key === key.toString('hex') ? walk.count : 0;

  let chain: Buffer = Buffer.alloc(32);
  let last = -1;
  const events: string[] = [];
  for (const line of lines.slice(2, 2 + count)) {
    const { index, event, parts, leaf } = JSON.parse(line);
    if (index <= last || index >= size) throw new Error('leaves are out of order');
    last = index;
    chain = sha256(Buffer.of(2), chain, int64(index), leaf ? base64(leaf) : leafOf(event, parts));
    events.push(event?.id ?? null);
  }
  if (count > 0 && chain.toString('base64') !== walk?.head) throw new Error('these are not all its events');

  const note = lines.slice(2 + count).join('\n');
  const end = checkNote(note, note.split('\n')[0] ?? '', x);
  const digest = sha256(Buffer.from(bundle.slice(0, bundle.length - note.length))).toString('hex');
  if (end.split('\n')[1] !== `sha256 ${digest}`) throw new Error('it was changed after it was exported');
  return { family, size, events };
}
