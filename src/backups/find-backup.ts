import { NestctlError } from '../platform/errors.js';
import type { Backup } from './backup.js';
import type { BackupEngine } from './engine.js';

/** The backup of this id; the newest complete one without. Throws `not_found`. */
export async function findBackup(engine: BackupEngine, id?: string): Promise<Backup> {
  const { backups } = await engine.catalogue();
  const found =
    id === undefined
      ? backups.find(({ state }) => state === 'complete')
      : backups.find((each) => each.id === id);
  if (found !== undefined) return found;
  throw new NestctlError(id === undefined ? 'There is no backup yet.' : `There is no backup ${id}.`, {
    kind: 'not_found',
    code: 'no_backup',
    ...(id === undefined ? {} : { mistaken: { name: id, among: backups.map((each) => each.id) } }),
    next: id === undefined ? 'nestctl backup create' : 'nestctl backup list',
  });
}
