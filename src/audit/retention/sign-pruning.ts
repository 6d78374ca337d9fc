import type { Evidence } from '../../evidence/index.js';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import type { NamedKey } from '../../platform/signing/dsse.js';
import { summarizeLeaves } from '../archive/leaf-records.js';
import { keptUntil, nameOf } from '../archive/month.js';
import { type Facts, isSignedFor, signOnce } from '../signed-facts.js';
import { Tally } from '../verify/tally.js';
import type { Pruning } from './prunings.js';

export const RETENTION_RECORD = 'audit-retention';

/** What is signed of a month before it is pruned, as audit.pruning_facts has it. */
export function factsOf(log: string, { id, month, ...pruning }: Pruning): Facts {
  return {
    log,
    pruning: id,
    category: month.category,
    month: month.month.slice(0, 7),
    archive: pruning.archive,
    years: pruning.years,
    kept_until: pruning.kept_until.toISOString(),
    cut_off: pruning.cut_off.toISOString(),
    tree_from: pruning.tree_from,
    tree_size: pruning.tree_size,
    events: pruning.events,
    first_leaf: pruning.first_leaf,
    last_leaf: pruning.last_leaf,
    leaves: pruning.leaves,
    approval: pruning.approval,
  };
}

/**
 * Signs for a month, having looked itself that its years are over and which leaves it has, and writes the record into
 * the log; one that a try before had signed is taken. Throws `too_young`, `log_edited`, `no_signing_key`.
 */
export async function signPruning(
  session: Session,
  evidence: Evidence,
  log: string,
  pruning: Pruning,
): Promise<void> {
  const name = nameOf(pruning.month);
  // Whoever set the server's clock forward has not set this one.
  if (isTooYoung(pruning)) {
    throw new NestctlError(`${name} has not been kept for its years by the clock of this machine.`, {
      kind: 'conflict',
      code: 'too_young',
      hint: `It is kept until ${keptUntil(pruning.month).toISOString()}. Nothing was signed or dropped. Where that is long past, this machine's clock is behind.`,
      next: 'nestctl audit retention --dry-run',
    });
  }
  const own = await summarizeLeaves(session, pruning, new Tally());
  if (
    own.count !== pruning.events ||
    own.sha256 !== pruning.leaves ||
    own.first !== pruning.first_leaf ||
    own.last !== pruning.last_leaf
  ) {
    throw new NestctlError(`The leaves of ${name} in the tree are not those that were begun with.`, {
      kind: 'conflict',
      code: 'log_edited',
      hint: 'Nothing was signed or dropped.',
      next: 'nestctl audit verify',
    });
  }
  const envelope = await signOnce(evidence, {
    type: RETENTION_RECORD,
    subject: [{ name: `leaves of ${name} of the audit log`, sha256: pruning.leaves }],
    content: factsOf(log, pruning),
  });
  await session.query('select audit.record_pruning($1, $2)', [pruning.id, envelope]);
}

/** Whether a known key has signed that what is pruned is what the database says of it. */
export function isSigned(pruning: Pruning, log: string, keys: readonly NamedKey[]): boolean {
  return isSignedFor(pruning.record, keys, RETENTION_RECORD, factsOf(log, pruning));
}

/** Whether the years that the law asks for were not over at its cut-off, or are not now. */
export function isTooYoung({ month, cut_off }: Pruning): boolean {
  const until = keptUntil(month).getTime();
  return until > cut_off.getTime() || until > Date.now();
}
