import { createHash } from 'node:crypto';
import { type KeySet, namedKeys } from '../../platform/signing/key-set.js';
import { openCheckpoint, partsOf, type SignedCheckpoint } from '../../platform/transparency/checkpoint.js';
import { linkHash, NO_LINK } from '../../platform/transparency/keyed-path.js';
import { openEnd } from './bundle-end.js';
import { type BundleLine, lineLeaf, parseLine } from './bundle-event.js';
import {
  BUNDLE,
  type BundleHeader,
  familyKey,
  parseHeader,
  rootOfHeader,
  type Withheld,
} from './bundle-header.js';
import { timeOf } from './event-leaf.js';
import { judgeSigner, type Refusal } from './judge-signer.js';

/** What is asked of a bundle beyond that it holds. */
export interface Expected {
  /** Whose history it must be: the id of a family. */
  readonly family?: string | undefined;
  /** Until when or where it must be complete: a time, RFC 3339 in UTC, or leaves of the tree. */
  readonly to?: string | number | undefined;
}

export interface ProvenBundle {
  readonly family: string;
  readonly log: string;
  /** Every one there was of the family among the first `size` leaves of the log. */
  readonly events: number;
  readonly size: number;
  /** Of the first and the last one. */
  readonly from: string | null;
  readonly to: string | null;
  /** When the head was signed under which it is complete. */
  readonly complete_until: string;
  readonly kid: string;
  readonly exported_at: string;
  readonly exported_by: string;
  readonly withheld: readonly Withheld[];
  /** Events with an erased part, by the request that ordered it. */
  readonly erased: readonly { readonly request: string; readonly events: number }[];
  /** Events of which the leaf alone is there. */
  readonly leaf_only: number;
}

export type BundleRefusal = Refusal<
  'truncated' | 'removed' | 'added' | 'reordered' | 'misplaced' | 'incomplete'
>;

const LINE_FEED = 0x0a;
/** A line is no longer; an event with its row is some thousand bytes. */
const LONGEST = 64 * 1024 * 1024;

/** Verifies a bundle with public keys alone, as it is read; or says what is wrong. Memory holds a line at a time. */
export async function verifyBundle(
  bytes: AsyncIterable<Buffer>,
  keySet: KeySet,
  expected: Expected = {},
): Promise<{ readonly proven: ProvenBundle } | BundleRefusal> {
  const check = new BundleCheck(keySet, expected);
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of bytes) {
    let from = 0;
    const joined = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let end = joined.indexOf(LINE_FEED); end >= 0; end = joined.indexOf(LINE_FEED, from)) {
      const wrong = check.line(joined.subarray(from, end + 1));
      if (wrong !== undefined) return wrong;
      from = end + 1;
    }
    rest = joined.subarray(from);
    if (rest.length > LONGEST) return check.notOne();
  }
  return rest.length > 0 ? { kind: 'truncated', detail: 'it breaks off within a line' } : check.end();
}

class BundleCheck {
  readonly #keySet: KeySet;
  readonly #expected: Expected;
  readonly #digest = createHash('sha256');
  readonly #erased = new Map<string, number>();
  #lines = 0;
  #header: BundleHeader | undefined;
  #checkpoint: SignedCheckpoint | undefined;
  /** Events that the signed head says there are. */
  #count = 0;
  #events = 0;
  #head: Buffer = NO_LINK;
  #last = -1;
  #leafOnly = 0;
  #from: string | null = null;
  #to: string | null = null;
  #end = '';

  constructor(keySet: KeySet, expected: Expected) {
    this.#keySet = keySet;
    this.#expected = expected;
  }

  /** Takes a line with its line feed. */
  line(bytes: Buffer): BundleRefusal | undefined {
    this.#lines += 1;
    const text = bytes.toString('utf8', 0, bytes.length - 1);
    if (!Buffer.from(`${text}\n`).equals(bytes)) return this.notOne();
    if (this.#header !== undefined && this.#events === this.#count) return this.#ending(text);
    this.#digest.update(bytes);
    if (this.#lines === 1) return text === BUNDLE ? undefined : this.notOne();
    return this.#header === undefined ? this.#open(text) : this.#event(text);
  }

  #open(text: string): BundleRefusal | undefined {
    const header = parseHeader(text);
    const checkpoint = openCheckpoint(header?.checkpoint ?? '', namedKeys(this.#keySet));
    if (header === undefined || checkpoint === undefined) return this.notOne();
    const signer = judgeSigner(this.#keySet, checkpoint.kid, checkpoint.madeAt, 'its checkpoint');
    if (signer !== undefined) return signer;
    const { family, walk } = header;
    if (rootOfHeader(header)?.equals(checkpoint.families) !== true)
      return {
        kind: 'edited',
        detail: `what it says of the history of family ${family} is not what its checkpoint signs`,
      };
    this.#header = header;
    this.#checkpoint = checkpoint;
    this.#count = walk?.leaf.key.equals(familyKey(family)) === true ? walk.leaf.count : 0;
    return this.#asExpected(header, checkpoint);
  }

  #asExpected({ family }: BundleHeader, { madeAt, size }: SignedCheckpoint): BundleRefusal | undefined {
    const { family: wanted, to } = this.#expected;
    if (wanted !== undefined && wanted !== family)
      return { kind: 'misplaced', detail: `it is the history of family ${family}, not of ${wanted}` };
    const far = to === undefined || (typeof to === 'number' ? size >= to : madeAt >= to);
    if (far) return undefined;
    const asked = typeof to === 'number' ? `leaf ${to}` : to;
    return {
      kind: 'incomplete',
      detail: `it is complete until ${madeAt} (leaf ${size}), and not until ${asked}`,
    };
  }

  #event(text: string): BundleRefusal | undefined {
    const { size = 0 } = this.#checkpoint ?? {};
    const line = parseLine(text);
    if (line === undefined) {
      return text.startsWith('nestsync-audit-bundle/')
        ? { kind: 'removed', detail: `${this.#events} events are there, and ${this.#count} were signed` }
        : { kind: 'edited', detail: `event ${this.#events + 1} of it is not written as an event` };
    }
    if (line.index <= this.#last || line.index >= size) {
      return {
        kind: 'reordered',
        detail: `leaf ${line.index} comes after leaf ${this.#last}, in a tree of ${size}`,
      };
    }
    this.#last = line.index;
    this.#events += 1;
    this.#head = linkHash(this.#head, line.index, lineLeaf(line));
    return this.#tell(line);
  }

  #tell(line: BundleLine): BundleRefusal | undefined {
    if ('leaf' in line) {
      this.#leafOnly += 1;
      return undefined;
    }
    const { family } = this.#header as BundleHeader;
    const [, subject] = line.parts;
    if (subject && 'salt' in subject && subject.family_id !== family)
      return { kind: 'misplaced', detail: `event ${line.event.id} is not of family ${family}` };
    const requests = line.parts.flatMap((part) => (part && 'erased' in part ? [part.erased as string] : []));
    for (const request of new Set(requests)) this.#erased.set(request, (this.#erased.get(request) ?? 0) + 1);
    this.#to = timeOf(line.event);
    this.#from ??= this.#to;
    return undefined;
  }

  /** What comes after the last event. */
  #ending(text: string): BundleRefusal | undefined {
    this.#end += `${text}\n`;
    if (text.startsWith('{'))
      return { kind: 'added', detail: `more events are there than the ${this.#count} that were signed` };
    return this.#end.length > 4096 ? this.notOne() : undefined;
  }

  end(): { readonly proven: ProvenBundle } | BundleRefusal {
    const [header, checkpoint] = [this.#header, this.#checkpoint];
    if (header === undefined || checkpoint === undefined || this.#end === '' || this.#events < this.#count)
      return { kind: 'truncated', detail: 'its end is not there' };
    const { walk } = header;
    if (this.#count > 0 && walk?.leaf.head.equals(this.#head) !== true) {
      return {
        kind: 'edited',
        detail: `these are not the ${this.#count} events of family ${header.family} that were signed: one was changed, left out or put in`,
      };
    }
    const { log } = partsOf(checkpoint);
    const end = openEnd(this.#end, namedKeys(this.#keySet));
    if (end === undefined) return { kind: 'edited', detail: 'its end is not one of a bundle' };
    const signer = judgeSigner(this.#keySet, end.kid, header.exported_at, 'its end');
    if (signer !== undefined) return signer;
    if (end.log !== log || end.sha256 !== this.#digest.digest('hex'))
      return { kind: 'edited', detail: 'it is not, byte for byte, what was exported' };
    return {
      proven: {
        family: header.family,
        log,
        events: this.#count,
        size: checkpoint.size,
        from: this.#from,
        to: this.#to,
        complete_until: checkpoint.madeAt,
        kid: checkpoint.kid as string,
        exported_at: header.exported_at,
        exported_by: header.exported_by,
        withheld: header.withheld,
        erased: [...this.#erased].map(([request, events]) => ({ request, events })),
        leaf_only: this.#leafOnly,
      },
    };
  }

  notOne(): BundleRefusal {
    return { kind: 'edited', detail: `line ${Math.max(1, this.#lines)} is not one of a bundle` };
  }
}
