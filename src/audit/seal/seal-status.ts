import type { Session } from '../../platform/database/session.js';

/** The oldest transaction that is still open: what began after it waits for its end. */
export interface Holder {
  readonly kind: 'session' | 'prepared transaction';
  /** Of the server process; null for a prepared transaction. */
  readonly pid: number | null;
  readonly login: string | null;
  readonly application: string | null;
  readonly state: string | null;
  /** Null where the owner of the database may not see it. */
  readonly since: Date | null;
  /** The name of a prepared transaction. */
  readonly gid: string | null;
}

export interface SealStatus {
  readonly size: number;
  readonly watermark: string;
  readonly moved_at: Date;
  /** Events without a leaf. */
  readonly unsealed: number;
  readonly oldest_unsealed: Date | null;
  /** Of those, how many nothing holds back. */
  readonly ready: number;
  readonly held_by: Holder | null;
  readonly last_checkpoint: {
    readonly size: number;
    readonly made_at: Date;
    readonly made_by: string;
  } | null;
}

/** How far the log is sealed, and what holds the rest back. */
export async function sealStatus(session: Session): Promise<SealStatus> {
  const row = await session.one<Omit<SealStatus, 'held_by' | 'last_checkpoint'> & { held: Holder | null }>(`
    select size::float8 as size, watermark, moved_at, unsealed::float8 as unsealed, oldest as oldest_unsealed, ready::float8 as ready,
      case when held_by is not null then jsonb_build_object('kind', held_by, 'pid', held_pid, 'login', held_login,
        'application', held_application, 'state', held_state, 'since', held_since, 'gid', held_gid) end as held
    from audit.seal_status()`);
  const [last] = await session.query<{ size: number; made_at: Date; made_by: string }>(
    'select size::float8 as size, made_at, made_by from audit.checkpoints order by id desc limit 1',
  );
  const { held, ...status } = row;
  return {
    ...status,
    held_by: held === null ? null : { ...held, since: held.since === null ? null : new Date(held.since) },
    last_checkpoint: last ?? null,
  };
}
