import type { Ancestor } from './wal.js';

export type EngineKind = 'local' | 'pgbackrest' | 'supabase';

/** A backup as its engine has it. What an engine does not tell is null, never a guess. */
export interface Backup {
  readonly engine: EngineKind;
  /** As the engine names it. */
  readonly id: string;
  readonly type: 'full' | 'differential' | 'incremental' | 'logical';
  /** failed: it cannot be restored from. */
  readonly state: 'complete' | 'failed' | 'running';
  readonly started_at: Date | null;
  /** From then on it can be recovered to. */
  readonly stopped_at: Date | null;
  /** `0/16B3748`. */
  readonly start_lsn: string | null;
  readonly stop_lsn: string | null;
  readonly timeline: number | null;
  /** Names of the first and last file of the log without which it cannot be restored. */
  readonly start_segment: string | null;
  readonly stop_segment: string | null;
  /** Identifier of the cluster: above 2^53, hence text. */
  readonly system: string | null;
  /** Major version of PostgreSQL. */
  readonly version: string | null;
  /** Bytes of the cluster, and of the backup where it lies. */
  readonly size: number | null;
  readonly stored: number | null;
  /** The backup that it builds on. */
  readonly prior: string | null;
  /** `none`, or by what. */
  readonly encryption: string | null;
  /** Where it lies: a folder, a bucket. */
  readonly place: string;
  /** Of the cloud that it lies in; null where that is not known. */
  readonly region: string | null;
}

/** Files of the log that should be there, by name, both ends included. */
export interface Gap {
  readonly from: string;
  readonly to: string;
  readonly count: number;
}

/** One timeline of an archive. */
export interface ArchivedTimeline {
  readonly timeline: number;
  readonly first: string;
  readonly last: string;
  readonly segments: number;
  readonly missing: readonly Gap[];
  /** What it began from, oldest first; null where its history file is not there. */
  readonly ancestors: readonly Ancestor[] | null;
}

/** The archived log. */
export interface Archive {
  readonly place: string;
  /** Bytes of a file. */
  readonly segment_size: number;
  readonly timelines: readonly ArchivedTimeline[];
  /** When the newest file was archived; null where the engine does not tell. */
  readonly newest_at: Date | null;
}

export interface Catalogue {
  /** Newest first. */
  readonly backups: readonly Backup[];
  /** Null where the engine keeps its log to itself. */
  readonly archive: Archive | null;
}
