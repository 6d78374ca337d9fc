import type { Connection } from '../../platform/database/connection.js';
import type { NamedKey } from '../../platform/signing/dsse.js';
import { keptUntil, nameOf } from '../archive/month.js';
import { type Pruning, readPrunings } from '../retention/prunings.js';
import { isSigned, isTooYoung } from '../retention/sign-pruning.js';
import type { Findings } from './finding.js';
import { type MonthWalk, walkMonths } from './walk-months.js';

/** A month that was pruned because its years were over: its leaves in the tree are those that were signed for. */
export interface PrunedMonth {
  readonly pruning: string;
  readonly category: string;
  /** `2015-01` */
  readonly month: string;
  readonly events: number;
  readonly kept_until: Date;
  readonly pruned_at: Date | null;
}

/** The months that were pruned, while the tree is walked. */
export interface PruningWalk extends Pick<MonthWalk, 'holds' | 'take'> {
  /** Holds each month's leaves against what was signed. */
  readonly judge: () => PrunedMonth[];
  /** Archives that are no more. */
  readonly archives: ReadonlySet<string>;
}

/**
 * Months that were dropped for their age. One that nobody signed for, that was too young, or whose record is not in the
 * log counts for nothing: its leaves then miss their events.
 */
export async function walkPrunings(
  connection: Connection,
  log: string,
  keys: readonly NamedKey[],
  findings: Findings,
): Promise<PruningWalk> {
  const dropped = (await readPrunings(connection)).filter(({ dropped_at }) => dropped_at !== null);
  const prunings: Pruning[] = [];
  for (const pruning of dropped) {
    const object = `pruned ${nameOf(pruning.month)}`;
    if (!isSigned(pruning, log, keys)) {
      findings.fault(
        'unproven_pruning',
        'no known key has signed that what is gone is what the database says',
        {
          object,
        },
      );
    } else if (isTooYoung(pruning)) {
      const until = keptUntil(pruning.month).toISOString().slice(0, 10);
      findings.fault('pruned_early', `it is to be kept until ${until}`, { object });
    } else if (await hasRecord(connection, pruning, findings)) prunings.push(pruning);
  }
  const { holds, take, differs } = walkMonths(prunings);
  return {
    archives: new Set(prunings.flatMap(({ archive }) => (archive === null ? [] : [archive]))),
    holds,
    take,
    judge: () =>
      prunings.map(({ id, month, events, kept_until, dropped_at }, at) => {
        const wrong = differs(at);
        if (wrong !== undefined)
          findings.fault('pruning_differs', wrong, { object: `pruned ${nameOf(month)}` });
        const { category } = month;
        return {
          pruning: id,
          category,
          month: month.month.slice(0, 7),
          events,
          kept_until,
          pruned_at: dropped_at,
        };
      }),
  };
}

/** What is gone is missed by itself: here it is enough that nothing else stands in its place. */
async function hasRecord(connection: Connection, pruning: Pruning, findings: Findings): Promise<boolean> {
  const { place } = await connection.one<{ place: string | null }>(
    'select audit.pruning_event(p) as place from audit.prunings p where p.id = $1',
    [pruning.id],
  );
  if (place === 'there' || place === 'gone') return true;
  findings.fault(
    'unproven_pruning',
    `its signed record was not in the log before it: ${place ?? 'nothing'} stands there`,
    {
      object: `pruned ${nameOf(pruning.month)}`,
    },
  );
  return false;
}
