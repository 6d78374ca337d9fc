import type { Connection } from '../../platform/database/connection.js';

/** Where the tree stands, and in which life of which cluster. */
export interface LogState {
  /** UUID that names the log in its checkpoints. */
  readonly log: string;
  readonly size: number;
  readonly firstEpoch: number;
  readonly watermark: bigint;
  readonly epoch: number;
  /** No transaction from here on has ended. */
  readonly next: bigint;
}

/** As the database says. */
export async function readLogState(connection: Connection): Promise<LogState> {
  const state = await connection.one<{
    log: string;
    size: number;
    first_epoch: number;
    watermark: string;
    epoch: number;
    next: string;
  }>(`
    select t.log_id as log, t.size::float8 as size, t.first_epoch, t.watermark::text as watermark,
      (select max(e.epoch) from audit.epochs e) as epoch, pg_snapshot_xmax(pg_current_snapshot())::text as next
    from audit.tree t`);
  return {
    log: state.log,
    size: state.size,
    firstEpoch: state.first_epoch,
    watermark: BigInt(state.watermark),
    epoch: state.epoch,
    next: BigInt(state.next),
  };
}
