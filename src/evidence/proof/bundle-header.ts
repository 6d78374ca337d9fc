import { hash } from 'node:crypto';
import { isObject } from '../../platform/signing/dsse.js';
import { isInstant } from '../../platform/signing/key-set.js';
import {
  type KeyedLeaf,
  type KeyedStep,
  NO_KEYS,
  rootFromWalk,
} from '../../platform/transparency/keyed-path.js';

/** The first line of a bundle. */
export const BUNDLE = 'nestsync-audit-bundle-1';

/** What can be left out: who acted, why, and what columns say of other people than the row's subject. */
export const WITHHOLDABLE = ['actor', 'purpose', 'others'] as const;
export type Withheld = (typeof WITHHOLDABLE)[number];

/** The second line. */
export interface BundleHeader {
  /** Its id. */
  readonly family: string;
  /** The signed note under which all of this is proven. */
  readonly checkpoint: string;
  /** Where whoever looks for the family in the signed tree of families ends, and the way back; null where it is empty. */
  readonly walk: { readonly leaf: KeyedLeaf; readonly steps: readonly KeyedStep[] } | null;
  readonly withheld: readonly Withheld[];
  /** RFC 3339 in UTC. */
  readonly exported_at: string;
  readonly exported_by: string;
}

/** What a family is known by in the tree of families: SHA-256 of the 16 bytes of its id. */
export function familyKey(family: string): Buffer {
  return hash('sha256', Buffer.from(family.replaceAll('-', ''), 'hex'), 'buffer');
}

/** The one way to write it, without its line feed. */
export function formatHeader({ family, checkpoint, walk, withheld, ...exported }: BundleHeader): string {
  const { exported_at, exported_by } = exported;
  const way = walk && {
    key: walk.leaf.key.toString('hex'),
    count: walk.leaf.count,
    head: walk.leaf.head.toString('base64'),
    steps: walk.steps.map(({ bit, sibling }) => [bit, sibling.toString('base64')]),
  };
  return JSON.stringify({ family, checkpoint, walk: way, withheld, exported_at, exported_by });
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Reads it; undefined where it is anything else, or not written the one way. */
export function parseHeader(text: string): BundleHeader | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (!isObject(value)) return undefined;
    const { family, checkpoint, walk, withheld, exported_at, exported_by } = value;
    const texts = [family, checkpoint, exported_at, exported_by];
    if (!texts.every((one) => typeof one === 'string') || !UUID.test(String(family))) return undefined;
    if (!isInstant(exported_at) || !Array.isArray(withheld)) return undefined;
    if (!withheld.every((one) => WITHHOLDABLE.includes(one))) return undefined;
    const header = { ...value, walk: walk === null ? null : readWalk(walk) } as unknown as BundleHeader;
    return header.walk !== undefined && formatHeader(header) === text ? header : undefined;
  } catch {
    return undefined;
  }
}

function readWalk(value: unknown): BundleHeader['walk'] | undefined {
  if (!isObject(value) || !Array.isArray(value.steps)) return undefined;
  const { key, count, head } = value;
  if (typeof key !== 'string' || !/^[0-9a-f]{64}$/.test(key) || typeof head !== 'string') return undefined;
  if (!Number.isSafeInteger(count) || (count as number) < 1) return undefined;
  const steps = value.steps.map((step: unknown): KeyedStep | undefined => {
    const [bit, sibling] = Array.isArray(step) ? (step as unknown[]) : [];
    if (!Number.isInteger(bit) || (bit as number) < 0 || (bit as number) > 255) return undefined;
    const bytes = Buffer.from(String(sibling), 'base64');
    return bytes.length === 32 ? { bit: bit as number, sibling: bytes } : undefined;
  });
  const bytes = Buffer.from(head, 'base64');
  if (bytes.length !== 32 || steps.includes(undefined)) return undefined;
  const leaf = { key: Buffer.from(key, 'hex'), count: count as number, head: bytes };
  return { leaf, steps: steps as KeyedStep[] };
}

/** The root of the families' tree that follows; undefined where the walk is not one of this family. */
export function rootOfHeader({ family, walk }: BundleHeader): Buffer | undefined {
  return walk === null ? NO_KEYS : rootFromWalk(familyKey(family), walk.leaf, walk.steps);
}
