import type { Context } from '../platform/config/contexts.js';
import { NestctlError } from '../platform/errors.js';
import type { Backup, Catalogue, EngineKind } from './backup.js';

export interface WorkOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told before what takes long. */
  readonly tell?: ((what: string) => void) | undefined;
  /** Told how far it is, in bytes. */
  readonly onBytes?: ((done: number) => void) | undefined;
}

/** Who has a backup made, and why: kept with it, where the engine can. */
export interface Made {
  readonly by: string;
  readonly reason: string | null;
  readonly ticket: string | null;
}

/** What is given up. */
export interface Expired {
  readonly backups: readonly string[];
  /** Files of the log that no backup needs any more. */
  readonly segments: number;
}

/** What was found in a backup that cannot be restored as it was. */
export interface Damage {
  /** A file of the cluster or of the log; null for the backup as a whole. */
  readonly file: string | null;
  readonly what: 'missing' | 'changed' | 'unexpected' | 'unreadable';
}

export interface Verified {
  readonly backup: string;
  readonly files: number;
  readonly bytes: number;
  readonly damage: readonly Damage[];
}

/**
 * A program that makes backups and restores from them. All of it works without the database, but for making one. Adding an engine
 * is a file in `engines` and a line in `ENGINES`.
 */
export interface BackupEngine {
  readonly kind: EngineKind;
  /** Where it keeps them. */
  readonly place: string;
  /** Throws where the place cannot be read. */
  catalogue(options?: WorkOptions): Promise<Catalogue>;
  /** Makes one, and looks at it as `verify` does. */
  create(made: Made, options?: WorkOptions): Promise<Backup>;
  /** Reads a backup whole, with the files of the log that it needs, against what was written down of it when it was made. */
  verify(backup: Backup, options?: WorkOptions): Promise<Verified>;
  /** Has the server archive what it has not yet, and waits for it; false where there is no server to ask. */
  archiveNow(options?: WorkOptions): Promise<boolean>;
  /** When a file of the log was archived; null where the engine does not tell, or has it not. */
  archivedAt(segment: string): Promise<Date | null>;
  /**
   * Puts the cluster of a backup into a folder that is there and empty, for the user that its server will run as, and returns the
   * command by which that server gets files of the log. Each file was held against its checksum.
   */
  restoreInto(
    backup: Backup,
    folder: string,
    options?: WorkOptions,
  ): Promise<{ readonly restore_command: string }>;
  /** What could be given up so that what was there at `since`, and all after it, can still be recovered. */
  planExpiry(since: Date): Promise<Expired>;
  expire(since: Date): Promise<Expired>;
}

const ENGINES: Partial<Record<EngineKind, (context: Context) => Promise<BackupEngine>>> = {
  local: async (context) => (await import('./engines/local.js')).localEngine(context),
};

/** The engine of a context. Throws `no_backup_engine`. */
export async function openEngine(context: Context): Promise<BackupEngine> {
  const kind = context.backup?.engine ?? (context.kind === 'local' ? 'local' : undefined);
  const open = kind === undefined ? undefined : ENGINES[kind];
  if (open !== undefined) return await open(context);
  throw new NestctlError(
    kind === undefined
      ? `The context "${context.name}" names no backup engine.`
      : `The engine ${kind} is not known to this nestctl yet.`,
    {
      kind: 'conflict',
      code: 'no_backup_engine',
      hint: `Add [contexts.${context.name}.backup] with its engine to the context file.`,
      next: 'nestctl context show',
    },
  );
}
