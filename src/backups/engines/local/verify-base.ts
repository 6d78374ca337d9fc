import { createHash } from 'node:crypto';
import { list } from 'tar';
import type { Damage, WorkOptions } from '../../engine.js';
import type { Manifest } from './manifest.js';

/** What BASE_BACKUP adds, that is not in the manifest. */
const BESIDE = new Set(['backup_label', 'tablespace_map', 'backup_manifest']);

/** Reads an archive of a cluster whole against its manifest. Nothing is written. */
export async function verifyBase(
  file: string,
  manifest: Manifest,
  { signal, onBytes }: WorkOptions = {},
): Promise<Damage[]> {
  const damage: Damage[] = [];
  const wanted = new Set(manifest.files.keys());
  let read = 0;
  try {
    await list({
      file,
      strict: true,
      onReadEntry: (entry) => {
        signal?.throwIfAborted();
        const path = entry.path.replace(/^\.\//, '');
        if (entry.type !== 'File' && entry.type !== 'OldFile') return;
        const hash = createHash('sha256');
        entry.on('data', (chunk: Buffer) => {
          hash.update(chunk);
          read += chunk.length;
          onBytes?.(read);
        });
        entry.on('end', () => {
          const promised = manifest.files.get(path);
          wanted.delete(path);
          if (promised === undefined) {
            if (!BESIDE.has(path)) damage.push({ file: path, what: 'unexpected' });
          } else if (promised.size !== entry.size || promised.sha256 !== hash.digest('hex'))
            damage.push({ file: path, what: 'changed' });
        });
      },
    });
  } catch (error) {
    signal?.throwIfAborted();
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [{ file: null, what: 'missing' }];
    damage.push({ file: null, what: 'unreadable' });
  }
  return [...damage, ...[...wanted].map((path): Damage => ({ file: path, what: 'missing' }))];
}
