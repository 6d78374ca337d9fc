import { partsOf } from '../../platform/transparency/checkpoint.js';
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
 * What it means where heads that were signed do not agree with the tree. `moved`: the cluster is not the one that the
 * log knows, so that a log which lost its end was put back rather than cut.
 */
export function judgeHeads(
  heads: readonly JudgedHead[],
  size: number,
  moved: boolean,
  findings: Findings,
): void {
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
    findings.fault(
      moved ? 'rolled_back' : 'tail_cut',
      `${checkpoint.size} events were sealed ${checkpoint.madeAt}, as ${WHO[source]} has seen, and ${size} are left${moved ? ' since the database was put back' : ''}`,
      { object: `leaves ${size} to ${checkpoint.size - 1}` },
    );
  }
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

function furthest(heads: readonly JudgedHead[], standing: Standing): JudgedHead | undefined {
  return heads
    .filter((head) => head.standing === standing)
    .reduce<JudgedHead | undefined>(
      (a, b) => (a === undefined || b.checkpoint.size > a.checkpoint.size ? b : a),
      undefined,
    );
}
