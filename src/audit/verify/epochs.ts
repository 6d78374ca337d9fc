import { readStatement } from '../../evidence/index.js';
import type { Connection } from '../../platform/database/connection.js';
import { type NamedKey, parseEnvelope, signersOf } from '../../platform/signing/dsse.js';
import type { Findings } from './finding.js';

/** One life of the cluster, as the log knows it. Sizes are null for the first. */
export interface Epoch {
  readonly epoch: number;
  readonly system_identifier: string;
  readonly timeline: number;
  readonly began_at: Date;
  readonly tree_size: number | null;
  readonly seen_size: number | null;
  readonly seen_root: string | null;
  readonly adopted: number | null;
  readonly evidence: string | null;
  readonly recorded_by: string | null;
  readonly record: string | null;
}

export async function readEpochs(connection: Connection): Promise<Epoch[]> {
  return await connection.query<Epoch>(`
    select epoch, system_identifier, timeline, began_at, tree_size::float8 as tree_size, seen_size::float8 as seen_size,
      seen_root, adopted::float8 as adopted, evidence, recorded_by, record
    from audit.epochs order by epoch`);
}

/** What is signed of an epoch. */
export function epochContent(
  epoch: Pick<
    Epoch,
    'epoch' | 'system_identifier' | 'timeline' | 'tree_size' | 'seen_size' | 'seen_root' | 'evidence'
  >,
  log: string,
): Record<string, unknown> {
  const { system_identifier, timeline, tree_size, seen_size, seen_root, evidence } = epoch;
  return { log, epoch: epoch.epoch, system_identifier, timeline, tree_size, seen_size, seen_root, evidence };
}

/**
 * Whether every epoch but the first is one that was recorded and signed, and the last one that of this cluster.
 * Returns whether the cluster is.
 */
export async function judgeEpochs(
  connection: Connection,
  epochs: readonly Epoch[],
  log: string,
  keys: readonly NamedKey[],
  findings: Findings,
): Promise<boolean> {
  for (const epoch of epochs.slice(1)) {
    const envelope = epoch.record === null ? undefined : parseEnvelope(epoch.record);
    const signed = envelope !== undefined && signersOf(envelope, keys).length > 0;
    const statement = envelope === undefined ? undefined : readStatement(envelope);
    const said = epochContent(epoch, log);
    const agrees = Object.entries(said).every(([name, value]) => statement?.content[name] === value);
    if (signed && agrees && statement?.type === 'audit-epoch') continue;
    findings.fault(
      'unproven_epoch',
      `epoch ${epoch.epoch} has no signed record that says what it says: ${
        envelope === undefined
          ? 'there is none'
          : signed
            ? 'it says something else'
            : 'no known key signed it'
      }`,
      { object: `epoch ${epoch.epoch}` },
    );
  }
  const now = await connection.one<{ system_identifier: string; timeline: number }>(`
    select (select system_identifier::text from pg_control_system()) as system_identifier,
      case when pg_is_in_recovery() then (select timeline_id from pg_control_checkpoint())
        else ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::integer end as timeline`);
  const last = epochs.at(-1);
  if (last?.system_identifier === now.system_identifier && last.timeline === now.timeline) return true;
  findings.fault(
    'unrecorded_recovery',
    `this is timeline ${now.timeline} of cluster ${now.system_identifier}, and the log knows timeline ${last?.timeline} of cluster ${last?.system_identifier}: a recovery, a failover or a move that nobody recorded`,
    { object: `epoch ${last?.epoch}` },
  );
  return false;
}
