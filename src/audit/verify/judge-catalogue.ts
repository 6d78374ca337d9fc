import type { Connection } from '../../platform/database/connection.js';
import { fingerprintOf, type GuardedCatalogue, readGuarded } from '../seal/read-catalogue.js';
import type { FaultKind, Findings } from './finding.js';

type Content = GuardedCatalogue['content'];

interface Kept {
  readonly fingerprint: string;
  readonly content: Content;
  readonly epoch: number;
  readonly made_at: Date;
}

/**
 * Follows what the log rests on from checkpoint to checkpoint, and from the last one to now. What changed while no
 * migration ran is named, and so is what is switched off or open now, whoever did it.
 */
export async function judgeCatalogue(
  connection: Connection,
  signed: ReadonlySet<string>,
  findings: Findings,
): Promise<void> {
  const now = await readGuarded(connection);
  judgeNow(now.content, findings);
  const kept = await connection.query<Kept>(`
    select c.catalogue as fingerprint, k.content, c.epoch, c.made_at
    from (
      select id, catalogue, made_at, (regexp_match(origin, '[0-9]+$'))[1]::integer as epoch,
        lag(catalogue) over (order by id) as before, lag((regexp_match(origin, '[0-9]+$'))[1]::integer) over (order by id) as epoch_before
      from audit.checkpoints) c
      join audit.catalogues k on k.fingerprint = c.catalogue
    where c.before is distinct from c.catalogue or c.epoch_before is distinct from c.epoch
    order by c.id`);
  const { epoch, last_at } = await connection.one<{ epoch: number; last_at: Date | null }>(
    'select (select max(epoch) from audit.epochs) as epoch, (select max(made_at) from audit.checkpoints) as last_at',
  );
  const migrations = await connection.query<{ ran_at: Date; migration: string }>(
    'select ran_at, migration from ops.migration_runs order by id',
  );
  const sound = kept.filter(({ fingerprint, content }) => {
    if (fingerprintOf(content) === fingerprint && signed.has(fingerprint)) return true;
    findings.fault('catalogue_changed', 'what is kept of a checkpoint’s catalogue is not what was signed', {
      object: fingerprint.slice(0, 16),
    });
    return false;
  });
  const steps = [...sound, { ...now, epoch, made_at: new Date(8.64e15) }];
  for (const [at, step] of steps.entries()) {
    const before = steps[at - 1];
    if (before === undefined) continue;
    // The checkpoint before this one may be newer than the one that first had its catalogue.
    const since = at === steps.length - 1 ? (last_at ?? before.made_at) : before.made_at;
    if (migrations.some(({ ran_at }) => ran_at > since && ran_at <= step.made_at)) continue;
    compare(before, step, at === steps.length - 1, findings);
  }
}

function compare(
  before: Omit<Kept, 'made_at'>,
  after: Omit<Kept, 'made_at'>,
  isNow: boolean,
  findings: Findings,
): void {
  const when = isNow ? 'since the last checkpoint' : 'between two checkpoints';
  for (const object of new Set([...Object.keys(before.content), ...Object.keys(after.content)])) {
    const [was, is] = [before.content[object], after.content[object]];
    // A dump brings everything back under other transactions.
    const moved = before.epoch !== after.epoch;
    if (was?.[0] === is?.[0] && (moved || was?.[1] === is?.[1])) continue;
    // And bodies that are kept parsed are printed otherwise once they were parsed again.
    if (moved && isParsed(was?.[0]) && isParsed(is?.[0])) continue;
    const kind = kindOf(object, was?.[0], is?.[0]);
    const what =
      was === undefined
        ? 'was added'
        : is === undefined
          ? 'was removed'
          : was[0] === is[0]
            ? 'was altered and put back'
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
