import sql from 'sql-template-tag';
import {
  type BundleLine,
  type BundlePart,
  type ClearFacts,
  formatLine,
  lineLeaf,
  partHash,
  type Withheld,
} from '../../evidence/index.js';
import { collectGarbage } from '../../platform/collect-garbage.js';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import { type Chain, linkHash, NO_LINK } from '../../platform/transparency/keyed-path.js';

/** So many events are read at once, and up to 255 more. */
const PAGE = 500;
/** So many lie between two collections of garbage. */
const COLLECTED = 5_000;

interface Row {
  readonly leaf: number;
  readonly hash: Buffer;
  readonly event: ClearFacts | null;
  readonly parts: readonly BundlePart[] | null;
}

export interface HistorySink {
  readonly line: (text: string) => Promise<void>;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress: (events: number) => void;
}

/**
 * Hands over each leaf of a family's chain with its event, less what is withheld. Returns of how many the leaf alone is
 * kept. Throws `event_altered` where an event is not what was sealed, or one is not there that was.
 */
export async function readHistory(
  session: Session,
  family: string,
  chain: Chain,
  withhold: readonly Withheld[],
  { line, signal, onProgress }: HistorySink,
): Promise<number> {
  let head: Buffer = NO_LINK;
  let [events, leafOnly, after] = [0, 0, -1];
  for (let rows: Row[] = []; events < chain.count; ) {
    signal?.throwIfAborted();
    rows = await session.query<Row>(sql`
      select leaf::float8 as leaf, hash, event, parts from audit.family_leaves(${family}::uuid, ${after}::bigint, ${PAGE}::integer)`);
    if (rows.length === 0) break;
    for (const { leaf, hash, event, parts } of rows) {
      if (event === null || parts === null) leafOnly += 1;
      const written: BundleLine =
        event === null || parts === null
          ? { index: leaf, leaf: hash.toString('base64') }
          : { index: leaf, event, parts: parts.map((part, at) => shown(part, at + 1, withhold)) };
      if (!lineLeaf(written).equals(hash)) throw altered(`event ${event?.id}`);
      head = linkHash(head, leaf, hash);
      after = leaf;
      await line(formatLine(written));
    }
    if (Math.floor((events + rows.length) / COLLECTED) > Math.floor(events / COLLECTED)) collectGarbage();
    events += rows.length;
    onProgress(events);
  }
  if (events !== chain.count || !head.equals(chain.head)) throw altered(`the history of family ${family}`);
  return leafOnly;
}

function shown(part: BundlePart, number: number, withhold: readonly Withheld[]): BundlePart {
  const kind = kindOf(number);
  if (part === null || 'hash' in part || kind === undefined || !withhold.includes(kind)) return part;
  return { hash: partHash(part, number) as string, withheld: true };
}

/** None for the subject's own part: it is what a history is about. */
function kindOf(part: number): Withheld | undefined {
  return part === 2 ? undefined : part === 1 ? 'actor' : part === 3 ? 'purpose' : 'others';
}

function altered(what: string): NestctlError {
  return new NestctlError(`What the database has of ${what} is not what was sealed.`, {
    kind: 'conflict',
    code: 'event_altered',
    hint: 'Nothing is proven that is not as it was signed.',
    next: 'nestctl audit verify',
  });
}
