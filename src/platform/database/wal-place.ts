import { NestctlError } from '../errors.js';
import type { Connection } from './connection.js';

/** A place in the history of a cluster. */
export interface Place {
  readonly system: string;
  readonly timeline: number;
  readonly lsn: string;
}

/**
 * Where a primary stands now: all that it had committed when this was asked is at or below the place, and on its
 * way to the replicas. Throws `primary_is_replica`.
 */
export async function currentPlace(primary: Connection): Promise<Place> {
  await requirePrimary(primary);
  const place = await readPlace(primary);
  if (place.flushed) return place;
  // Commits that did not wait for the disk are sent only once they are written: a little one that waits takes all
  // before it along. It needs no replica's word for that.
  await primary.transaction(async () => {
    await primary.query(`set local synchronous_commit = 'local'`);
    await primary.query(`select pg_logical_emit_message(true, 'nestctl', 'read')`);
  });
  return await readPlace(primary);
}

/** Throws `primary_is_replica` where the server is in recovery. */
export async function requirePrimary(primary: Connection): Promise<void> {
  const { standby } = await primary.one<{ standby: boolean }>('select pg_is_in_recovery() as standby');
  if (!standby) return;
  throw new NestctlError(`${primary.target.host}:${primary.target.port} is a replica, not the primary.`, {
    kind: 'conflict',
    code: 'primary_is_replica',
    hint: 'After a failover the context must name the new primary.',
    next: 'nestctl context check',
  });
}

async function readPlace(primary: Connection): Promise<Place & { readonly flushed: boolean }> {
  return await primary.one(`
    select (select system_identifier::text from pg_control_system()) as system,
      (select timeline_id from pg_control_checkpoint()) as timeline,
      pg_current_wal_flush_lsn()::text as lsn, pg_current_wal_flush_lsn() >= pg_current_wal_insert_lsn() as flushed`);
}
