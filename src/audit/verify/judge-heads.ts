import { partsOf, type SignedCheckpoint } from '../../platform/transparency/checkpoint.js';
import type { Epoch } from './epochs.js';
import type { Findings } from './finding.js';
import type { KnownHead, Standing } from './known-heads.js';

export interface JudgedHead extends KnownHead {
  readonly standing: Standing;
}

const WHO = {
  database: 'the database itself',
  console: 'this console',
  store: 'the object store',
} as const;

/**
 * What it means where heads that were signed do not agree with the tree. `wasPutBack`: whether a log that lost its end
 * up to a head lost it with the whole database, rather than was cut.
 */
export async function judgeHeads(
  heads: readonly JudgedHead[],
  size: number,
  epochs: readonly Epoch[],
  wasPutBack: (beyond: SignedCheckpoint) => Promise<boolean>,
  findings: Findings,
): Promise<void> {
  for (const { checkpoint, source } of heads.filter(({ standing }) => standing === 'unsigned')) {
    findings.fault(
      'unknown_key',
      `no known key has signed the checkpoint of ${checkpoint.madeAt} in ${WHO[source]}`,
      {
        object: `checkpoint ${checkpoint.size}`,
      },
    );
  }
  const other = heads.find(({ standing }) => standing === 'other_log');
  if (other !== undefined) {
    findings.fault(
      'rewritten',
      `the log is not the one that ${WHO[other.source]} has seen (${partsOf(other.checkpoint).log}): another was put in its place`,
      { object: 'log' },
    );
  }
  const beyond = furthest(heads, 'beyond');
  if (beyond !== undefined) {
    const { checkpoint, source } = beyond;
    const seen = seenInOrder(heads);
    const common = commonSize(heads, beyond, seen);
    const other = heads.find(
      (head) => head.standing === 'matches' && head.checkpoint.size > common && isLater(seen, head, beyond),
    );
    const back = other === undefined && (await wasPutBack(checkpoint));
    const end = common > 0 ? 'forked' : 'rewritten_with_key';
    findings.fault(
      other !== undefined ? end : back ? 'rolled_back' : 'tail_cut',
      `${checkpoint.size} events were sealed ${checkpoint.madeAt}, as ${WHO[source]} has seen, and ${
        other === undefined
          ? `${size} are left${back ? ' since the database was put back' : ''}`
          : `${other.checkpoint.size} of another history ${other.checkpoint.madeAt}`
      }`,
      { object: `leaves ${size} to ${checkpoint.size - 1}` },
    );
  }
  judgeMissing(heads, epochs, findings);
  const differing = heads.filter(({ standing }) => standing === 'differs');
  if (differing.length === 0) return;
  const good = heads.filter(({ standing, checkpoint }) => standing === 'matches' && checkpoint.size > 0);
  const first = differing.reduce((a, b) => (b.checkpoint.size < a.checkpoint.size ? b : a));
  // Heads that fit the tree as it is now, beyond those it contradicts: whoever made it has a key.
  const signedAnew = good.some(({ checkpoint }) => checkpoint.size >= first.checkpoint.size);
  const common = Math.max(
    0,
    ...good.map(({ checkpoint }) => checkpoint.size).filter((at) => at < first.checkpoint.size),
  );
  const range = `leaves ${common} to ${first.checkpoint.size - 1}`;
  const says = `the head that was signed ${first.checkpoint.madeAt}, as ${WHO[first.source]} has seen, is not that of these leaves`;
  if (!signedAnew)
    findings.fault('rewritten', `${says}, and no known key has signed them`, { object: range });
  else if (common > 0)
    findings.fault('forked', `${says}: two histories were signed after ${common} events`, { object: range });
  else findings.fault('rewritten_with_key', `${says}, and a known key has signed both`, { object: range });
}

/**
 * Heads that others have seen and the database has lost: with them goes what was known of triggers and grants. One of
 * the tree as a recovery left it may never have been kept: the database was put back to just before.
 */
function judgeMissing(heads: readonly JudgedHead[], epochs: readonly Epoch[], findings: Findings): void {
  const kept = new Set(
    heads.filter(({ source }) => source === 'database').map(({ checkpoint }) => checkpoint.note),
  );
  const ends = new Set(epochs.map(({ tree_size: end }) => end));
  const missing = heads.filter(
    ({ standing, source, checkpoint }) =>
      source !== 'database' &&
      standing === 'matches' &&
      !ends.has(checkpoint.size) &&
      !kept.has(checkpoint.note),
  );
  for (const { checkpoint, source } of missing) {
    findings.fault(
      'deleted',
      `${WHO[source]} has seen a checkpoint that the database does not keep any more`,
      {
        object: `checkpoint ${checkpoint.size} of ${checkpoint.madeAt}`,
      },
    );
  }
}

/** How far the tree agrees with what was signed before a head that lies beyond it. */
function commonSize(heads: readonly JudgedHead[], beyond: JudgedHead, seen: SeenInOrder): number {
  const good = heads.filter((head) => head.standing === 'matches' && isLater(seen, beyond, head));
  return Math.max(0, ...good.map(({ checkpoint }) => checkpoint.size));
}

/** When this console saw which head, by its note. */
type SeenInOrder = ReadonlyMap<string, number>;

function seenInOrder(heads: readonly JudgedHead[]): SeenInOrder {
  const own = heads.filter(({ source }) => source === 'console');
  return new Map(own.map(({ checkpoint }, at) => [checkpoint.note, at]));
}

/** Whether a head was signed after another: by the order in which this console saw both, else by their clocks. */
function isLater(seen: SeenInOrder, one: JudgedHead, other: JudgedHead): boolean {
  const [at, before] = [seen.get(one.checkpoint.note), seen.get(other.checkpoint.note)];
  if (at !== undefined && before !== undefined) return at > before;
  return one.checkpoint.madeAt > other.checkpoint.madeAt;
}

function furthest(heads: readonly JudgedHead[], standing: Standing): JudgedHead | undefined {
  return heads
    .filter((head) => head.standing === standing)
    .reduce<JudgedHead | undefined>(
      (a, b) => (a === undefined || b.checkpoint.size > a.checkpoint.size ? b : a),
      undefined,
    );
}
