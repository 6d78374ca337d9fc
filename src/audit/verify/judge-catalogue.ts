import type { Connection } from '../../platform/database/connection.js';
import { partsOf, type SignedCheckpoint } from '../../platform/transparency/checkpoint.js';
import { fingerprintOf, type GuardedCatalogue, readGuarded } from '../seal/read-catalogue.js';
import type { Epoch } from './epochs.js';
import type { FaultKind, Findings } from './finding.js';

type Content = GuardedCatalogue['content'];

/** A catalogue at a checkpoint, or now. */
interface Step {
  readonly content: Content;
  readonly cluster: string | undefined;
}

const MIGRATIONS = 'migrations ops.migration_runs';

/**
 * Follows what the log rests on from checkpoint to checkpoint, as they were signed, and from the last one to now. What
 * changed while no migration ran is named, and so is what is switched off or open now, whoever did it.
 */
export async function judgeCatalogue(
  connection: Connection,
  signed: readonly SignedCheckpoint[],
  epochs: readonly Epoch[],
  findings: Findings,
): Promise<void> {
  const now = await readGuarded(connection);
  judgeNow(now.content, findings);
  const clusterOf = (epoch: number) => epochs.find((one) => one.epoch === epoch)?.system_identifier;
  const kept = await keptCatalogues(connection);
  const steps: Step[] = [];
  const lost = new Set<string>();
  for (const [at, head] of signed.entries()) {
    const { catalogue } = head;
    const cluster = clusterOf(partsOf(head).epoch);
    const before = signed[at - 1];
    if (before?.catalogue === catalogue && clusterOf(partsOf(before).epoch) === cluster) continue;
    const content = kept.get(catalogue);
    if (content !== undefined) steps.push({ content, cluster });
    else lost.add(catalogue);
  }
  for (const fingerprint of lost) {
    findings.fault('catalogue_changed', 'what is kept of a checkpoint’s catalogue is not what was signed', {
      object: fingerprint.slice(0, 16),
    });
  }
  steps.push({ content: now.content, cluster: epochs.at(-1)?.system_identifier });
  for (const [at, step] of steps.entries()) {
    const before = steps[at - 1];
    if (before === undefined || ranMigrations(before.content, step.content)) continue;
    compare(before, step, at === steps.length - 1, findings);
  }
}

/** Those that are what their fingerprints say. */
async function keptCatalogues(connection: Connection): Promise<ReadonlyMap<string, Content>> {
  const kept = await connection.query<{ fingerprint: string; content: Content }>(
    'select fingerprint, content from audit.catalogues',
  );
  return new Map(
    kept
      .filter(({ fingerprint, content }) => fingerprintOf(content) === fingerprint)
      .map(({ fingerprint, content }) => [fingerprint, content]),
  );
}

/** They are counted, not dated: clocks step. */
function ranMigrations(before: Content, after: Content): boolean {
  const count = (content: Content) => Number.parseInt(content[MIGRATIONS]?.[0] ?? '0', 10);
  return count(after) > count(before);
}

function compare(before: Step, after: Step, isNow: boolean, findings: Findings): void {
  const when = isNow ? 'since the last checkpoint' : 'between two checkpoints';
  for (const object of new Set([...Object.keys(before.content), ...Object.keys(after.content)])) {
    const [was, is] = [before.content[object], after.content[object]];
    // A dump brings everything back under other transactions, and maybe another owner.
    const moved = before.cluster !== after.cluster;
    if (was?.[0] === is?.[0] && (moved || was?.[1] === is?.[1])) continue;
    // And bodies that are kept parsed are printed otherwise once they were parsed again.
    if (moved && isParsed(was?.[0]) && isParsed(is?.[0])) continue;
    // A new epoch is judged by its own record.
    if (was === undefined && object.startsWith('epoch ')) continue;
    const kind = kindOf(object, was?.[0], is?.[0]);
    const what =
      was === undefined
        ? 'was added'
        : is === undefined
          ? 'was removed'
          : was[0] === is[0]
            ? isOwned(object)
              ? `came from ${was[1] || 'nobody'} to ${is[1] || 'nobody'}`
              : 'was altered and put back'
            : kind === 'trigger_disabled'
              ? 'was switched off'
              : 'was changed';
    findings.fault(kind, `${what} ${when}, by no migration`, { object });
  }
}

function kindOf(object: string, was: string | undefined, is: string | undefined): FaultKind {
  if (object.startsWith('trigger ')) {
    if (was === is) return 'trigger_touched';
    return isOn(was) && !isOn(is) ? 'trigger_disabled' : 'trigger_touched';
  }
  if (object.startsWith('function ')) return 'function_changed';
  if (opensTruncate(is) && !opensTruncate(was)) return 'truncate_granted';
  if (object.startsWith('partitions ') && triggersOff(is)) return 'trigger_disabled';
  return 'catalogue_changed';
}

/** Its second word is who owns it, or may act as its owner. */
const isOwned = (object: string) => /^(grants|schema|members) /.test(object);
const isParsed = (state: string | undefined) => state?.startsWith('parsed ') === true;
const isOn = (state: string | undefined) => /^[OA]/.test(state ?? '');
const opensTruncate = (state: string | undefined) => /:TRUNCATE\b/.test(state ?? '');
const triggersOff = (state: string | undefined) => /\w:[DR]\b/.test(state ?? '');

/** What is wrong now, however long it has been so. */
function judgeNow(content: Content, findings: Findings): void {
  for (const [object, [state]] of Object.entries(content)) {
    if (object.startsWith('trigger ') && !isOn(state)) {
      findings.fault('trigger_disabled', 'is switched off', { object });
    } else if (object.startsWith('partitions ') && triggersOff(state)) {
      findings.fault('trigger_disabled', 'a trigger of a partition is switched off', { object });
    } else if (opensTruncate(state) && !object.startsWith('setting ')) {
      findings.fault('truncate_granted', 'can be emptied by somebody else than its owner', { object });
    } else if (object.startsWith('setting ')) {
      findings.fault('catalogue_changed', `sessions begin with ${state}, which leaves no events`, { object });
    }
  }
}
