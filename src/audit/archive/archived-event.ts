import { contentHash, type Field, fieldsOf, type LeafFacts, leafOf } from '../../evidence/index.js';
import { NestctlError } from '../../platform/errors.js';

/** What of an event belongs to people, with the salts under which it entered the leaf, `\x` and hex. */
export interface PersonalParts {
  readonly id: string;
  readonly salts: (string | null)[];
  app_user?: string;
  family_id?: string;
  subject_user?: string;
  record_id?: string;
  record_key?: string;
  changed_columns?: string[];
  /** The text of the JSON, byte for byte as it was hashed. */
  old_row?: string;
  new_row?: string;
  named_old?: (string | null)[];
  named_new?: (string | null)[];
  reason?: string;
  ticket?: string;
  erased_requests?: (string | null)[];
}

/** What stands in clear under the leaf, the hashes of its parts, and the leaf, base64: one line of a skeleton. */
export interface Skeleton extends LeafFacts {
  readonly named_columns?: readonly string[];
  readonly leaf: string;
}

/** As the database gives them: absent fields are left out. */
export type ClearFields = Partial<Pick<Skeleton, 'duty' | 'request_id'>> &
  Omit<Skeleton, 'duty' | 'request_id' | 'parts' | 'leaf'>;

/**
 * Puts the skeleton of an event together from what the database holds, and makes sure that it gives the leaf that was
 * written with it. Throws `log_edited`.
 */
export function skeletonOf(
  clear: ClearFields,
  personal: PersonalParts,
  erased: readonly (string | null)[] | null,
  leaf: Buffer,
): Skeleton {
  const parts = personal.salts.map((_, at) => {
    const kept = erased?.[at] ?? null;
    return kept === null
      ? partHash(clear.named_columns, personal, at + 1)
      : Buffer.from(kept.slice(2), 'hex').toString('base64');
  });
  const { duty = null, request_id = null, ...rest } = clear;
  const skeleton = { ...rest, duty, request_id, parts, leaf: leaf.toString('base64') };
  if (leafOf(skeleton).equals(leaf)) return skeleton;
  throw new NestctlError(`Event ${clear.id} does not say any more what it said when it was written.`, {
    kind: 'conflict',
    code: 'log_edited',
    hint: 'Nothing is archived that was tampered with.',
    next: 'nestctl audit verify',
  });
}

/** SHA-256(salt ‖ content) of part 1, 2, 3 …, base64; null where it is absent or was erased. */
function partHash(
  named: readonly string[] | undefined,
  personal: PersonalParts,
  part: number,
): string | null {
  const salt = personal.salts[part - 1];
  const content = part > 3 ? namedContent(named, personal, part - 4) : ownContent(personal, part);
  return salt == null || content === undefined ? null : contentHash(salt.slice(2), 'hex', content);
}

/**
 * Whether each part of an event is what its leaf has of it: proven by its salt, or never there, or erased under one of
 * the requests, and then gone. Nothing else of an archived event is to be believed.
 */
export function partsAreProven(
  bones: Pick<Skeleton, 'id' | 'parts' | 'named_columns'>,
  personal: PersonalParts,
  lawful: ReadonlySet<string>,
): boolean {
  const { named_columns: named, parts } = bones;
  if (personal.id !== bones.id || personal.salts.length !== parts.length) return false;
  return parts.every((hash, at) => {
    if (personal.salts[at] != null) return partHash(named, personal, at + 1) === hash;
    if (hasContent(personal, at + 1)) return false;
    return hash === null || lawful.has(personal.erased_requests?.[at] ?? '');
  });
}

function hasContent(personal: PersonalParts, part: number): boolean {
  if (part <= 3) return ownContent(personal, part) !== undefined;
  return personal.named_old?.[part - 4] != null || personal.named_new?.[part - 4] != null;
}

/** The fields of a part in the order in which they are hashed; undefined where it has none. */
function ownContent(personal: PersonalParts, part: number): readonly Field[] | undefined {
  const given = fieldsOf(part).map((name) => personal[name as keyof PersonalParts] as Field | undefined);
  if (given.every((value) => value === undefined)) return undefined;
  // No columns are hashed as an absent list.
  return given.map((value) =>
    value === undefined || (Array.isArray(value) && value.length === 0) ? null : value,
  );
}

function namedContent(
  named: readonly string[] | undefined,
  personal: PersonalParts,
  at: number,
): readonly Field[] {
  const { named_old, named_new } = personal;
  return [named?.[at] ?? null, named_old?.[at] ?? null, named_new?.[at] ?? null];
}

/** The entry of an event beside its leaf in a tile, 30 bytes, as sql/docs/audit-seal.md says. */
export function entryOf(facts: Pick<Skeleton, 'epoch' | 'xid' | 'id' | 'occurred_at' | 'category'>): Buffer {
  const entry = Buffer.alloc(30);
  entry.writeInt32BE(facts.epoch);
  entry.writeBigUInt64BE(BigInt(facts.xid), 4);
  entry.writeBigInt64BE(BigInt(facts.id), 12);
  entry.writeBigInt64BE(BigInt(facts.occurred_at), 20);
  entry.write(facts.category.slice(0, 2), 28, 'latin1');
  return entry;
}
