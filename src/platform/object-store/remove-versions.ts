import { NestctlError } from '../errors.js';
import type { Client } from './client.js';
import { lockedUntil } from './retention.js';
import { versionsOf } from './versions.js';

/** Deletes one version for good. Throws `object_locked`. */
export async function removeVersion(client: Client, Key: string, version: string): Promise<void> {
  const { DeleteObjectCommand } = client.sdk;
  await client
    .run(
      (s3) => s3.send(new DeleteObjectCommand({ Bucket: client.settings.bucket, Key, VersionId: version })),
      Key,
    )
    .catch(async (error: unknown) => {
      if (!(error instanceof NestctlError) || error.code !== 'store_denied') throw error;
      const until = await lockedUntil(client, Key, version);
      if (until === undefined || until.getTime() <= Date.now()) throw error;
      throw new NestctlError(`${Key} is locked until ${until.toISOString()}: nobody can delete it before.`, {
        kind: 'not_allowed',
        code: 'object_locked',
        hint: 'That is Object Lock in compliance mode. Its content can only be made unreadable by losing a key.',
      });
    });
}

/**
 * Deletes all versions of a key and looks whether any is left. Throws `object_locked` after deleting those that are
 * not locked. Returns how many were deleted, delete markers not counted.
 */
export async function removeAllVersions(client: Client, Key: string): Promise<number> {
  let removed = 0;
  let locked: unknown;
  for (const { id, marker } of await versionsOf(client, Key)) {
    try {
      await removeVersion(client, Key, id);
      if (!marker) removed += 1;
    } catch (error) {
      if (!(error instanceof NestctlError) || error.code !== 'object_locked') throw error;
      locked ??= error;
    }
  }
  if (locked !== undefined) throw locked;
  const left = await versionsOf(client, Key);
  if (left.length === 0) return removed;
  throw new NestctlError(`${left.length} versions of ${Key} are still there after deleting them.`, {
    kind: 'failure',
    code: 'object_left',
    hint: 'Somebody may have stored it again meanwhile.',
  });
}
